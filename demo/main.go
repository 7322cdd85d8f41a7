//go:build unix

// Demo shows the exporter at work without any setup: it starts a temporary PostgreSQL server, fills it with the
// tables of a shop (package data), simulates some activity, and runs the exporter on it. It removes everything
// when it ends. Run it in the source tree:
//
//	go run ./demo
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"

	"github.com/softdelete-exporter/softdelete_exporter/demo/data"
	"github.com/softdelete-exporter/softdelete_exporter/internal/pgserver"
)

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

// options are the options of the command line.
type options struct {
	address string
	scale   float64
}

// run runs the demo and returns the exit code.
func run(args []string, stdout, stderr io.Writer) int {
	var o options
	flags := flag.NewFlagSet("demo", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.StringVar(&o.address, "listen", "127.0.0.1:10862",
		"where the exporter listens; another port is taken when this one is not free")
	flags.Float64Var(&o.scale, "scale", 1, "how much data; 1 is about a million rows")
	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		return 0
	} else if err != nil {
		return 2
	}
	// If the reader of the output goes away, the demo must not end before it has cleaned up.
	signal.Ignore(syscall.SIGPIPE)
	// SIGHUP: the terminal was closed.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	ctx = withParent(ctx)
	err := show(ctx, o, stdout, stderr)
	if err != nil && ctx.Err() == nil {
		fmt.Fprintln(stderr, "demo:", err)
		return 1
	}
	fmt.Fprintln(stdout, "Stopped. The server and its files are gone.")
	return 0
}

// withParent ends the context when the parent process has ended: a SIGTERM to `go run` does not reach the demo.
func withParent(ctx context.Context) context.Context {
	ctx, cancel := context.WithCancel(ctx)
	parent := os.Getppid()
	go func() {
		defer cancel()
		for os.Getppid() == parent && ctx.Err() == nil {
			time.Sleep(200 * time.Millisecond)
		}
	}()
	return ctx
}

// show runs the demo until the context ends or something fails, and leaves nothing behind. Its deferred calls
// run in reverse order: programs end before their files are removed, and the server ends last.
func show(ctx context.Context, o options, stdout, stderr io.Writer) (err error) {
	began := time.Now()
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	dir, err := os.MkdirTemp("", "softdelete_exporter-demo-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()

	fmt.Fprintln(stdout, "Starting PostgreSQL, filling a shop's database, building the exporter ...")
	var (
		server      *pgserver.Server
		binary, dsn string
	)
	both, preparing := errgroup.WithContext(ctx)
	both.Go(func() (err error) {
		binary, err = build(preparing, dir)
		return err
	})
	both.Go(func() (err error) {
		if server, err = pgserver.Start(preparing, pgserver.Options{Settings: settings}); err != nil {
			return err
		}
		dsn, err = fill(preparing, server, o.scale)
		return err
	})
	err = both.Wait()
	if server != nil {
		defer func() { err = errors.Join(err, server.Stop()) }()
	}
	if err != nil {
		return err
	}

	address, taken, err := freeAddress(o.address)
	if err != nil {
		return err
	}
	e, err := startExporter(ctx, binary, address, server.DSN(database, role), stderr)
	if err != nil {
		return err
	}
	defer func() { stop(); <-e.ended }()
	var business sync.WaitGroup
	business.Go(func() { work(ctx, dsn, func(err error) { fmt.Fprintln(stderr, "demo:", err) }) })
	defer func() { stop(); business.Wait() }()

	welcome(stdout, greeting{Options: o, URL: e.url, Taken: taken, Server: server, Took: time.Since(began)})
	select {
	case <-ctx.Done():
		return nil
	case <-e.ended:
		return e.endedItself()
	}
}

// The database, and the role that the exporter has in it.
const (
	database = "shop"
	role     = "softdelete_exporter"
)

// settings make loading fast: one transaction creates and fills the tables, and with this wal_level it writes
// no WAL for them.
var settings = map[string]string{
	"wal_level":       "minimal",
	"max_wal_senders": "0",
	"max_wal_size":    "4GB",
	"shared_buffers":  "128MB",
	"jit":             "off",
}

// fill creates the shop's database and returns its owner's connection string.
func fill(ctx context.Context, server *pgserver.Server, scale float64) (dsn string, err error) {
	conn, err := pgx.Connect(ctx, server.DSN("postgres", pgserver.Superuser))
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, conn.Close(context.WithoutCancel(ctx))) }()
	for _, sql := range []string{
		"CREATE ROLE " + role + " LOGIN",
		"GRANT pg_read_all_data TO " + role,
		"CREATE DATABASE " + database,
	} {
		if _, err := conn.Exec(ctx, sql); err != nil {
			return "", fmt.Errorf("%s: %w", sql, err)
		}
	}
	dsn = server.DSN(database, pgserver.Superuser)
	return dsn, data.Load(ctx, dsn, scale)
}
