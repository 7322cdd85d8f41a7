package inspect

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/softdelete-exporter/softdelete_exporter/internal/pgserver/pgtest"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// Changes between discovery and counting, with the results of this refresh and of the next one. The table is called
// t; another table must never be affected.
func TestChangesInMidRefresh(t *testing.T) {
	t.Parallel()
	const absent = ""
	const partitioned = `
		CREATE TABLE t (id int, deleted_at timestamptz) PARTITION BY LIST (id);
		CREATE TABLE t_1 PARTITION OF t FOR VALUES IN (1); CREATE TABLE t_2 PARTITION OF t FOR VALUES IN (2);
		INSERT INTO t VALUES (1, NULL), (1, now()), (2, now());`
	for _, test := range []struct {
		name, schema, change, this, next string
	}{
		{"dropped", deletedAt("t"), "DROP TABLE t", absent, absent},
		{"renamed", deletedAt("t"), "ALTER TABLE t RENAME TO other", absent, absent},
		{"moved to another schema", deletedAt("t"), "CREATE SCHEMA s; ALTER TABLE t SET SCHEMA s", absent, absent},
		{"made anew", deletedAt("t"), "DROP TABLE t; " + deletedAt("t") + "DELETE FROM t WHERE id > 8", "8 4 3", "8 4 3"},
		{"marker dropped", deletedAt("t"), "ALTER TABLE t DROP deleted_at", "marker_missing", absent},
		{"marker renamed", deletedAt("t"), "ALTER TABLE t RENAME deleted_at TO deleted_on", "marker_missing", "10 4 3"},
		{"marker dropped and added", deletedAt("t"),
			"ALTER TABLE t DROP deleted_at; ALTER TABLE t ADD deleted_at timestamptz", "10 0 0", "10 0 0"},
		{"grant revoked", deletedAt("t") + "GRANT SELECT ON t TO watcher", "REVOKE SELECT ON t FROM watcher",
			"permission_denied", "permission_denied"},
		{"policy added", deletedAt("t") + "GRANT SELECT ON t TO watcher", "ALTER TABLE t ENABLE ROW LEVEL SECURITY",
			"row_security", "row_security"},
		{"partition dropped", partitioned, "DROP TABLE t_1", "1 1 0", "1 1 0"},
		{"partition detached", partitioned, "ALTER TABLE t DETACH PARTITION t_2; DROP TABLE t_2", "2 1 0", "2 1 0"},
		{"partition renamed", partitioned, "ALTER TABLE t_1 RENAME TO t_9", "3 2 0", "3 2 0"},
		{"partitioned table dropped", partitioned, "DROP TABLE t", absent, absent},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
			name, its := role(t, dsn)
			if test.this != "permission_denied" && test.this != "row_security" {
				its = dsn
			}
			as := func(sql string) string { return asRole(sql, name) }
			pgtest.Exec(t, dsn, as(deletedAt("users")+"GRANT SELECT ON users TO watcher;"+test.schema))
			i := inspector(t, its, "")
			changed := false
			s := refreshAfter(t, i, empty(t, i), func(*softdelete.Snapshot) {
				if !changed {
					changed = true
					pgtest.Exec(t, dsn, as(test.change))
				}
			})
			for n, want := range []string{test.this, test.next} {
				if got := told(s); got["public.t"] != want || got["public.users"] != "10 4 3" {
					t.Errorf("refresh %d: %v, want %q", n+1, got, want)
				}
				s = refreshAfter(t, i, s, nil)
			}
		})
	}
}

// If the same changes happen between two refreshes, no old number remains.
func TestChangesBetweenRefreshes(t *testing.T) {
	t.Parallel()
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	var sql string
	for _, name := range []string{"dropped", "renamed", "anew", "unmarked", "remarked", "retyped"} {
		sql += deletedAt(name)
	}
	pgtest.Exec(t, dsn, sql)
	i := inspector(t, dsn, "")
	s := first(t, i)
	pgtest.Exec(t, dsn, `
		DROP TABLE dropped;
		ALTER TABLE renamed RENAME TO new_name;
		DROP TABLE anew; CREATE TABLE anew (id int, deleted_at timestamptz);
		ALTER TABLE unmarked DROP deleted_at;
		ALTER TABLE remarked DROP deleted_at; ALTER TABLE remarked ADD deleted_at timestamptz;
		ALTER TABLE retyped ALTER deleted_at TYPE timestamp`)
	pending := refreshUntilDiscovered(t, i, s)
	want := map[string]string{"public.new_name": "pending", "public.anew": "pending", "public.remarked": "10 4 3",
		"public.retyped": "pending"}
	if diff := cmp.Diff(want, told(pending)); diff != "" {
		t.Errorf("after discovery (-want +got):\n%s", diff)
	}
	want = map[string]string{"public.new_name": "10 4 3", "public.anew": "0 0 0", "public.remarked": "10 0 0",
		"public.retyped": "10 4 3"}
	if diff := cmp.Diff(want, told(refreshAfter(t, i, s, nil))); diff != "" {
		t.Errorf("after the refresh (-want +got):\n%s", diff)
	}
}

