// Package server answers HTTP: it keeps deadlines, asks the cache, and hands the
// Snapshot on to those that show it.
package server

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/go-kit/log"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/exporter-toolkit/web"

	"github.com/softdelete-exporter/softdelete_exporter/cache"
	"github.com/softdelete-exporter/softdelete_exporter/config"
)

// Options are what a Server needs.
type Options struct {
	Config *config.Config
	// Entry is the server of the connection string; nil when there is none.
	Entry *cache.Entry
	// Process gathers the metrics of the exporter itself.
	Process *prometheus.Registry
	Version string
	Logger  log.Logger
}

type server struct{ Options }

// New makes the handler of every page.
func New(o Options) (http.Handler, error) {
	s := &server{o}
	landing, err := web.NewLandingPage(web.LandingConfig{
		Name:        "softdelete_exporter",
		Description: "Prometheus exporter for PostgreSQL tables that use soft delete",
		Version:     o.Version,
		Profiling:   "false",
		Links: []web.LandingLinks{
			{Address: "/metrics", Text: "Metrics"},
			{Address: "/health", Text: "Connection health"},
		},
	})
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle("/", landing)
	mux.HandleFunc("GET /metrics", s.metrics)
	mux.HandleFunc("GET /health", s.health)
	// Both speak of the process, never of the database: else an orchestrator takes
	// away the endpoint, and the alert with it, when the database is down.
	mux.HandleFunc("GET /-/healthy", s.alive)
	mux.HandleFunc("GET /-/ready", s.alive)
	return mux, nil
}

func (s *server) alive(w http.ResponseWriter, _ *http.Request) {
	_, _ = w.Write([]byte("softdelete_exporter is running.\n")) // the client may have left
}

// deadline bounds a request by the scrape's own timeout, or by the configured one.
func (s *server) deadline(r *http.Request) (context.Context, context.CancelFunc) {
	timeout, offset := s.Config.Scrape.Timeout.Std(), s.Config.Scrape.Offset.Std()
	if seconds, err := strconv.ParseFloat(r.Header.Get("X-Prometheus-Scrape-Timeout-Seconds"), 64); err == nil && seconds > 0 {
		timeout = time.Duration(seconds * float64(time.Second))
	}
	return context.WithTimeout(r.Context(), max(timeout-offset, timeout/2))
}
