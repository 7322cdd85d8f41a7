//go:build unix

// Package pgtest gives tests databases on throw-away PostgreSQL servers.
package pgtest

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"
	"go.uber.org/goleak"

	"github.com/softdelete-exporter/softdelete_exporter/internal/pgserver"
)

var shared struct {
	sync.Mutex
	inMain bool
	server *pgserver.Server
	err    error
}

// Main runs the tests of a package, stops its shared server, and checks that no goroutine is left. It checks once for
// all tests, because they may run in parallel. Use it as
//
//	func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }
func Main(m *testing.M) int {
	shared.inMain = true
	code := m.Run()
	if shared.server != nil {
		if err := shared.server.Stop(); err != nil {
			fmt.Fprintln(os.Stderr, "stop the shared PostgreSQL server:", err)
			code = max(code, 1)
		}
	}
	if code == 0 {
		http.DefaultClient.CloseIdleConnections()
		if err := goleak.Find(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	return code
}

// Shared returns the server that all tests of the process share; the first call starts it. Do not stop it or change
// its settings, and use NewDatabase in each test. It needs Main. The variable PGTEST_VERSION chooses its major
// version, "14" to "18".
func Shared(tb testing.TB) *pgserver.Server {
	tb.Helper()
	shared.Lock()
	defer shared.Unlock()
	if !shared.inMain {
		tb.Fatal(
			"pgtest.Shared: the package needs func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }, or nobody " +
				"stops the server")
	}
	if shared.server == nil && shared.err == nil {
		// This is not the test's context, because the server outlives the test.
		shared.server, shared.err = pgserver.Start(context.Background(),
			pgserver.Options{Version: os.Getenv("PGTEST_VERSION")})
	}
	if shared.err != nil {
		tb.Fatalf("shared PostgreSQL server: %v", shared.err)
	}
	return shared.server
}

// Start starts a server for one test and stops it with the test.
func Start(tb testing.TB, o pgserver.Options) *pgserver.Server {
	tb.Helper()
	s, err := pgserver.Start(tb.Context(), o)
	if err != nil {
		tb.Fatal(err)
	}
	stopAfter(tb, s)
	return s
}

// Standby starts a streaming standby of s for one test and stops it with the test.
func Standby(tb testing.TB, s *pgserver.Server, o pgserver.Options) *pgserver.Server {
	tb.Helper()
	standby, err := s.Standby(tb.Context(), o)
	if err != nil {
		tb.Fatal(err)
	}
	stopAfter(tb, standby)
	return standby
}

func stopAfter(tb testing.TB, s *pgserver.Server) {
	tb.Cleanup(func() {
		if err := s.Stop(); err != nil {
			tb.Errorf("stop PostgreSQL: %v", err)
		}
	})
}

var (
	databases atomic.Int64
	notPlain  = regexp.MustCompile(`[^a-z0-9]+`)
)

// NewDatabase creates an empty database named after the test and returns its DSN for the superuser. It drops the
// database after the test, even if somebody is still connected.
func NewDatabase(tb testing.TB, s *pgserver.Server) string {
	tb.Helper()
	name := strings.Trim(notPlain.ReplaceAllString(strings.ToLower(tb.Name()), "_"), "_")
	name = fmt.Sprintf("%.50s_%d", name, databases.Add(1)) // names are cut at 63 bytes
	CreateDatabase(tb, s, name)
	dsn := s.DSN(name, pgserver.Superuser)
	if s.Major >= 15 {
		keep(dsn)
	}
	tb.Cleanup(func() {
		forget(dsn)
		Exec(tb, s.DSN("postgres", pgserver.Superuser), `DROP DATABASE "`+name+`" WITH (FORCE)`)
	})
	return dsn
}

// CreateDatabase creates an empty database in the fastest way.
func CreateDatabase(tb testing.TB, s *pgserver.Server, name string) {
	tb.Helper()
	sql := `CREATE DATABASE "` + name + `"`
	if s.Major >= 15 {
		sql += " STRATEGY file_copy" // through WAL it takes three times as long
	}
	Exec(tb, s.DSN("postgres", pgserver.Superuser), sql)
}

// Exec runs a script of any number of statements in a database.
func Exec(tb testing.TB, dsn, sql string) {
	tb.Helper()
	withConn(tb, dsn, sql, func(ctx context.Context, conn *pgx.Conn) error {
		_, err := conn.PgConn().Exec(ctx, sql).ReadAll()
		return err
	})
}

// Value runs a query that returns one row with one column, and returns that value.
func Value[T any](tb testing.TB, dsn, sql string, args ...any) (value T) {
	tb.Helper()
	withConn(tb, dsn, sql, func(ctx context.Context, conn *pgx.Conn) error {
		return conn.QueryRow(ctx, sql, args...).Scan(&value)
	})
	return value
}

func withConn(tb testing.TB, dsn, sql string, do func(context.Context, *pgx.Conn) error) {
	tb.Helper()
	// The test's own context is over when its cleanups run.
	ctx := context.WithoutCancel(tb.Context())
	conn, err := borrow(ctx, dsn)
	if err != nil {
		tb.Fatal(err)
	}
	err = do(ctx, conn)
	if err != nil || !giveBack(ctx, dsn, sql, conn) {
		conn.Close(ctx)
	}
	if err != nil {
		tb.Fatalf("%s: %v", dsn, err)
	}
}
