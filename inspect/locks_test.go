package inspect

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/softdelete-exporter/softdelete_exporter/internal/pgserver/pgtest"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// migration is another session that takes locks.
type migration struct {
	t    *testing.T
	conn *pgx.Conn
}

func newMigration(t *testing.T, dsn string) migration {
	t.Helper()
	return migration{t, pgtest.Connect(t, dsn)}
}

// do runs statements.
func (m migration) do(sql string) {
	m.t.Helper()
	if _, err := m.conn.PgConn().Exec(m.t.Context(), sql).ReadAll(); err != nil {
		m.t.Errorf("the migration died: %s: %v", sql, err)
	}
}

// behind starts a refresh and returns a channel for its result.
func behind(t *testing.T, i *Inspector, previous *softdelete.Snapshot) <-chan *softdelete.Snapshot {
	t.Helper()
	made := make(chan *softdelete.Snapshot, 1)
	go func() {
		var last *softdelete.Snapshot
		i.Refresh(t.Context(), previous, func(s *softdelete.Snapshot) { last = s })
		made <- last
	}()
	return made
}

// parted creates a partitioned table with three partitions that is counted through the parent, because the role has
// no grants on the partitions: one statement, many locks.
func parted(role string) string {
	return fmt.Sprintf(`
		CREATE TABLE parted (id int, deleted_at timestamptz) PARTITION BY LIST (id);
		CREATE TABLE parted_1 PARTITION OF parted FOR VALUES IN (1);
		CREATE TABLE parted_2 PARTITION OF parted FOR VALUES IN (2);
		CREATE TABLE parted_3 PARTITION OF parted FOR VALUES IN (3);
		INSERT INTO parted SELECT 1 + i %% 3,
			CASE WHEN i <= 4 THEN now() - i * interval '50 days' END FROM generate_series(1, 10) i;
		GRANT SELECT (deleted_at) ON parted TO %q;`, role)
}

// The exporter holds the parent and waits for a partition; the migration holds the partition and wants the parent.
// PostgreSQL cancels the session that detects a deadlock, and that must not be the migration.
func TestAMigrationSurvivesADeadlockWithUs(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, deadlockTimeout, lockTimeout string
		pause                              time.Duration
	}{
		{"at once", "1s", "300ms", 0},
		// The exporter's own deadlock check is over by then, so the migration would detect it.
		{"when we have waited for long", "1s", "300ms", 1300 * time.Millisecond},
		{"where the setting is longer than the server's", "600ms", "5s", 800 * time.Millisecond},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
			name, its := role(t, dsn)
			pgtest.Exec(t, dsn, parted(name)+fmt.Sprintf(`ALTER DATABASE %q SET deadlock_timeout = '%s'`, name,
				test.deadlockTimeout))
			i := inspector(t, its, "limits: {lock_timeout: "+test.lockTimeout+", statement_timeout: 10s}")
			m := newMigration(t, dsn)
			m.do("BEGIN; LOCK TABLE parted_2 IN ACCESS EXCLUSIVE MODE")
			made := behind(t, i, empty(t, i))
			waitForLock(t, dsn)
			time.Sleep(test.pause)
			m.do("LOCK TABLE parted IN ACCESS EXCLUSIVE MODE")
			if got := told(<-made)["public.parted"]; got != "locked" {
				t.Errorf("the table is %q, want it given up as locked", got)
			}
			m.do("COMMIT")
			m.conn.Close(t.Context())
			if n := settles(t, dsn, "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"); n != 0 {
				t.Error("there was a deadlock: it was by luck that the migration survived")
			}
		})
	}
}

// No query about all tables waits for the lock of one table.
func TestALockedTableHidesNoOther(t *testing.T) {
	t.Parallel()
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	pgtest.Exec(t, dsn, deletedAt("users")+deletedAt("orders")+`
		ALTER TABLE orders ADD PRIMARY KEY (id), ADD CHECK (id > 0), ALTER deleted_at SET DEFAULT NULL;
		CREATE INDEX ON orders (id) WHERE deleted_at IS NULL;
		CREATE TABLE parted (id int, deleted_at timestamptz) PARTITION BY LIST (id);
		CREATE TABLE parted_1 PARTITION OF parted FOR VALUES IN (1);
		CREATE TABLE parted_2 PARTITION OF parted FOR VALUES IN (2)`)
	i := inspector(t, dsn, "")
	m := newMigration(t, dsn)
	m.do("BEGIN; LOCK TABLE orders IN ACCESS EXCLUSIVE MODE; LOCK TABLE ONLY parted_2 IN ACCESS EXCLUSIVE MODE")
	s := first(t, i)
	want := map[string]string{"public.users": "10 4 3", "public.orders": "locked", "public.parted": "locked"}
	if diff := cmp.Diff(want, told(s)); diff != "" {
		t.Errorf("while locked (-want +got):\n%s", diff)
	}
	if got := checks(s)[database(t, dsn)]; got != passed {
		t.Errorf("checks = %+v", got)
	}
	m.do("COMMIT")
	want = map[string]string{"public.users": "10 4 3", "public.orders": "10 4 3", "public.parted": "0 0 0"}
	if diff := cmp.Diff(want, told(refreshAfter(t, i, s, nil))); diff != "" {
		t.Errorf("at the next refresh (-want +got):\n%s", diff)
	}
}

