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
	"runtime/debug"
	"strings"
	"syscall"
	"time"

	"github.com/go-kit/log"
	"github.com/go-kit/log/level"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	versioncollector "github.com/prometheus/client_golang/prometheus/collectors/version"
	"github.com/prometheus/common/version"
	"github.com/prometheus/exporter-toolkit/web"

	"github.com/softdelete-exporter/softdelete_exporter/cache"
	"github.com/softdelete-exporter/softdelete_exporter/collector"
	"github.com/softdelete-exporter/softdelete_exporter/config"
	"github.com/softdelete-exporter/softdelete_exporter/conninfo"
	"github.com/softdelete-exporter/softdelete_exporter/inspect"
	"github.com/softdelete-exporter/softdelete_exporter/postgres"
	"github.com/softdelete-exporter/softdelete_exporter/rescue"
	"github.com/softdelete-exporter/softdelete_exporter/server"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// gcPercent keeps the memory of the process small. Scrapes make little garbage, so collecting it more often
// than Go's default costs almost nothing.
const gcPercent = 30

// shutdownTimeout is how long open requests may take to end.
const shutdownTimeout = 5 * time.Second

// serve runs the exporter. It checks everything that it can before it listens, and then answers requests until
// a signal ends it.
func serve(ctx context.Context, f flags, stderr io.Writer) error {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	base := newLogger(stderr, f.logFormat)
	logger := filter(base, f.logLevel)
	level.Info(logger).Log("msg", "starting softdelete_exporter", "version", version.Version, "config_file", f.configFile)
	load := func() (*config.Config, error) { return config.Load(defaults, f.configFile) }
	c, err := load()
	if err != nil {
		return usage{err}
	}
	if err := web.Validate(*f.web.WebConfigFile); err != nil {
		return usage{fmt.Errorf("web.config.file: %w", err)}
	}
	settings := server.NewSettings(c)
	connections := postgres.NewConnections(c.Limits.Connections)
	process := prometheus.NewRegistry()
	process.MustRegister(
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		versioncollector.NewCollector("softdelete_exporter"),
		settings,
		collector.Evictions(connections.Evicted),
	)
	options := server.Options{
		Load: func() (*config.Config, error) {
			next, err := load()
			if err == nil && config.HasDataSource() {
				_, _, err = source()
			}
			if now := settings.Config().Limits.Connections; err == nil && next.Limits.Connections != now {
				err = fmt.Errorf("limits.connections: changing it from %d to %d needs a restart", now, next.Limits.Connections)
			}
			return next, err
		},
		Settings: settings, Process: process, Version: version.Version, Logger: logger,
		Profiling: f.profiling, Lifecycle: f.lifecycle,
		Connect: func(target string, source func() (*conninfo.Info, error)) cache.Open {
			return func(costs *softdelete.Costs) cache.Source {
				i := inspect.New(settings.Config, postgres.NewServer(postgres.Options{
					Source: source, Connections: connections, Costs: costs, Logger: logger,
				}))
				i.Target = target
				return cache.Source{Ping: i.Ping, Refresh: i.Refresh, Close: i.Close}
			}
		},
	}
	if config.HasDataSource() {
		options.Source = config.DataSource
		if options.Datname, err = checkSource(ctx, c, logger); err != nil {
			return usage{err}
		}
	} else {
		level.Warn(logger).Log("msg", "/metrics shows only the exporter itself", "err", config.ErrNoDataSource)
	}
	s, err := server.New(options)
	if err != nil {
		return err
	}
	defer s.Close()

	ctx, stop := context.WithCancel(ctx)
	defer stop()
	go reloadOnSignal(ctx, s)
	web := s.HTTP(stdlog.New(log.NewStdlibAdapter(level.Warn(logger)), "", 0))
	return listen(ctx, web, f, bridge(base, f.logLevel))
}

// reloadOnSignal reloads the configuration at each SIGHUP.
func reloadOnSignal(ctx context.Context, s *server.Server) {
	hup := make(chan os.Signal, 1)
	signal.Notify(hup, syscall.SIGHUP)
	defer signal.Stop(hup)
	for {
		select {
		case <-hup:
			rescue.Log(s.Logger, rescue.Catch(s.Reload)) // other errors are logged already
		case <-ctx.Done():
			return
		}
	}
}

// listen answers requests until the context ends, then lets open requests finish.
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

// source reads the connection string and returns its servers and its database.
func source() (servers []string, datname string, err error) {
	info, err := config.DataSource()
	if err != nil {
		return nil, "", err
	}
	return postgres.ParseSource(info)
}

// checkSource calls source at the start, logs the result, and compares the configured tables with the server. A
// missing table does not stop the start: it has a problem, and the other tables are watched.
func checkSource(ctx context.Context, c *config.Config, logger log.Logger) (datname string, err error) {
	servers, datname, err := source()
	if err != nil {
		return "", err
	}
	level.Info(logger).Log("msg", "watching", "server", strings.Join(servers, ","), "database", datname)
	if len(c.Tables) == 0 {
		return datname, nil
	}
	err = rescue.Catch(func() error { return newInspector(c, logger).Check(ctx) })
	rescue.Log(logger, err)
	if err != nil {
		msg := "cannot check the configured tables now"
		if errors.As(err, new(*inspect.ConfigError)) {
			msg = "some configured tables cannot be watched; check-config --connect shows the details"
		}
		level.Warn(logger).Log("msg", msg, "err", err)
	}
	return datname, nil
}

// newInspector makes an inspector of the connection string's server, with connections of its own.
func newInspector(c *config.Config, logger log.Logger) *inspect.Inspector {
	return inspect.New(func() *config.Config { return c }, postgres.NewServer(postgres.Options{
		Source:      config.DataSource,
		Connections: postgres.NewConnections(c.Limits.Connections),
		Costs:       &softdelete.Costs{},
		Logger:      logger,
	}))
}
