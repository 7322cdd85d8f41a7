// Package server answers HTTP: it sets deadlines, asks the cache, and passes the Snapshot to the packages that
// show it.
package server

import (
	"net/http"
	"net/http/pprof"
	"strconv"

	"github.com/go-kit/log"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/exporter-toolkit/web"

	"github.com/softdelete-exporter/softdelete_exporter/cache"
	"github.com/softdelete-exporter/softdelete_exporter/config"
	"github.com/softdelete-exporter/softdelete_exporter/conninfo"
)

// Options are what a Server needs.
type Options struct {
	// Load reads the configuration again.
	Load func() (*config.Config, error)
	// Settings holds the configuration in force; a reload replaces it.
	Settings *Settings
	// Source returns how to connect to the server that /metrics shows; nil if there is none. Datname is the
	// database that it names.
	Source  func() (*conninfo.Info, error)
	Datname string
	// Connect returns how the cache opens a server: a target of /probe or, if target is empty, the server that
	// /metrics shows.
	Connect func(target string, source func() (*conninfo.Info, error)) cache.Open
	// Process gathers the metrics of the exporter itself.
	Process *prometheus.Registry
	Version string
	// Profiling adds the pages of net/http/pprof; Lifecycle allows a reload over HTTP.
	Profiling, Lifecycle bool
	Logger               log.Logger
}

// Server answers every page.
type Server struct {
	http.Handler
	Options
	// target is the server of the connection string; nil if there is none.
	target *target
	probes probes
	turns  turns
}

// New makes a Server.
func New(o Options) (*Server, error) {
	s := &Server{Options: o, turns: newTurns()}
	s.probes.server = s
	configuration := web.LandingLinks{Address: "/config", Text: "Configuration"}
	links := []web.LandingLinks{{Address: "/metrics", Text: "Metrics"}, configuration}
	if o.Source != nil {
		s.target = s.newTarget("", o.Source, o.Datname)
		links = []web.LandingLinks{
			{Address: "/report", Text: "Health report"},
			{Address: "/metrics", Text: "Metrics"},
			{Address: "/health", Text: "Connection health"},
			configuration,
		}
	}
	links = append(links, web.LandingLinks{Address: "/targets", Text: "Reports of all servers"})
	landing, err := web.NewLandingPage(web.LandingConfig{
		Name:        "softdelete_exporter",
		Description: "Prometheus exporter for PostgreSQL tables that use soft delete",
		Version:     o.Version,
		Profiling:   strconv.FormatBool(o.Profiling),
		Links:       links,
	})
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle("GET /{$}", landing)
	mux.HandleFunc("GET /metrics", s.metrics)
	mux.HandleFunc("GET /probe", s.probe)
	mux.HandleFunc("GET /report", s.report)
	mux.HandleFunc("GET /targets", s.targets)
	mux.HandleFunc("GET /health", s.health)
	mux.HandleFunc("GET /config", s.configuration)
	// Both are about the process, never about the database. Otherwise an orchestrator would remove the endpoint when
	// the database is down, and the alert with it.
	mux.HandleFunc("GET /-/healthy", s.alive)
	mux.HandleFunc("GET /-/ready", s.alive)
	// Protects against a page of another site in the browser of a user who can reach the exporter.
	mux.Handle("POST /-/reload", http.NewCrossOriginProtection().Handler(http.HandlerFunc(s.reload)))
	if o.Profiling {
		mux.HandleFunc("/debug/pprof/", pprof.Index)
		mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	}
	s.Handler = s.rescued(guard(mux))
	return s, nil
}

// Close ends all connections and whatever runs on them.
func (s *Server) Close() {
	if s.target != nil {
		s.target.Close()
	}
	s.probes.close()
}

// configuration shows the configuration in force, without its passwords.
func (s *Server) configuration(w http.ResponseWriter, _ *http.Request) {
	text, err := s.Settings.Config().YAML()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = w.Write(text) // the client may have left
}

func (s *Server) alive(w http.ResponseWriter, _ *http.Request) {
	_, _ = w.Write([]byte("softdelete_exporter is running.\n")) // the client may have left
}
