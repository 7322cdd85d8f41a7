package inspect

import (
	"bytes"
	"cmp"
	"fmt"
	"strings"
	"testing"

	"github.com/go-kit/log"

	"github.com/softdelete-exporter/softdelete_exporter/internal/pgserver/pgtest"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// twoTables have everything that a refresh reads.
const twoTables = `CREATE TABLE good AS SELECT i AS id, i <= 4 AS is_deleted,
	CASE WHEN i <= 4 THEN now() END AS deleted_at FROM generate_series(1, 10) i;
	CREATE TABLE bad (id int, is_deleted bool, deleted_at timestamptz NOT NULL DEFAULT 'infinity');
		INSERT INTO bad SELECT id, is_deleted, coalesce(deleted_at, 'infinity') FROM good;
	CREATE INDEX ON good (lower(id::text)) WHERE deleted_at IS NULL;
		CREATE INDEX ON bad (lower(id::text)) WHERE deleted_at IS NULL`

// Wherever a panic happens, the other table is not affected, and the next refresh succeeds.
func TestAPanicCostsTheTableThatItHappensTo(t *testing.T) {
	t.Parallel()
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	pgtest.Exec(t, dsn, twoTables)
	for _, test := range []struct {
		step, table string
		// first and later describe the table in the first refresh and in a later one.
		first, later string
	}{
		{"needs", "bad", "error", "10 4 0 error"},
		{"columns", "bad", "error", "10 4 0"}, // this query runs only once
		{"rules", "bad", "error", "10 4 0 error"},
		{"partitions", "bad", "error", "10 4 0 error"},
		{"count", "bad", "error", "10 4 0 error"},
		{"check", "bad", "10 4 0", "10 4 0"},
		{"indexes", "bad", "10 4 0 error", "10 4 0 error"},
		{"expressions", "bad", "10 4 0 error", "10 4 0 error"},
		{"trial", "bad", "10 4 0 error", "10 4 0 error"},
		{"counting", "", "pending", "10 4 0"},
		{"checks", "", "10 4 0", "10 4 0"},
		{"indexes", "", "10 4 0", "10 4 0"},
		{"purges", "", "10 4 0", "10 4 0"},
	} {
		t.Run(test.step+" "+test.table, func(t *testing.T) {
			t.Parallel()
			i := inspector(t, dsn, "integrity: true")
			var out bytes.Buffer
			i.Logger = log.NewLogfmtLogger(log.NewSyncWriter(&out))
			panics := true
			i.each = func(step, table string) {
				if panics && step == test.step && table == test.table {
					panic("in a test")
				}
			}
			s := first(t, i)
			check := func(when, bad string) {
				t.Helper()
				good := "10 4 0"
				if test.step == "counting" && bad == "pending" {
					good = bad
				}
				if got := told(s); got["public.good"] != good || got["public.bad"] != bad {
					t.Errorf("%s: %v", when, got)
				}
			}
			check("first", test.first)
			if test.step == "check" {
				if p := tableNamed(t, s, "bad").Integrity[0].Problem; p == nil || p.Reason != softdelete.OtherError {
					t.Errorf("the problem of the check is %+v", p)
				}
			}
			panics = false
			s = refreshAfter(t, i, s, nil)
			check("healed", "10 4 0")
			indexed := tableNamed(t, s, "bad").Indexing
			if indexed == nil || len(indexed.Indexes) != 1 || indexed.Indexes[0].Keys[0].Expression == "" {
				t.Errorf("the indexes are %+v", indexed)
			}
			panics = true
			s = refreshAfter(t, i, s, nil)
			check("later", test.later)
			if tableNamed(t, s, "bad").Indexing == nil {
				t.Error("what was known of the indexes is gone")
			}
			for range 3 {
				s = refreshAfter(t, i, s, nil)
			}
			if stacks := strings.Count(out.String(), "stack="); stacks > 1 {
				t.Errorf("the log has %d stacks", stacks)
			}
		})
	}
}

func TestAPanicInDiscoveryLeavesTheTablesAsTheyAre(t *testing.T) {
	t.Parallel()
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	pgtest.Exec(t, dsn, deletedAt("users"))
	i := inspector(t, dsn, "")
	s := first(t, i)
	i.each = func(step, _ string) {
		if step == "discovery" {
			panic("in a test")
		}
	}
	s = refreshAfter(t, i, s, nil)
	d := s.Databases[0]
	if got := told(s)["public.users"]; got != "10 4 3" || d.Checks.Discovery || d.Problem == nil ||
		!strings.Contains(d.Problem.Message, "in a test") {
		t.Errorf("%s, %+v, %+v", got, d.Checks, d.Problem)
	}
}

func TestAPanicInOneDatabaseLeavesTheOthersAlone(t *testing.T) {
	t.Parallel()
	one, two := pgtest.NewDatabase(t, pgtest.Shared(t)), pgtest.NewDatabase(t, pgtest.Shared(t))
	names := []string{database(t, one), database(t, two)}
	for _, dsn := range []string{one, two} {
		pgtest.Exec(t, dsn, deletedAt("users"))
	}
	i := inspector(t, one, fmt.Sprintf("databases: {names: [%s, %s]}", names[0], names[1]))
	calls := 0
	s := refreshAfter(t, i, empty(t, i), func(*softdelete.Snapshot) {
		if calls++; calls == 1 {
			panic("while the first is published")
		}
	})
	failed := 0
	for _, d := range s.Databases {
		if d.Problem != nil {
			failed++
		} else if got := told(s)[d.Name+": public.users"]; got != "10 4 3" {
			t.Errorf("of the other database is told %q", got)
		}
	}
	if failed != 1 || len(s.Databases) != 2 {
		t.Errorf("%d of %d databases failed: %v", failed, len(s.Databases), told(s))
	}
}

// panicking is a logger that panics at one message.
type panicking string

// Log implements log.Logger.
func (p panicking) Log(keyvals ...any) error {
	for _, k := range keyvals {
		if text, ok := k.(string); ok && strings.HasPrefix(text, string(p)) {
			panic("at " + text)
		}
	}
	return nil
}

// The test ends by checking that no connection is left.
func TestAPanicWhileConnectingLeavesNoConnection(t *testing.T) {
	t.Parallel()
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	pgtest.Exec(t, dsn, fmt.Sprintf(`ALTER DATABASE %q SET deadlock_timeout = 50`, database(t, dsn)))
	i := inspector(t, dsn, "")
	i.Logger = panicking("lock_timeout lowered")
	if s := first(t, i); s.Databases[0].Problem == nil || s.Databases[0].Checks.Connect {
		t.Errorf("%+v", s.Databases[0])
	}
	if n := pgtest.Sessions(t, dsn); n != 0 {
		t.Errorf("%d connections are left", n)
	}
}

// A table can be dropped at any time, and the catalogs then have no row for it.
func TestATableThatIsDroppedBeforeItsStatisticsAreRead(t *testing.T) {
	t.Parallel()
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	pgtest.Exec(t, dsn, deletedAt("users")+deletedAt("other")+"ANALYZE users, other")
	i := inspector(t, dsn, "tables: [{table: users, method: statistics}]")
	dropped := false
	s := refreshAfter(t, i, empty(t, i), func(*softdelete.Snapshot) {
		if !dropped {
			dropped = true
			pgtest.Exec(t, dsn, "DROP TABLE users")
		}
	})
	if got := told(s); got["public.other"] != "10 4 3" || strings.Contains(got["public.users"], "10") {
		t.Errorf("%v", got)
	}
	if p := tableNamed(t, s, "users").Problem; p == nil ||
		strings.Contains(cmp.Or(p.Message, "panic"), "fault of the exporter") {
		t.Errorf("the problem is %+v", p)
	}
}
