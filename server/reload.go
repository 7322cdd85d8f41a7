package server

import (
	"net/http"
	"reflect"
	"sync/atomic"
	"time"

	"github.com/go-kit/log/level"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/softdelete-exporter/softdelete_exporter/collector"
	"github.com/softdelete-exporter/softdelete_exporter/config"
	"github.com/softdelete-exporter/softdelete_exporter/conninfo"
	"github.com/softdelete-exporter/softdelete_exporter/rescue"
)

// Settings holds the configuration in force.
type Settings struct {
	config atomic.Pointer[config.Config]
	last   atomic.Pointer[collector.Reload]
}

// NewSettings holds a configuration that was just loaded.
func NewSettings(c *config.Config) *Settings {
	s := &Settings{}
	s.config.Store(c)
	s.last.Store(&collector.Reload{Successful: true, Succeeded: time.Now()})
	return s
}

// Config returns the configuration in force. It is never changed, only replaced.
func (s *Settings) Config() *config.Config { return s.config.Load() }

// Describe implements prometheus.Collector: metrics of the last reload.
func (s *Settings) Describe(ch chan<- *prometheus.Desc) { s.last.Load().Describe(ch) }

// Collect implements prometheus.Collector.
func (s *Settings) Collect(ch chan<- prometheus.Metric) { s.last.Load().Collect(ch) }

// replace loads a configuration and puts it in force. It reports whether the new one differs. On an error the old
// one stays. Only one caller runs it at a time.
func (s *Settings) replace(load func() (*config.Config, error)) (changed bool, err error) {
	var c *config.Config
	err = rescue.Catch(func() (err error) {
		c, err = load()
		return err
	})
	if err != nil {
		s.last.Store(&collector.Reload{Succeeded: s.last.Load().Succeeded})
		return false, err
	}
	s.last.Store(&collector.Reload{Successful: true, Succeeded: time.Now()})
	return !reflect.DeepEqual(s.config.Swap(c), c), nil
}

// turns let one reload run while one more, requested over HTTP, waits.
type turns struct{ running, waiting chan struct{} }

func newTurns() turns { return turns{make(chan struct{}, 1), make(chan struct{}, 1)} }

// Reload reads the configuration again, after a reload that is running. On an error the old one stays in force.
func (s *Server) Reload() error {
	s.turns.running <- struct{}{}
	defer func() { <-s.turns.running }()
	return s.reloadNow()
}

// reloadNow reloads. It does not query the database: the next request starts a refresh, which applies the change,
// and until then the caches stay filled. Without a change no refresh becomes due; otherwise frequent reloads would
// cause frequent refreshes.
func (s *Server) reloadNow() error {
	changed, err := s.Settings.replace(s.Load)
	if err != nil {
		rescue.Log(s.Logger, err)
		level.Error(s.Logger).Log("msg", "configuration not reloaded, the old one stays in force", "err", err)
		return err
	}
	if changed {
		if s.target != nil {
			s.target.Renew()
		}
		s.probes.renew()
	}
	level.Info(s.Logger).Log("msg", "configuration reloaded", "changed", changed)
	return nil
}

// reload answers POST /-/reload. One request waits while a reload runs, as long as its client waits. It will read
// the newest file, so further requests can be refused.
func (s *Server) reload(w http.ResponseWriter, r *http.Request) {
	if !s.Lifecycle {
		http.Error(w, "Reloading over HTTP is off: start the exporter with --web.enable-lifecycle, or send it SIGHUP.",
			http.StatusForbidden)
		return
	}
	select {
	case s.turns.waiting <- struct{}{}:
	default:
		w.Header().Set("Retry-After", "1")
		http.Error(w, "One reload is running and one is waiting: try again later.", http.StatusServiceUnavailable)
		return
	}
	select {
	case s.turns.running <- struct{}{}:
		<-s.turns.waiting
	case <-r.Context().Done():
		<-s.turns.waiting
		return
	}
	defer func() { <-s.turns.running }()
	if err := s.reloadNow(); err != nil {
		http.Error(w, conninfo.Redact(err.Error()), http.StatusInternalServerError)
		return
	}
	_, _ = w.Write([]byte("Configuration reloaded.\n")) // the client may have left
}
