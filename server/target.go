package server

import (
	"context"
	"errors"
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

// target is one server: its cache entry, and the page of the last Snapshot that was shown.
type target struct {
	*cache.Entry
	settings *Settings
	logger   log.Logger

	mu   sync.Mutex
	page *page
}

func (s *Server) newTarget(name string, source func() (*conninfo.Info, error), datname string) *target {
	t := &target{settings: s.Settings, logger: s.Logger}
	open := s.Connect(name, source)
	t.Entry = cache.New(func(costs *softdelete.Costs) cache.Source {
		c := open(costs)
		refresh := c.Refresh
		c.Refresh = func(ctx context.Context, previous *softdelete.Snapshot, publish func(*softdelete.Snapshot)) {
			refresh(ctx, previous, func(next *softdelete.Snapshot) {
				publish(next)
				t.forget(next)
			})
		}
		return c
	}, func() cache.Settings {
		c := s.Settings.Config()
		return cache.Settings{Datname: datname, TTL: c.TTL.Std(), MaxStale: c.MaxStale.Std(),
			PingWithRefresh: c.Ping.When == "refresh"}
	}, s.Logger)
	return t
}

// forget drops the page, unless it is that of the new Snapshot.
func (t *target) forget(next *softdelete.Snapshot) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.page != nil && t.page.snapshot != next {
		t.page = nil
	}
}

// gather answers a scrape of the server with the live metrics, the ping first, and the page of the Snapshot, nil if
// there is none.
func (t *target) gather(ctx context.Context) (live []*dto.MetricFamily, p *page, err error) {
	now := time.Now()
	ping := t.Ping(ctx, 0)
	c := t.settings.Config()
	if c.Monitoring {
		err = rescue.Catch(func() error {
			p = t.pageOf(t.Snapshot(ctx), c.DeletedRowsByAge)
			return nil
		})
		rescue.Log(t.logger, err)
	}
	live, fault := gather(collector.Live{Ping: ping, Costs: t.Costs.All(), TTL: c.TTL.Std(), Now: now, Logger: t.logger})
	return live, p, errors.Join(err, fault)
}

// pageOf returns the page of a Snapshot, byAge with the deleted rows by age: the same one as long as neither changes.
func (t *target) pageOf(s *softdelete.Snapshot, byAge bool) *page {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.page == nil || t.page.snapshot != s || t.page.byAge != byAge {
		t.page = newPage(s, byAge, t.logger)
	}
	return t.page
}

func gather(c prometheus.Collector) ([]*dto.MetricFamily, error) {
	registry := prometheus.NewRegistry()
	registry.MustRegister(c)
	return registry.Gather()
}

// join merges metric families whose names differ, sorted by name. Unlike prometheus.Gatherers it does not check
// them again.
func join(families ...[]*dto.MetricFamily) []*dto.MetricFamily {
	return slices.SortedFunc(slices.Values(slices.Concat(families...)), func(a, b *dto.MetricFamily) int {
		return strings.Compare(a.GetName(), b.GetName())
	})
}
