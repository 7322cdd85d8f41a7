package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	stdlog "log"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/go-kit/log"
	"github.com/go-kit/log/level"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	versioncollector "github.com/prometheus/client_golang/prometheus/collectors/version"
	"github.com/prometheus/common/version"
	"github.com/prometheus/exporter-toolkit/web"
	sloggokit "github.com/tjhop/slog-gokit"

	"github.com/softdelete-exporter/softdelete_exporter/cache"
	"github.com/softdelete-exporter/softdelete_exporter/config"
	"github.com/softdelete-exporter/softdelete_exporter/inspect"
	"github.com/softdelete-exporter/softdelete_exporter/server"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// shutdownTimeout is how long open requests may take to end.
const shutdownTimeout = 5 * time.Second

// serve is the exporter: it checks all that can be checked before anything
// listens, and then answers until a signal ends it.
func serve(f flags, stderr io.Writer) error {
	base := newLogger(stderr, f.logFormat)
	logger := filter(base, f.logLevel)
	c, err := config.Load(defaults, f.configFile)
	if err != nil {
		return usage{err}
	}
	if err := web.Validate(*f.web.WebConfigFile); err != nil {
		return usage{fmt.Errorf("web.config.file: %w", err)}
	}
	entry, err := open(c, logger)
	if err != nil {
		return usage{err}
	}
	process := prometheus.NewRegistry()
	process.MustRegister(
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		versioncollector.NewCollector("softdelete_exporter"),
	)
	if entry != nil {
		defer entry.Close()
	} else {
		level.Warn(logger).Log("msg", "no database is configured: /metrics shows the exporter itself only; set DATA_SOURCE_NAME")
	}
	handler, err := server.New(server.Options{Config: c, Entry: entry, Process: process, Version: version.Version, Logger: logger})
	if err != nil {
		return err
	}

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	web := &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 5 * time.Second,
		ErrorLog:          stdlog.New(log.NewStdlibAdapter(level.Warn(logger)), "", 0),
	}
	return listen(ctx, web, f, slog.New(sloggokit.NewGoKitHandler(log.With(base, "ts", log.DefaultTimestampUTC), slogLevel(f.logLevel))))
}

// listen answers until the context ends, then lets open requests end.
func listen(ctx context.Context, s *http.Server, f flags, logger *slog.Logger) error {
	ended := make(chan error, 1)
	go func() { ended <- web.ListenAndServe(s, f.web, logger) }()
	select {
	case err := <-ended:
		if op := (*net.OpError)(nil); errors.As(err, &op) && op.Op == "listen" {
			return usage{fmt.Errorf("%w; choose another address with --web.listen-address", err)}
		}
		return err
	case <-ctx.Done():
		shutdown, cancel := context.WithTimeout(context.Background(), shutdownTimeout)
		defer cancel()
		return s.Shutdown(shutdown)
	}
}

// open makes the cache entry of the server that the environment names; nil when it
// names none. What the configuration says of tables is held against the server, if
// that can be reached: a server that is down keeps nothing from starting.
func open(c *config.Config, logger log.Logger) (*cache.Entry, error) {
	if !config.HasDataSource() {
		return nil, nil
	}
	dsn, err := config.DataSourceName()
	if err != nil {
		return nil, err
	}
	datname, err := inspect.ParseSource(dsn)
	if err != nil {
		return nil, err
	}
	if err := inspect.New(c, config.DataSourceName, &softdelete.Costs{}, logger).Check(context.Background()); err != nil {
		if !errors.As(err, new(*inspect.ConfigError)) {
			level.Warn(logger).Log("msg", "cannot check the configured tables now", "err", err)
		} else {
			return nil, err
		}
	}
	return cache.New(func(costs *softdelete.Costs) cache.Source {
		i := inspect.New(c, config.DataSourceName, costs, logger)
		return cache.Source{Ping: i.Ping, Refresh: i.Refresh, Close: i.Close}
	}, datname, cache.Settings{TTL: c.TTL.Std(), MaxStale: c.MaxStale.Std()}), nil
}
