package inspect

import (
	"fmt"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/softdelete-exporter/softdelete_exporter/internal/pgserver"
	"github.com/softdelete-exporter/softdelete_exporter/internal/pgserver/pgtest"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// settled waits until the counters include all writes.
func settled(t *testing.T, dsn string) {
	t.Helper()
	settles(t, dsn, "SELECT COALESCE(sum(n_tup_ins + n_tup_upd + n_tup_del), 0)::int8 FROM pg_stat_user_tables")
}

// settles returns the value of a counter when it includes all writes: a session reports its writes when it ends, and
// before version 15 to a collector that is late.
func settles(t *testing.T, dsn, counter string) (last int64) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	value := func(sql string) (n int64) {
		if err := conn.QueryRow(t.Context(), sql).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	pgtest.WaitFor(t, "the other sessions to end", func() bool {
		return value(
			`SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND backend_type = 'client backend'
			AND pid <> pg_backend_pid() AND application_name NOT IN ('softdelete_exporter', '`+pgtest.ApplicationName+`')`) == 0
	})
	late := time.Duration(0)
	if value("SELECT current_setting('server_version_num')::int8") < 150000 {
		late = time.Second
	}
	since := time.Now()
	last = value(counter)
	pgtest.WaitFor(t, "the counters", func() bool {
		if now := value(counter); now != last {
			last, since = now, time.Now()
		}
		return time.Since(since) >= late
	})
	return last
}

// counted reports whether a table was counted between two Snapshots.
func counted(before, after softdelete.Table) bool { return after.Counted.After(before.Counted) }

// An unchanged table is not counted again, and its numbers count as confirmed. Each part of the fingerprint is
// needed: a change of it, and in most cases only that, is tested here.
func TestWhatDidNotChangeIsNotCountedAgain(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, before, change, want string
		unchanged                  bool
	}{
		{name: "nothing", want: "10 4 3", unchanged: true},
		{name: "analyzed", change: "ANALYZE users", want: "10 4 3", unchanged: true},
		{name: "inserted", change: "INSERT INTO users VALUES (11)", want: "11 4 3"},
		{name: "updated", change: "UPDATE users SET deleted_at = now() WHERE id = 10", want: "10 5 3"},
		{name: "deleted", change: "DELETE FROM users WHERE id = 10", want: "9 4 3"},
		{name: "truncated", change: "TRUNCATE users", want: "0 0 0"},
		{name: "column dropped and added",
			change: "ALTER TABLE users DROP deleted_at; ALTER TABLE users ADD deleted_at timestamptz", want: "10 0 0"},
		{name: "another type, no rewrite",
			change: "CREATE DOMAIN moment AS timestamptz; ALTER TABLE users ALTER deleted_at TYPE moment", want: "10 4 3"},
		{name: "partition attached", want: "3 2 0",
			before: `DROP TABLE users; CREATE TABLE users (id int, deleted_at timestamptz) PARTITION BY LIST (id);
				CREATE TABLE users_1 PARTITION OF users FOR VALUES IN (1); INSERT INTO users VALUES (1, now());
				CREATE TABLE users_2 (id int, deleted_at timestamptz); INSERT INTO users_2 VALUES (2, now()), (2, NULL)`,
			change: "ALTER TABLE users ATTACH PARTITION users_2 FOR VALUES IN (2)"},
		{name: "counters reset", change: "SELECT pg_stat_reset(); INSERT INTO users " + tenRows, want: "20 8 6"},
		{name: "a standby, or nothing counted", before: "ALTER DATABASE :db SET track_counts = off", want: "10 4 3"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
			pgtest.Exec(t, dsn, deletedAt("users"))
			if test.before != "" {
				pgtest.Exec(t, dsn, replaceDB(t, dsn, test.before))
			}
			settled(t, dsn)
			i := inspector(t, dsn, "")
			s := first(t, i)
			if test.change != "" {
				pgtest.Exec(t, dsn, test.change)
				settled(t, dsn)
			}
			before, next := tableNamed(t, s, "users"), refreshAfter(t, i, s, nil)
			after := tableNamed(t, next, "users")
			if got := told(next)["public.users"]; got != test.want {
				t.Errorf("the table is %q, want %q", got, test.want)
			}
			if counted(before, after) == test.unchanged {
				t.Errorf("counted again: %t", !test.unchanged)
			}
			if !after.Checked.After(before.Checked) {
				t.Error("it is not known to be true since")
			}
		})
	}
}

