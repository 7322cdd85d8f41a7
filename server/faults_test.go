package server_test

import (
	"context"
	"fmt"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/softdelete-exporter/softdelete_exporter/internal/configtest"
	"github.com/softdelete-exporter/softdelete_exporter/internal/pgserver"
	"github.com/softdelete-exporter/softdelete_exporter/internal/pgserver/pgtest"
)

const scrapeTimeout = 10 * time.Second

func TestManyScrapesOnAColdCacheShareOneRefreshAndTwoConnections(t *testing.T) {
	t.Parallel()
	dsn := users(t, pgtest.Shared(t))
	e := newExporter(t, dsn, "")
	observer, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer observer.Close(context.Background())
	done := make(chan struct{})
	var watching, scraping sync.WaitGroup
	most := 0
	watching.Go(func() {
		for {
			select {
			case <-done:
				return
			case <-time.After(time.Millisecond):
			}
			var n int
			if err := observer.QueryRow(t.Context(), pgtest.OurSessions).Scan(&n); err != nil {
				t.Error(err)
				return
			}
			most = max(most, n)
		}
	})
	for range 50 {
		scraping.Go(func() {
			if s := e.scrape(t, scrapeTimeout); !s.healthy() {
				t.Errorf("a scrape shows %v", s)
			}
		})
	}
	scraping.Wait()
	close(done)
	watching.Wait()
	if n := e.Refreshes.Load(); n != 1 {
		t.Errorf("%d refreshes", n)
	}
	if most > 2 {
		t.Errorf("%d connections at once", most)
	}
}

func TestAServerThatIsStoppedAndStarted(t *testing.T) {
	t.Parallel()
	pg := pgtest.Start(t, pgserver.Options{})
	dsn := pg.DSN("postgres", pgserver.Superuser)
	pgtest.Exec(t, dsn, usersTable)
	if err := pg.Halt(); err != nil {
		t.Fatal(err)
	}
	e := newExporter(t, dsn, "")
	if s := e.scrape(t, scrapeTimeout); !s.down() {
		t.Errorf("while it is stopped a scrape shows %v", s)
	}
	for _, again := range []func() error{pg.Halt, pg.Kill} {
		if err := pg.Restart(t.Context()); err != nil {
			t.Fatal(err)
		}
		if s := e.scrape(t, scrapeTimeout); !s.healthy() {
			t.Errorf("once it is back a scrape shows %v", s)
		}
		if err := again(); err != nil {
			t.Fatal(err)
		}
		s := e.scrape(t, scrapeTimeout)
		if !s.is("db_up", 0) || len(s.per("softdelete_exporter_check_success", "check")) < 3 {
			t.Errorf("when it is stopped again a scrape shows %v", s)
		}
		if got := s.per("softdelete_total_rows", "relname")["users"]; got != 10 {
			t.Errorf("the last good numbers are not shown: %v", s)
		}
	}
}

// A server that accepts connections and never answers, from the first moment or later.
func TestAServerThatNeverAnswers(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, config    string
		timeout, within time.Duration
	}{
		{"patient scrapes, which ping.timeout bounds", "ping: {timeout: 1s}", scrapeTimeout, 6 * time.Second},
		{"hasty scrapes", "ping: {timeout: 20s}\nscrape: {offset: 2s}", 3 * time.Second, 3 * time.Second},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			front := pgtest.NewFront(t, users(t, pgtest.Shared(t)))
			front.Behave(pgtest.Silent)
			e := newExporter(t, front.DSN, test.config)
			for range 2 {
				began := time.Now()
				if s := e.scrape(t, test.timeout); !s.down() {
					t.Errorf("while it is silent a scrape shows %v", s)
				}
				if took := time.Since(began); took > test.within {
					t.Errorf("the scrape took %s", took)
				}
			}
			front.Behave(pgtest.Forwarding)
			if s := e.scrape(t, scrapeTimeout); !s.is("db_up", 1) {
				t.Errorf("once it answers a scrape shows %v", s)
			}
			pgtest.WaitFor(t, "a healthy scrape", func() bool { return e.scrape(t, test.timeout).healthy() })
			front.Behave(pgtest.Silent)
			if s := e.scrape(t, test.timeout); !s.is("db_up", 0) ||
				len(s.per("softdelete_exporter_check_success", "check")) < 3 {
				t.Errorf("when it is silent again a scrape shows %v", s)
			}
			front.Behave(pgtest.Forwarding)
			if s := e.scrape(t, scrapeTimeout); !s.is("db_up", 1) {
				t.Errorf("once it answers a scrape shows %v", s)
			}
			pgtest.WaitFor(t, "a healthy scrape", func() bool { return e.scrape(t, test.timeout).healthy() })
		})
	}
}

func TestAServerInRecovery(t *testing.T) {
	t.Parallel()
	front := pgtest.NewFront(t, users(t, pgtest.Shared(t)))
	front.Behave(pgtest.Starting)
	e := newExporter(t, front.DSN, "")
	if s := e.scrape(t, scrapeTimeout); !s.down() {
		t.Errorf("while it recovers a scrape shows %v", s)
	}
	front.Behave(pgtest.Forwarding)
	if s := e.scrape(t, scrapeTimeout); !s.healthy() {
		t.Errorf("afterwards a scrape shows %v", s)
	}
}

