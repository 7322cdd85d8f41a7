package server

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-kit/log"
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"github.com/softdelete-exporter/softdelete_exporter/cache"
	"github.com/softdelete-exporter/softdelete_exporter/collector"
	"github.com/softdelete-exporter/softdelete_exporter/conninfo"
	"github.com/softdelete-exporter/softdelete_exporter/rescue"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// target is one server: its cache entry, and the metrics of the last Snapshot that was shown.
type target struct {
	*cache.Entry
	settings *Settings
	logger   log.Logger

	mu       sync.Mutex
	snapshot *softdelete.Snapshot
	byAge    bool
	families []*dto.MetricFamily
}

func (s *Server) newTarget(name string, source func() (*conninfo.Info, error), datname string) *target {
	return &target{settings: s.Settings, logger: s.Logger,
		Entry: cache.New(s.Connect(name, source), func() cache.Settings {
			c := s.Settings.Config()
			return cache.Settings{Datname: datname, TTL: c.TTL.Std(), MaxStale: c.MaxStale.Std(),
				PingWithRefresh: c.Ping.When == "refresh"}
		}, s.Logger)}
}

// gather answers a scrape of the server: the live ping first, then the Snapshot.
func (t *target) gather(ctx context.Context) ([]*dto.MetricFamily, error) {
	now := time.Now()
	ping := t.Ping(ctx, 0)
	c := t.settings.Config()
	var cached []*dto.MetricFamily
	var err error
	if c.Monitoring {
		err = rescue.Catch(func() (err error) {
			cached, err = t.familiesOf(t.Snapshot(ctx), c.DeletedRowsByAge)
			return err
		})
		rescue.Log(t.logger, err)
	}
	live := prometheus.NewRegistry()
	live.MustRegister(collector.Live{Ping: ping, Costs: t.Costs.All(), TTL: c.TTL.Std(), Now: now, Logger: t.logger})
	fresh, liveErr := live.Gather()
	if err == nil {
		err = liveErr
	}
	return join(fresh, cached), err
}

// familiesOf returns the metrics of a Snapshot, byAge with the deleted rows by age. A Snapshot never changes, so its
// metrics are gathered once and kept.
func (t *target) familiesOf(s *softdelete.Snapshot, byAge bool) ([]*dto.MetricFamily, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.snapshot == s && t.byAge == byAge {
		return t.families, nil
	}
	registry := prometheus.NewRegistry()
	c := collector.NewSnapshot(s, t.logger)
	if byAge {
		c = c.WithAges()
	}
	registry.MustRegister(c)
	families, err := registry.Gather()
	if err != nil {
		return families, err
	}
	t.snapshot, t.byAge, t.families = s, byAge, families
	return families, nil
}

// join merges metric families whose names differ, sorted by name. Unlike prometheus.Gatherers it does not check
// them again.
func join(families ...[]*dto.MetricFamily) []*dto.MetricFamily {
	return slices.SortedFunc(slices.Values(slices.Concat(families...)), func(a, b *dto.MetricFamily) int {
		return strings.Compare(a.GetName(), b.GetName())
	})
}
