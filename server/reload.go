package server

import (
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-kit/log/level"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/softdelete-exporter/softdelete_exporter/collector"
	"github.com/softdelete-exporter/softdelete_exporter/config"
)

// Settings holds the configuration in force.
type Settings struct {
	config atomic.Pointer[config.Config]
	// mu lets one reload run at a time.
	mu   sync.Mutex
	last atomic.Pointer[collector.Reload]
}

// NewSettings holds a configuration that was just loaded.
func NewSettings(c *config.Config) *Settings {
	s := &Settings{}
	s.config.Store(c)
	s.last.Store(&collector.Reload{Successful: true, Succeeded: time.Now()})
	return s
}

// Config is the configuration in force. It is never changed, only replaced.
func (s *Settings) Config() *config.Config { return s.config.Load() }

// Describe implements prometheus.Collector, for the outcome of the last reload.
func (s *Settings) Describe(ch chan<- *prometheus.Desc) { s.last.Load().Describe(ch) }

// Collect implements prometheus.Collector.
func (s *Settings) Collect(ch chan<- prometheus.Metric) { s.last.Load().Collect(ch) }

// replace puts what load returns in the place of the configuration; on an error the
// old one stays.
func (s *Settings) replace(load func() (*config.Config, error)) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, err := load()
	if err != nil {
		s.last.Store(&collector.Reload{Succeeded: s.last.Load().Succeeded})
		return err
	}
	s.config.Store(c)
	s.last.Store(&collector.Reload{Successful: true, Succeeded: time.Now()})
	return nil
}

// Reload reads the configuration anew. On an error the old one stays in force. The
// caches stay warm, but a refresh is due: it finds what the change means.
func (s *Server) Reload() error {
	if err := s.Settings.replace(s.Load); err != nil {
		level.Error(s.Logger).Log("msg", "configuration not reloaded, the old one stays in force", "err", err)
		return err
	}
	if s.target != nil {
		s.target.Renew()
	}
	s.probes.renew()
	level.Info(s.Logger).Log("msg", "configuration reloaded")
	return nil
}

func (s *Server) reload(w http.ResponseWriter, _ *http.Request) {
	if err := s.Reload(); err != nil {
		http.Error(w, config.Redact(err.Error()), http.StatusInternalServerError)
		return
	}
	_, _ = w.Write([]byte("Configuration reloaded.\n")) // the client may have left
}