// refreshUntilDiscovered returns the first Snapshot that a refresh publishes.
func refreshUntilDiscovered(t *testing.T, i *Inspector,
	previous *softdelete.Snapshot) (discovered *softdelete.Snapshot) {
	t.Helper()
	refreshAfter(t, i, previous, func(s *softdelete.Snapshot) {
		if discovered == nil {
			discovered = s
		}
	})
	return discovered
}

// Tables that come and go all the time do not prevent the discovery of the others.
func TestDiscoveryInTheMidstOfChanges(t *testing.T) {
	t.Parallel()
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	pgtest.Exec(t, dsn, deletedAt("users")+`CREATE TABLE parted (id int, deleted_at timestamptz) PARTITION BY LIST (id);`)
	busy := newMigration(t, dsn)
	done := make(chan struct{})
	var changing sync.WaitGroup
	changing.Go(func() {
		for n := 0; ; n++ {
			select {
			case <-done:
				return
			default:
				busy.do(fmt.Sprintf(`CREATE TABLE brief_%[1]d (deleted_at timestamptz);
					CREATE TABLE part_%[1]d PARTITION OF parted FOR VALUES IN (%[1]d)`, n))
				busy.do(fmt.Sprintf(`DROP TABLE brief_%[1]d; DROP TABLE part_%[1]d`, n))
			}
		}
	})
	i := inspector(t, dsn, "")
	s := empty(t, i)
	for end := time.Now().Add(2 * time.Second); time.Now().Before(end); {
		s = refreshAfter(t, i, s, nil)
		if d := s.Databases[0]; !d.Checks.Discovery || told(s)["public.users"] != "10 4 3" {
			t.Fatalf("checks %+v: %v", d.Checks, told(s))
		}
		for name, got := range told(s) {
			// A partition can disappear again while it is looked up, or be locked.
			if name != "public.users" && name != "public.parted" && got != "0 0 0" {
				t.Errorf("%s is %q", name, got)
			}
		}
	}
	close(done)
	changing.Wait()
}

func TestAConnectionThatIsTerminatedCostsNothing(t *testing.T) {
	t.Parallel()
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	pgtest.Exec(t, dsn, deletedAt("a")+deletedAt("b")+deletedAt("c"))
	i := inspector(t, dsn, "")
	if p := i.Ping(t.Context()); !p.Up {
		t.Fatal(p.Err)
	}
	once := false
	s := refreshAfter(t, i, empty(t, i), func(*softdelete.Snapshot) {
		if !once {
			once = true
			pgtest.Terminate(t, dsn) // this also ends the ping's session
		}
	})
	want := map[string]string{"public.a": "10 4 3", "public.b": "10 4 3", "public.c": "10 4 3"}
	if diff := cmp.Diff(want, told(s)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := checks(s)[database(t, dsn)]; got != passed {
		t.Errorf("checks = %+v", got)
	}
	if p := i.Ping(t.Context()); !p.Up {
		t.Errorf("the ping did not reopen its connection: %s", p.Err)
	}
}

// A table whose count breaks the connection every time does not keep the others from their turn.
func TestATableThatAlwaysCostsTheConnection(t *testing.T) {
	t.Parallel()
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	pgtest.Exec(t, dsn, deletedAt("a")+deletedAt("b")+deletedAt("c"))
	i := inspector(t, dsn, "limits: {lock_timeout: 20s, statement_timeout: 30s}")
	m := newMigration(t, dsn)
	pgtest.Exec(t, dsn, fmt.Sprintf(`ALTER DATABASE %q SET deadlock_timeout = '60s'`, database(t, dsn)))
	m.do("BEGIN; LOCK TABLE b IN ACCESS EXCLUSIVE MODE")
	s := empty(t, i)
	for range 3 {
		made := behind(t, i, s)
		for range 2 {
			waitForLock(t, dsn)
			pgtest.Terminate(t, dsn)
		}
		s = <-made
		if got := told(s); got["public.a"] != "10 4 3" || got["public.b"] != "error" {
			t.Errorf("%v", got)
		}
	}
	// It pauses now.
	want := map[string]string{"public.a": "10 4 3", "public.b": "error", "public.c": "10 4 3"}
	if diff := cmp.Diff(want, told(refreshAfter(t, i, s, nil))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