// A failure never replaces results: the last good numbers stay, with their age.
func TestALockedTableKeepsItsLastNumbers(t *testing.T) {
	t.Parallel()
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	pgtest.Exec(t, dsn, deletedAt("users"))
	i := inspector(t, dsn, "limits: {lock_timeout: 20ms, statement_timeout: 10s}\ncounting: {recount_after: 1ms}")
	s := first(t, i)
	m := newMigration(t, dsn)
	m.do("BEGIN; LOCK TABLE users IN ACCESS EXCLUSIVE MODE; DELETE FROM users WHERE id > 9")
	locked := s
	for range 5 { // a lock never causes a pause
		locked = refreshAfter(t, i, locked, nil)
	}
	before, after := tableNamed(t, s, "users"), tableNamed(t, locked, "users")
	if got := told(locked)["public.users"]; got != "10 4 3 locked" || !after.Checked.Equal(before.Checked) {
		t.Errorf("while locked: %q, checked %s, before %s", got, after.Checked, before.Checked)
	}
	if gone := locked.Expire(after.Checked.Add(time.Hour), 50*time.Minute); told(gone)["public.users"] != "locked" {
		t.Errorf("after max_stale: %q", told(gone)["public.users"])
	}
	m.do("COMMIT")
	if got := told(refreshAfter(t, i, locked, nil))["public.users"]; got != "9 4 3" {
		t.Errorf("at the next refresh: %q", got)
	}
}

// While the exporter waits for one lock, it holds no other that a migration could wait for.
func TestWeHoldOneLockAtATime(t *testing.T) {
	t.Parallel()
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	pgtest.Exec(t, dsn, deletedAt("a")+deletedAt("b")+deletedAt("d")+`
		CREATE TABLE c (id int, deleted_at timestamptz) PARTITION BY LIST (id);
		CREATE TABLE c_1 PARTITION OF c FOR VALUES IN (1);
		CREATE TABLE c_2 PARTITION OF c FOR VALUES IN (2);
		INSERT INTO c VALUES (1, now()), (2, NULL)`)
	for _, locked := range []string{"b", "c_2"} {
		i := inspector(t, dsn, "limits: {lock_timeout: 20s, statement_timeout: 30s}")
		holder, other := newMigration(t, dsn), newMigration(t, dsn)
		pgtest.Exec(t, dsn, fmt.Sprintf(`ALTER DATABASE %q SET deadlock_timeout = '60s'`,
			database(t, dsn))) // otherwise the exporter lowers its own
		holder.do("BEGIN; LOCK TABLE ONLY " + locked + " IN ACCESS EXCLUSIVE MODE")
		made := behind(t, i, empty(t, i))
		waitForLock(t, dsn)
		other.do("SET lock_timeout = '3s'")
		for _, name := range []string{"a", "b", "c", "c_1", "c_2", "d"} {
			if name != locked {
				other.do("BEGIN; LOCK TABLE ONLY " + name + " IN ACCESS EXCLUSIVE MODE; COMMIT")
			}
		}
		holder.do("COMMIT")
		want := map[string]string{"public.a": "10 4 3", "public.b": "10 4 3", "public.c": "2 1 0", "public.d": "10 4 3"}
		if diff := cmp.Diff(want, told(<-made)); diff != "" {
			t.Errorf("with %s locked for a while (-want +got):\n%s", locked, diff)
		}
	}
}

// Another session waits for at most one statement of the exporter, not for the refresh.
func TestNobodyWaitsLongBehindARefresh(t *testing.T) {
	t.Parallel()
	const tables = 200
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	var sql strings.Builder
	for n := range tables {
		sql.WriteString(deletedAt(fmt.Sprintf("t%03d", n)))
	}
	pgtest.Exec(t, dsn, sql.String())
	i := inspector(t, dsn, "")
	m := newMigration(t, dsn)
	stop := atMost(t, dsn,
		`SELECT count(DISTINCT relation) FROM pg_locks JOIN pg_stat_activity USING (pid) JOIN pg_class c ON c.oid = relation
		WHERE application_name = 'softdelete_exporter' AND datname = current_database()
			AND relnamespace = 'public'::regnamespace AND relkind = 'r'`, 1)
	made := behind(t, i, empty(t, i))
	for n := range tables {
		m.do(fmt.Sprintf("ALTER TABLE t%03d ADD COLUMN note text", n))
	}
	s := <-made
	stop()
	for name, got := range told(s) {
		if got != "10 4 3" && got != "locked" {
			t.Errorf("%s: %q", name, got)
		}
	}
}
