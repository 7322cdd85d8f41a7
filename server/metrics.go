package server

import (
	"bytes"
	"errors"
	"maps"
	"net/http"

	"github.com/go-kit/log"
	"github.com/go-kit/log/level"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
)

// metrics answers a scrape of the connection string's server, and of the exporter itself.
func (s *Server) metrics(w http.ResponseWriter, r *http.Request) {
	process, err := s.Process.Gather()
	if s.target == nil {
		s.show(w, r, process, nil, err)
		return
	}
	ctx, cancel := s.deadline(w, r)
	defer cancel()
	live, p, fault := s.target.gather(ctx)
	s.show(w, r, join(process, live), p, errors.Join(err, fault))
}

// probe answers a scrape of the server that the request names.
func (s *Server) probe(w http.ResponseWriter, r *http.Request) {
	target := s.probed(w, r)
	if target == nil {
		return
	}
	ctx, cancel := s.deadline(w, r)
	defer cancel()
	live, p, err := target.gather(ctx)
	s.show(w, r, live, p, err)
}

// probed returns the target that a request names. If there is none, it has answered why, and returns nil.
func (s *Server) probed(w http.ResponseWriter, r *http.Request) *target {
	target, err := s.probes.find(r.FormValue("target"), r.FormValue("auth_module"))
	switch {
	case errors.Is(err, errTooMany):
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
	case err != nil:
		http.Error(w, err.Error(), http.StatusBadRequest)
	}
	return target
}

// show writes the page of a Snapshot, if there is one, and the live metrics. It writes what was gathered, even if part
// of it failed.
func (s *Server) show(w http.ResponseWriter, r *http.Request, live []*dto.MetricFamily, p *page, err error) {
	names := r.URL.Query()["name[]"] // promhttp shows only these
	if p != nil && err == nil && len(names) == 0 && s.showStored(w, r, live, p) {
		return
	}
	promhttp.HandlerFor(prometheus.GathererFunc(func() ([]*dto.MetricFamily, error) {
		if p == nil {
			return live, err
		}
		cached, fault := p.families(names...)
		return join(live, cached), errors.Join(err, fault)
	}), promhttp.HandlerOpts{
		ErrorLog:      errorLog{s.Logger},
		ErrorHandling: promhttp.ContinueOnError,
	}).ServeHTTP(w, r)
}

// showStored writes the stored page and the live metrics, as promhttp would write them. It reports false, and has
// written nothing, if this request needs promhttp itself.
func (s *Server) showStored(w http.ResponseWriter, r *http.Request, live []*dto.MetricFamily, p *page) bool {
	header := headerOnly{}
	negotiation.ServeHTTP(header, r)
	format := expfmt.Format(http.Header(header).Get("Content-Type"))
	if !storable(format) {
		return false
	}
	var more bytes.Buffer
	if err := encode(&more, format, live); err != nil {
		return false
	}
	stored, err := p.in(format.FormatType())
	if err != nil {
		return false
	}
	maps.Copy(w.Header(), header)
	// Errors mean that the client has left.
	if http.Header(header).Get("Content-Encoding") == string(promhttp.Gzip) {
		_ = stored.writeZipped(w, more.Bytes())
	} else {
		_ = stored.writePlain(w, more.Bytes())
	}
	return true
}

// negotiation sets the headers with which promhttp answers a request.
var negotiation = promhttp.HandlerFor(prometheus.NewRegistry(), promhttp.HandlerOpts{
	OfferedCompressions: []promhttp.Compression{promhttp.Identity, promhttp.Gzip},
})

// headerOnly is an answer of which only the headers are kept.
type headerOnly http.Header

// Header implements http.ResponseWriter.
func (h headerOnly) Header() http.Header { return http.Header(h) }

// Write implements http.ResponseWriter.
func (headerOnly) Write(text []byte) (int, error) { return len(text), nil }

// WriteHeader implements http.ResponseWriter.
func (headerOnly) WriteHeader(int) {}

// errorLog passes promhttp's errors to the log.
type errorLog struct{ log.Logger }

// Println implements promhttp.Logger.
func (l errorLog) Println(v ...any) { level.Error(l.Logger).Log("msg", "gathering metrics", "err", v) }
