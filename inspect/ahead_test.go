package inspect

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/softdelete-exporter/softdelete_exporter/internal/pgserver"
	"github.com/softdelete-exporter/softdelete_exporter/internal/pgserver/pgtest"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// many creates tables t0001, t0002 and so on, and returns what a refresh tells about them.
func many(t *testing.T, dsn string, tables int) map[string]string {
	t.Helper()
	pgtest.Exec(t, dsn, fmt.Sprintf(`DO $$ BEGIN FOR n IN 1..%d LOOP
		EXECUTE format('CREATE TABLE t%%s AS SELECT i AS id,
			CASE WHEN i <= 4 THEN now() - i * interval ''50 days'' END AS deleted_at FROM generate_series(1, 10) i',
			lpad(n::text, 4, '0'));
		END LOOP; END $$`, tables))
	want := map[string]string{}
	for n := range tables {
		want[fmt.Sprintf("public.t%04d", n+1)] = "10 4 3"
	}
	return want
}

// A locked table, a slow one, an empty one, one that is too large to be counted, one with a policy and one whose index
// fails change nothing for a thousand others whose counts are under way with theirs.
func TestOneOfAThousandTablesConcernsNoOther(t *testing.T) {
	t.Parallel()
	server := pgtest.Start(t, pgserver.Options{Version: "15", Settings: map[string]string{
		"max_locks_per_transaction": "1024"}})
	dsn := server.DSN("postgres", superuser)
	want := many(t, dsn, 1000)
	pgtest.Exec(t, dsn, `CREATE ROLE watcher LOGIN IN ROLE pg_read_all_data;
		CREATE FUNCTION sleeps() RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS
			$$BEGIN IF current_user = 'watcher' THEN PERFORM pg_catalog.pg_sleep(100); END IF; RETURN true; END$$;
		CREATE FUNCTION fails() RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS
			$$BEGIN IF current_user = 'watcher' THEN RAISE 'no'; END IF; RETURN true; END$$;
		CREATE INDEX ON t0300 (id) WHERE sleeps(); CREATE INDEX ON t0301 (id) WHERE fails();
		ALTER TABLE t0400 ENABLE ROW LEVEL SECURITY; CREATE POLICY all_rows ON t0400 USING (true);
		INSERT INTO t0500 SELECT i, NULL FROM generate_series(1, 100000) i; ANALYZE t0500;
		TRUNCATE t0999`)
	want["public.t0200"], want["public.t0300"], want["public.t0301"] = "locked", "timeout", "error"
	want["public.t0999"] = "0 0 0"
	delete(want, "public.t0500")
	newMigration(t, dsn).do("BEGIN; LOCK TABLE t0200 IN ACCESS EXCLUSIVE MODE")
	i := inspector(t, server.DSN("postgres", "watcher"),
		"limits: {statement_timeout: 3s}\ncounting: {exact_max_bytes: 128kB, blocks: 100}")
	s := discovered(t, i)
	got := told(s)
	delete(got, "public.t0500")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if m := method(tableNamed(t, s, "t0500")); m != "sampled" {
		t.Errorf("the large table is %s", m)
	}
	if got := checks(s)["postgres"]; got != passed {
		t.Errorf("checks = %+v", got)
	}
}

