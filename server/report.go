package server

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/go-kit/log/level"
	"github.com/munnerz/goautoneg"

	"github.com/softdelete-exporter/softdelete_exporter/assess"
	"github.com/softdelete-exporter/softdelete_exporter/config"
	"github.com/softdelete-exporter/softdelete_exporter/report"
	"github.com/softdelete-exporter/softdelete_exporter/rescue"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// pingAge is how old a ping may be in the report: the server is not pinged for each reader.
const pingAge = 5 * time.Second

// report answers with the health report of the server that the request names like one of /probe, or else of the
// connection string's server. It comes from the cache like a scrape: as a page, or as JSON if the client prefers that.
func (s *Server) report(w http.ResponseWriter, r *http.Request) {
	target := s.target
	if r.FormValue("target")+r.FormValue("auth_module") != "" {
		if target = s.probed(w, r); target == nil {
			return
		}
	}
	if target == nil {
		http.Error(w, config.ErrNoDataSource.Error()+"; /targets lists the servers that are probed", http.StatusNotFound)
		return
	}
	s.answer(w, r, func(out io.Writer, format string) error {
		shown := s.assess(w, r, target)
		if format == "json" {
			return report.JSON(out, shown)
		}
		query := url.Values{"format": {"json"}}
		links := report.Links{Metrics: "metrics", Targets: s.hasProbes()}
		if target != s.target {
			query["target"], query["auth_module"] = r.Form["target"], r.Form["auth_module"]
			links.Metrics = "probe?" + url.Values{"target": r.Form["target"], "auth_module": r.Form["auth_module"]}.Encode()
		}
		links.JSON = "?" + query.Encode()
		return report.HTML(out, shown, &links)
	})
}

// answer writes a page in the format that the client prefers, html or json.
func (s *Server) answer(w http.ResponseWriter, r *http.Request, write func(out io.Writer, format string) error) {
	format := r.FormValue("format")
	if format == "" {
		format = preferred(r.Header.Values("Accept"))
	}
	switch format {
	case "html":
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Content-Security-Policy", report.Policy())
	case "json":
		w.Header().Set("Content-Type", "application/json")
	default:
		http.Error(w, "format: must be html or json", http.StatusBadRequest)
		return
	}
	var out bytes.Buffer
	if err := write(&out, format); err != nil {
		level.Error(s.Logger).Log("msg", "writing the report", "err", err)
		http.Error(w, "the report could not be written; the log says why", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Vary", "Accept, Accept-Encoding")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Referrer-Policy", "no-referrer")
	send(w, r, out.Bytes())
}

// assess assesses a server.
func (s *Server) assess(w http.ResponseWriter, r *http.Request, t *target) report.Report {
	ctx, cancel := s.deadline(w, r)
	defer cancel()
	c := s.Settings.Config()
	last := t.Ping(ctx, pingAge)
	snapshot := &softdelete.Snapshot{}
	if c.Monitoring {
		snapshot = t.Snapshot(ctx)
	}
	pings := t.Pings()
	if n := len(pings); n == 0 || pings[n-1].At.Before(last.At) {
		pings = append(pings, last) // it timed out, so the cache has not kept it
	}
	return s.judge(pings, snapshot)
}

// judge assesses what is known about a server.
func (s *Server) judge(pings []softdelete.Ping, snapshot *softdelete.Snapshot) report.Report {
	c := s.Settings.Config()
	a := assess.Assess(pings, snapshot, c.Thresholds, c.Alerts, time.Now())
	rescue.Log(s.Logger, errors.Join(a.Faults...))
	return report.Report{
		Assessment:     a,
		Version:        s.Version,
		ConnectionOnly: !c.Monitoring,
	}
}

// preferred returns the format that a client asks for with Accept (RFC 9110, 12.5.1); html if it accepts both.
func preferred(accept []string) string {
	html, json := 0.0, -1.0
	for _, a := range goautoneg.ParseAccept(strings.Join(accept, ",")) {
		switch a.Type + "/" + a.SubType {
		case "text/html":
			html = a.Q
		case "application/json":
			json = a.Q
		case "*/*", "text/*":
			html = max(html, a.Q-0.001) // a type that is named goes before a wildcard
		}
	}
	if json > html {
		return "json"
	}
	return "html"
}

// acceptsGzip reports whether a client can read gzip, by Accept-Encoding (RFC 9110, 12.5.3).
func acceptsGzip(encodings []string) bool {
	// The parser reads media types, so each encoding is turned into one.
	header := "encoding/" + strings.ReplaceAll(strings.Join(encodings, ","), ",", ",encoding/")
	accepted := false
	for _, a := range goautoneg.ParseAccept(header) {
		switch strings.ToLower(a.SubType) {
		case "gzip":
			return a.Q > 0
		case "*":
			accepted = a.Q > 0
		}
	}
	return accepted
}

// send writes a page, compressed if the client can read that.
func send(w http.ResponseWriter, r *http.Request, page []byte) {
	if !acceptsGzip(r.Header.Values("Accept-Encoding")) {
		_, _ = w.Write(page) // the client may have left
		return
	}
	w.Header().Set("Content-Encoding", "gzip")
	z := gzip.NewWriter(w)
	_, _ = z.Write(page)
	_ = z.Close()
}