func TestAPasswordThatIsRefused(t *testing.T) {
	t.Parallel()
	pg := pgtest.Shared(t)
	dsn := users(t, pg)
	pgtest.Exec(t, dsn, fmt.Sprintf(`CREATE ROLE %[1]q LOGIN PASSWORD 'other'; GRANT SELECT ON users TO %[1]q`,
		database(dsn)))
	t.Cleanup(func() { pgtest.Exec(t, dsn, fmt.Sprintf(`DROP OWNED BY %[1]q; DROP ROLE %[1]q`, database(dsn))) })
	if err := pg.AppendHBA(t.Context(), "host all "+database(dsn)+" 127.0.0.1/32 scram-sha-256"); err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	u.User = url.UserPassword(database(dsn), "right")
	e := newExporter(t, u.String(), "")
	if s := e.scrape(t, scrapeTimeout); !s.down() {
		t.Errorf("while it is refused a scrape shows %v", s)
	}
	pgtest.Exec(t, dsn, fmt.Sprintf(`ALTER ROLE %q PASSWORD 'right'`, database(dsn)))
	if s := e.scrape(t, scrapeTimeout); !s.healthy() {
		t.Errorf("once it is accepted a scrape shows %v", s)
	}
}

func TestTooManyConnections(t *testing.T) {
	t.Parallel()
	dsn := users(t, pgtest.Shared(t))
	name := database(dsn)
	pgtest.Exec(t, dsn, fmt.Sprintf(`CREATE ROLE %[1]q LOGIN CONNECTION LIMIT 0; GRANT SELECT ON users TO %[1]q`, name))
	t.Cleanup(func() { pgtest.Exec(t, dsn, fmt.Sprintf(`DROP OWNED BY %[1]q; DROP ROLE %[1]q`, name)) })
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	u.User = url.User(name)
	e := newExporter(t, u.String(), "")
	if s := e.scrape(t, scrapeTimeout); !s.down() {
		t.Errorf("with no connection a scrape shows %v", s)
	}
	pgtest.WaitFor(t, "the refresh to be refused, too", func() bool { return e.Refreshed.Load() == 1 })
	pgtest.Exec(t, dsn, fmt.Sprintf(`ALTER ROLE %q CONNECTION LIMIT 1`, name))
	// The server counts the refused connection until it is gone.
	var s scraped
	pgtest.WaitFor(t, "the ping to get the one connection", func() bool {
		s = e.scrape(t, scrapeTimeout)
		return s.is("db_up", 1)
	})
	if checks := s.per("softdelete_exporter_check_success", "check"); len(checks) < 3 || checks["connect"] != 0 {
		t.Errorf("with one connection a scrape shows %v", s)
	}
	pgtest.Exec(t, dsn, fmt.Sprintf(`ALTER ROLE %q CONNECTION LIMIT 2`, name))
	pgtest.WaitFor(t, "the refresh with two connections", func() bool { return e.scrape(t, scrapeTimeout).healthy() })
}

func TestTerminatedConnectionsAreReopenedInTheSameScrape(t *testing.T) {
	t.Parallel()
	dsn := users(t, pgtest.Shared(t))
	e := newExporter(t, dsn, "")
	for range 3 {
		if s := e.scrape(t, scrapeTimeout); !s.healthy() {
			t.Errorf("a scrape shows %v", s)
		}
		pgtest.Terminate(t, dsn)
	}
}

func TestOneLockedTableOfAThousand(t *testing.T) {
	t.Parallel()
	const tables = 1000
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	pgtest.Exec(t, dsn, `DO $$ BEGIN FOR i IN 1..1000 LOOP
		EXECUTE format('CREATE TABLE t%s AS SELECT CASE WHEN n <= %s THEN now() END AS deleted_at
			FROM generate_series(1, 5) n', i, i % 5);
		IF i % 50 = 0 THEN COMMIT; END IF; -- locks are few
	END LOOP; END $$`)
	// The answer has a thousand tables: a slow machine takes a while to write it.
	e := newExporter(t, dsn, "scrape: {offset: 3s}")
	locked := make(chan struct{})
	unlock, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		hold(t, dsn, "LOCK TABLE t500 IN ACCESS EXCLUSIVE MODE", locked, unlock)
	}()
	<-locked
	refreshed := func(times int64) scraped {
		t.Helper()
		e.scrape(t, scrapeTimeout)
		pgtest.WaitFor(t, "the refresh",
			func() bool { return e.Refreshed.Load() == times }) // usually it has ended by now
		return e.scrape(t, scrapeTimeout)
	}
	s := refreshed(1)
	rows := s.per("softdelete_deleted_rows", "relname")
	if len(rows) != tables-1 || s.per("softdelete_table_problem", "relname")["t500"] != 1 {
		t.Errorf("%d tables are counted, and not all others", len(rows))
	}
	for i := range tables {
		if name := fmt.Sprintf("t%d", i+1); name != "t500" && rows[name] != float64((i+1)%5) {
			t.Errorf("%s has %g deleted rows", name, rows[name])
		}
	}
	close(unlock)
	<-ended
	e.Load = configtest.Loader(t, "scrape: {offset: 2s}")
	if err := e.Reload(); err != nil { // a change makes a refresh due
		t.Fatal(err)
	}
	s = refreshed(2)
	if n := len(s.per("softdelete_deleted_rows", "relname")); n != tables ||
		len(s.per("softdelete_table_problem", "relname")) != 0 {
		t.Errorf("after the lock %d tables are counted", n)
	}
}