// Over a slow network the tables share the way to the server and back.
func TestManyTablesShareTheWay(t *testing.T) {
	t.Parallel()
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	const tables = 300
	want := many(t, dsn, tables)
	front := pgtest.NewFront(t, dsn)
	front.Behave(pgtest.Slow)
	i := inspector(t, front.DSN, "limits: {statement_timeout: 20s}")
	began := time.Now()
	s := first(t, i)
	if diff := cmp.Diff(want, told(s)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	// One after another they would take a minute: 200 ms each.
	if took := time.Since(began); took > tables*200*time.Millisecond/2 {
		t.Errorf("it took %s", took)
	}
}

// turns makes a refresh in which something happens when a table's turn to be counted comes.
func turns(t *testing.T, i *Inspector, previous *softdelete.Snapshot,
	at func(r *refresh, table string)) (last *softdelete.Snapshot) {
	t.Helper()
	r := i.newRefresh(previous, func(s *softdelete.Snapshot) { last = s })
	i.each = func(step, table string) {
		if step == "count" {
			at(r, table)
		}
	}
	defer func() { i.each = nil }()
	r.run(t.Context())
	return last
}

// When the budget ends, the counts that are under way are used, and all others wait.
func TestABudgetThatEndsWhileCountsAreUnderWay(t *testing.T) {
	t.Parallel()
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	const tables = 40
	many(t, dsn, tables)
	i := inspector(t, dsn, "")
	s := turns(t, i, empty(t, i), func(r *refresh, table string) {
		if table == "t0003" {
			r.budget.deadline = time.Now()
		}
	})
	counted, waiting := 0, 0
	for n, table := range s.Databases[0].Tables {
		switch {
		case table.Numbers != nil && told(s)["public."+table.Name] == "10 4 3" && !table.Waiting:
			counted++
		case table.Waiting && table.State() == softdelete.Pending:
			waiting++
		default:
			t.Errorf("%s: %+v", table.Name, table)
		}
		if n < 4 && table.Numbers == nil {
			t.Errorf("%s was under way and was not counted", table.Name)
		}
	}
	if counted > 20 || counted+waiting != tables {
		t.Errorf("%d are counted, %d wait", counted, waiting)
	}
	next := refreshAfter(t, i, s, nil)
	for name, got := range told(next) {
		if got != "10 4 3" {
			t.Errorf("%s has no turn at the next refresh: %s", name, got)
		}
	}
}

// The table at which the connection is lost need not be the cause: the answers before it may be lost, too. So the
// tables that were under way are counted one by one, and only one that then costs the connection again has a problem.
func TestALostConnectionIsTheProblemOfOneTable(t *testing.T) {
	t.Parallel()
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	const tables = 60
	want := many(t, dsn, tables)
	pgtest.Exec(t, dsn, fmt.Sprintf(`ALTER DATABASE %q SET deadlock_timeout = '60s'`, database(t, dsn)))
	i := inspector(t, dsn, "limits: {lock_timeout: 20s, statement_timeout: 30s}")
	m := newMigration(t, dsn)
	m.do("BEGIN; LOCK TABLE t0020 IN ACCESS EXCLUSIVE MODE")
	made := behind(t, i, empty(t, i))
	waitForLock(t, dsn)
	pgtest.Terminate(t, dsn)
	waitForLock(t, dsn)
	locks := pgtest.Value[int](t, dsn, `SELECT count(*) FROM pg_locks WHERE locktype = 'relation' AND granted
		AND relation::regclass::text ~ '^t[0-9]' AND pid IN (SELECT pid FROM pg_stat_activity WHERE
		application_name = 'softdelete_exporter')`)
	pgtest.Terminate(t, dsn)
	s := <-made
	for n, table := range s.Databases[0].Tables {
		switch got := told(s)["public."+table.Name]; {
		case n < 19 && got != "10 4 3", n == 19 && got != "error", n > 19 && got != "pending":
			t.Errorf("%s: %s", table.Name, got)
		}
		if (table.Failures > 0) != (n == 19) {
			t.Errorf("%s failed %d times", table.Name, table.Failures)
		}
	}
	if locks != 0 {
		t.Errorf("we held %d locks while we waited", locks)
	}
	m.do("COMMIT")
	if diff := cmp.Diff(want, told(refreshAfter(t, i, s, nil))); diff != "" {
		t.Errorf("at the next refresh (-want +got):\n%s", diff)
	}
}

// A restart of the server is nobody's problem, however many counts were under way. A table that crashes it every time
// is found, because tables that may be the cause are counted one by one.
func TestOnlyTheTableThatCrashesTheServerIsToBlame(t *testing.T) {
	t.Parallel()
	server := pgtest.Start(t, pgserver.Options{})
	dsn := server.DSN("postgres", superuser)
	const tables = 12
	want := many(t, dsn, tables)
	pgtest.Exec(t, dsn, "ALTER ROLE "+superuser+" SET deadlock_timeout = '5min'")
	i := inspector(t, dsn, "limits: {lock_timeout: 4m, statement_timeout: 5m}")
	s := empty(t, i)
	for crash := range 3 {
		newMigration(t, dsn).do("BEGIN; LOCK TABLE t0006 IN ACCESS EXCLUSIVE MODE")
		made := behind(t, i, s)
		waitForLock(t, dsn)
		if err := server.Kill(); err != nil {
			t.Fatal(err)
		}
		s = <-made
		blamed := []string{}
		for _, table := range s.Databases[0].Tables {
			if table.Problem != nil {
				blamed = append(blamed, table.Name)
			}
			if failures := table.Failures; table.Name == "t0006" && failures != crash+1 ||
				table.Name != "t0006" && (failures > 1 || failures == 1 && table.Numbers != nil) {
				t.Errorf("after crash %d %s has %d failures", crash+1, table.Name, failures)
			}
			if crash == 0 && table.Name == "t0007" && table.Failures != 1 {
				t.Error("t0007 was under way, too, but is not counted by itself next time")
			}
		}
		if got := strings.Join(blamed, " "); (got != "t0006" || crash < 2) && (got != "" || crash == 2) {
			t.Errorf("after crash %d these have a problem: %q", crash+1, got)
		}
		if err := server.Restart(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	want["public.t0006"] = "error" // it pauses
	if diff := cmp.Diff(want, told(refreshAfter(t, i, s, nil))); diff != "" {
		t.Errorf("at last (-want +got):\n%s", diff)
	}
}

// A table after which something has to be asked takes the answers of the others out of the way.
func TestAPanicAmidCountsUnderWayConcernsOneTable(t *testing.T) {
	t.Parallel()
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	want := many(t, dsn, 30)
	i := inspector(t, dsn, "")
	s := turns(t, i, empty(t, i), func(_ *refresh, table string) {
		if table == "t0010" {
			panic("on purpose")
		}
	})
	want["public.t0010"] = "error"
	if diff := cmp.Diff(want, told(s)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := checks(s)[database(t, dsn)]; got != passed {
		t.Errorf("checks = %+v", got)
	}
}

// The role reads 'C:\' as an unfinished string, and the names and values of others are what they are.
func TestCountsUnderWayWhereABackslashEscapes(t *testing.T) {
	t.Parallel()
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	pgtest.Exec(t, dsn, `CREATE TABLE "C:\" ("it's \" text DEFAULT 'C:\');
		CREATE INDEX ON "C:\" (("it's \" || 'C:\')) WHERE "it's \" <> 'C:\';
		INSERT INTO "C:\" VALUES ('C:\'), ('gone\'), ('''; DROP TABLE users; --'), ('\''; DROP TABLE users; --');`+
		deletedAt("users")+deletedAt("others"))
	pgtest.Exec(t, dsn, fmt.Sprintf(`ALTER DATABASE %q SET standard_conforming_strings = off`, database(t, dsn)))
	i := inspector(t, dsn, `
tables:
  - {table: 'C:\', column: "it's \\", deleted_values: ['gone\', "'; DROP TABLE users; --", "\\'; DROP TABLE users; --"]}
`)
	want := map[string]string{`public.C:\`: "4 3 -", "public.users": "10 4 3", "public.others": "10 4 3"}
	s := first(t, i)
	if diff := cmp.Diff(want, told(s)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if x := tableNamed(t, s, `C:\`).Indexing; x == nil || len(x.Indexes) != 1 || !strings.Contains(x.Indexes[0].Predicate,
		`'C:\'`) {
		t.Errorf("its index is %+v", x)
	}
}

// If the connection is lost a second time, it must be clear at which table.
func TestNothingIsAskedAheadAfterALostConnection(t *testing.T) {
	t.Parallel()
	var ahead lookahead
	ahead.before(&databaseRefresh{reopened: true}, 0, 1, func(int) bool {
		t.Error("it is")
		return true
	})
}

// What is asked about all tables at once needs few round trips. Over a slow network they are easy to count.
func TestTheFixedQuestionsShareTheWay(t *testing.T) {
	t.Parallel()
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	pgtest.Exec(t, dsn, "CREATE TABLE users (id int PRIMARY KEY, deleted_at timestamptz)")
	settled(t, dsn)
	front := pgtest.NewFront(t, dsn)
	i := inspector(t, front.DSN, "")
	s := first(t, i)
	front.Delay(200 * time.Millisecond)
	before := front.Turns()
	s = refreshAfter(t, i, s, nil)
	if got := checks(s)[database(t, dsn)]; got != passed {
		t.Errorf("checks = %+v", got)
	}
	// Of connecting, of the server with what the last refresh asked, of the indexes, and the farewell.
	if turns := front.Turns() - before; turns > 5 {
		t.Errorf("a refresh of an unchanged database took %d round trips", turns)
	}
}