// The counters of another server, or of the same server after a restart, prove nothing. A crash sets them to zero,
// and then as many rows may be written as before.
func TestACrashIsNoProofThatNothingChanged(t *testing.T) {
	t.Parallel()
	server := pgtest.Start(t, pgserver.Options{})
	dsn := server.DSN("postgres", superuser)
	pgtest.Exec(t, dsn, deletedAt("users"))
	settled(t, dsn)
	i := inspector(t, dsn, "")
	last := first(t, i)
	if err := server.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	s := refreshAfter(t, i, last, nil)
	if !counted(tableNamed(t, last, "users"), tableNamed(t, s, "users")) {
		t.Error("the counters of before the restart were believed")
	}
	// Killing a backend resets the counters but does not restart the postmaster.
	victim, witness := pgtest.Connect(t, dsn), pgtest.Connect(t, dsn)
	started := pgtest.Value[time.Time](t, dsn, "SELECT pg_postmaster_start_time()")
	if err := syscall.Kill(int(victim.PgConn().PID()), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	// Until the server has noticed, it serves other clients as before.
	pgtest.WaitFor(t, "the crash", func() bool { return witness.Ping(t.Context()) != nil })
	pgtest.WaitFor(t, "recovery", func() bool {
		conn, err := pgx.Connect(t.Context(), dsn)
		return err == nil && conn.Close(t.Context()) == nil
	})
	if now := pgtest.Value[time.Time](t, dsn, "SELECT pg_postmaster_start_time()"); !now.Equal(started) {
		t.Fatal("the test restarted the server")
	}
	pgtest.Exec(t, dsn, "INSERT INTO users "+tenRows)
	settled(t, dsn)
	if next := refreshAfter(t, i, s, nil); !counted(tableNamed(t, s, "users"), tableNamed(t, next, "users")) {
		t.Error("the counters of before the crash were believed")
	}
}

// Changes that the counters do not show are found after recount_after at the latest.
func TestRecountAfterBoundsEveryError(t *testing.T) {
	t.Parallel()
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	pgtest.Exec(t, dsn, deletedAt("users"))
	settled(t, dsn)
	i := inspector(t, dsn, "counting: {recount_after: 6h}")
	s := first(t, i)
	// This session counts nothing, so no counter shows its change.
	pgtest.Exec(t, dsn, "SET track_counts = off; DELETE FROM users WHERE id = 10")
	if got := told(refreshAfter(t, i, s, nil))["public.users"]; got != "10 4 3" {
		t.Fatalf("the test does not hide the change: %s", got)
	}
	users := &s.Databases[0].Tables[0]
	users.Counted = users.Counted.Add(-6 * time.Hour)
	if got := told(refreshAfter(t, i, s, nil))["public.users"]; got != "9 4 3" {
		t.Errorf("after recount_after: %s", got)
	}
}

// later returns a Snapshot as if some time had passed since: some tables with rows that were deleted since then, as
// no counter shows.
func later(t *testing.T, dsn string, s *softdelete.Snapshot, by time.Duration, tables ...string) *softdelete.Snapshot {
	t.Helper()
	d := s.Databases[0]
	d.Tables = slices.Clone(d.Tables)
	for i := range d.Tables {
		x := &d.Tables[i]
		if !slices.Contains(tables, x.Name) {
			continue
		}
		pgtest.Exec(t, dsn,
			fmt.Sprintf(
				"SET track_counts = off; UPDATE %s SET deleted_at = deleted_at - interval '%s' WHERE deleted_at > now() - "+
					"interval '%[2]s'", x.Name, by))
		kept := x.Kept()
		if !kept.NextChange.IsZero() {
			kept.NextChange = kept.NextChange.Add(-by)
		}
		x.Counting, x.Counted, x.Checked = &kept, x.Counted.Add(-by), x.Checked.Add(-by)
	}
	return &softdelete.Snapshot{Taken: s.Taken, Databases: []softdelete.Database{d}}
}

// With time alone, rows become old, and others are no longer recent.
func TestTimeAloneChangesOldAndRecent(t *testing.T) {
	t.Parallel()
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	pgtest.Exec(t, dsn,
		`CREATE TABLE users (deleted_at timestamptz); INSERT INTO users VALUES (now()), (now() - interval '1 day'), (NULL)`)
	settled(t, dsn)
	i := inspector(t, dsn, "defaults: {retention: 80m}\ncounting: {recent_window: 90m}")
	s := first(t, i)
	n := tableNamed(t, s, "users").Numbers
	if n.Old.Value != 1 || n.Recent == nil || n.Recent.Value != 1 {
		t.Fatalf("at first %+v, recent %+v", n.Old, n.Recent)
	}
	s = refreshAfter(t, i, later(t, dsn, s, 100*time.Minute, "users"), nil)
	if n := tableNamed(t, s, "users").Numbers; n.Old.Value != 2 || n.Recent.Value != 0 {
		t.Errorf("later %+v, recent %+v", n.Old, n.Recent)
	}
	last := tableNamed(t, s, "users")
	if counted(last, tableNamed(t, refreshAfter(t, i, s, nil), "users")) {
		t.Error("it is counted although nothing can change any more")
	}
}

// replaceDB inserts the name of the database into a statement.
func replaceDB(t *testing.T, dsn, sql string) string {
	t.Helper()
	return strings.ReplaceAll(sql, ":db", pgx.Identifier{database(t, dsn)}.Sanitize())
}
