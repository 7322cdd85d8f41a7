package server

import (
	"errors"
	"net/http"

	"github.com/go-kit/log"
	"github.com/go-kit/log/level"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	dto "github.com/prometheus/client_model/go"
)

// metrics answers a scrape of the connection string's server, and of the exporter itself.
func (s *Server) metrics(w http.ResponseWriter, r *http.Request) {
	s.show(w, r, func() ([]*dto.MetricFamily, error) {
		process, err := s.Process.Gather()
		if err != nil || s.target == nil {
			return process, err
		}
		ctx, cancel := s.deadline(w, r)
		defer cancel()
		families, err := s.target.gather(ctx)
		return join(process, families), err
	})
}

// probe answers a scrape of the server that the request names.
func (s *Server) probe(w http.ResponseWriter, r *http.Request) {
	target, err := s.probes.find(r.FormValue("target"), r.FormValue("auth_module"))
	if errors.Is(err, errTooMany) {
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	s.show(w, r, func() ([]*dto.MetricFamily, error) {
		ctx, cancel := s.deadline(w, r)
		defer cancel()
		return target.gather(ctx)
	})
}

// show writes what was gathered, even if part of it failed.
func (s *Server) show(w http.ResponseWriter, r *http.Request, gather func() ([]*dto.MetricFamily, error)) {
	promhttp.HandlerFor(prometheus.GathererFunc(gather), promhttp.HandlerOpts{
		ErrorLog:      errorLog{s.Logger},
		ErrorHandling: promhttp.ContinueOnError,
	}).ServeHTTP(w, r)
}

// errorLog passes promhttp's errors to the log.
type errorLog struct{ log.Logger }

// Println implements promhttp.Logger.
func (l errorLog) Println(v ...any) { level.Error(l.Logger).Log("msg", "gathering metrics", "err", v) }
