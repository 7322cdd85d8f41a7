package inspect

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/softdelete-exporter/softdelete_exporter/internal/pgserver"
	"github.com/softdelete-exporter/softdelete_exporter/internal/pgserver/pgtest"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

func TestStandby(t *testing.T) {
	t.Parallel()
	// The default isolation is serializable, which a standby rejects.
	primary := pgtest.Start(t,
		pgserver.Options{Settings: map[string]string{"default_transaction_isolation": "serializable", "autovacuum": "off"}})
	pgtest.Exec(t, primary.DSN("postgres", superuser), deletedAt("users")+deletedAt("busy")+`
		CREATE UNLOGGED TABLE unlogged AS SELECT * FROM users;
		CREATE TABLE parted (id int, deleted_at timestamptz) PARTITION BY LIST (id);
		CREATE TABLE parted_1 PARTITION OF parted FOR VALUES IN (1);
		CREATE UNLOGGED TABLE parted_2 PARTITION OF parted FOR VALUES IN (2)`)
	standby := pgtest.Standby(t, primary, pgserver.Options{Settings: map[string]string{
		"max_standby_streaming_delay": "10ms",
		"deadlock_timeout":            "60s", // otherwise the exporter lowers its lock_timeout
	}})
	t.Run("is read like a primary, but for unlogged tables", func(t *testing.T) { readStandby(t, primary, standby) })
	t.Run("is preferred, wherever it stands in the list", func(t *testing.T) { preferred(t, primary, standby) })
	t.Run("conflicts with recovery are retried", func(t *testing.T) { conflictWithRecovery(t, primary, standby) })
}

// catchUp waits until the standby has replayed everything.
func catchUp(t *testing.T, primary, standby *pgserver.Server) {
	t.Helper()
	written := pgtest.Value[string](t, primary.DSN("postgres", superuser), "SELECT pg_current_wal_flush_lsn()::text")
	pgtest.WaitFor(t, "the standby to catch up", func() bool {
		return pgtest.Value[bool](t, readable(standby), "SELECT pg_last_wal_replay_lsn() >= $1::text::pg_lsn", written)
	})
}

// readable returns how the test itself connects to the standby.
func readable(standby *pgserver.Server) string {
	return standby.DSN("postgres", superuser) + "&default_transaction_isolation=read%20committed"
}

// preferred connects to the standby if there is one, and otherwise to the primary.
func preferred(t *testing.T, primary, standby *pgserver.Server) {
	for _, test := range []struct {
		ports, wanted string
		standby       bool
	}{
		{fmt.Sprintf("%d,%d", primary.Port, standby.Port), "prefer-standby", true},
		{fmt.Sprintf("%d,%d", standby.Port, primary.Port), "primary", false},
		{fmt.Sprintf("%d,%d", primary.Port, primary.Port), "prefer-standby", false},
	} {
		dsn := fmt.Sprintf(
			"host=127.0.0.1,127.0.0.1 port=%s target_session_attrs=%s user=%s dbname=postgres sslmode=disable", test.ports,
			test.wanted, superuser)
		s := newSession(t, dsn, "")
		role := softdelete.Primary
		if test.standby {
			role = softdelete.Standby
		}
		if got := inspector(t, dsn, "").Ping(t.Context()).Server; got == nil || got.Role != role {
			t.Errorf("%s of ports %s: the ping asked %+v", test.wanted, test.ports, got)
		}
		if s.Standby != test.standby {
			t.Errorf("%s of ports %s: connected to a standby: %t", test.wanted, test.ports, s.Standby)
		}
	}
}

func readStandby(t *testing.T, primary, standby *pgserver.Server) {
	i := inspector(t, standby.DSN("postgres", superuser), "")
	if p := i.Ping(t.Context()); !p.Up {
		t.Errorf("ping: %s", p.Err)
	}
	s := first(t, i)
	want := map[string]string{"public.users": "10 4 3", "public.busy": "10 4 3", "public.unlogged": "unsupported",
		"public.parted": "unsupported"}
	if diff := cmp.Diff(want, told(s)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if p := tableNamed(t, s, "unlogged").Problem; p == nil || p.Remedy == "" {
		t.Errorf("no remedy is told: %v", p)
	}
	// Its counters do not change, which proves nothing.
	pgtest.Exec(t, primary.DSN("postgres", superuser), "DELETE FROM users WHERE id > 8")
	catchUp(t, primary, standby)
	want["public.users"] = "8 4 3"
	if diff := cmp.Diff(want, told(refreshAfter(t, i, s, nil))); diff != "" {
		t.Errorf("after a change (-want +got):\n%s", diff)
	}
}

// Recovery cancels the exporter's query on the standby: it holds the parent while it waits for a partition, and the
// primary locks the parent.
func conflictWithRecovery(t *testing.T, primary, standby *pgserver.Server) {
	on := primary.DSN("postgres", superuser)
	pgtest.Exec(t, on, "DROP TABLE parted; CREATE ROLE watcher LOGIN;"+parted("watcher"))
	catchUp(t, primary, standby)
	i := inspector(t, standby.DSN("postgres", "watcher"),
		"limits: {lock_timeout: 20s, statement_timeout: 30s}\ndiscovery: {include: ['public\\.parted']}")

	holder := newMigration(t, on)
	holder.do("BEGIN; LOCK TABLE parted_2 IN ACCESS EXCLUSIVE MODE")
	pgtest.Exec(t, on, "DELETE FROM users WHERE id = 8") // a commit sends the lock to the standby
	catchUp(t, primary, standby)
	made := behind(t, i, empty(t, i))
	waitForLock(t, readable(standby))
	pgtest.Exec(t, on, "LOCK TABLE ONLY parted IN ACCESS EXCLUSIVE MODE; DELETE FROM users WHERE id = 7")
	catchUp(t, primary, standby)
	waitForLock(t, readable(standby))
	holder.do("COMMIT")

	if got := told(<-made)["public.parted"]; got != "10 4 3" {
		t.Errorf("the table is %q", got)
	}
	if n := pgtest.Value[int](t, readable(standby),
		"SELECT confl_lock FROM pg_stat_database_conflicts WHERE datname = 'postgres'"); n == 0 {
		t.Error("there was no conflict, so nothing was tried again")
	}
}
