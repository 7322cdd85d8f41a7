// Package exportertest gives tests a whole exporter, except for the process and its listener.
package exportertest

import (
	"context"
	"sync/atomic"
	"testing"

	"github.com/go-kit/log"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/softdelete-exporter/softdelete_exporter/cache"
	"github.com/softdelete-exporter/softdelete_exporter/config"
	"github.com/softdelete-exporter/softdelete_exporter/conninfo"
	"github.com/softdelete-exporter/softdelete_exporter/inspect"
	"github.com/softdelete-exporter/softdelete_exporter/internal/configtest"
	"github.com/softdelete-exporter/softdelete_exporter/postgres"
	"github.com/softdelete-exporter/softdelete_exporter/server"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// Exporter is an exporter that runs until the test ends.
type Exporter struct {
	*server.Server
	// Refreshes counts the refreshes that began, Refreshed those that ended.
	Refreshes, Refreshed atomic.Int64
	// Log is its log.
	Log Output
}

// NewInspector makes only the inspector for the server of a connection string.
func NewInspector(tb testing.TB, dsn, configuration string) *inspect.Inspector {
	tb.Helper()
	c := configtest.Load(tb, configuration)
	i := inspect.New(func() *config.Config { return c }, postgres.NewServer(postgres.Options{
		Source: Source(tb, dsn), Connections: postgres.NewConnections(c.Limits.Connections),
		Costs: &softdelete.Costs{}, Logger: log.NewNopLogger(),
	}))
	tb.Cleanup(i.Close)
	return i
}

// New makes an exporter for the server of a connection string. It is for tests in a top-level folder.
func New(tb testing.TB, dsn, configuration string) *Exporter {
	tb.Helper()
	load := configtest.Loader(tb, configuration)
	c, err := load()
	if err != nil {
		tb.Fatal(err)
	}
	e := &Exporter{}
	logger := log.NewLogfmtLogger(&e.Log)
	settings, connections := server.NewSettings(c), postgres.NewConnections(c.Limits.Connections)
	e.Server, err = server.New(server.Options{
		Load: load, Settings: settings, Process: prometheus.NewRegistry(), Version: "1.0.0", Logger: logger,
		Source: Source(tb, dsn), Datname: Database(tb, dsn),
		Connect: func(target string, source func() (*conninfo.Info, error)) cache.Open {
			return func(costs *softdelete.Costs) cache.Source {
				i := inspect.New(settings.Config, postgres.NewServer(postgres.Options{
					Source: source, Connections: connections, Costs: costs, Logger: logger,
				}))
				i.Target = target
				return cache.Source{Ping: i.Ping, Close: i.Close,
					Refresh: func(ctx context.Context, previous *softdelete.Snapshot, publish func(*softdelete.Snapshot)) {
						e.Refreshes.Add(1)
						defer e.Refreshed.Add(1)
						i.Refresh(ctx, previous, publish)
					}}
			}
		},
	})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(e.Close)
	return e
}
