package inspect

import (
	"strings"
	"testing"

	"github.com/softdelete-exporter/softdelete_exporter/internal/pgserver/pgtest"
	"github.com/softdelete-exporter/softdelete_exporter/queries"
)

// The statement that the report prints for a locked table shows the session that holds the lock.
func TestTheHolderOfALockIsShown(t *testing.T) {
	t.Parallel()
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	pgtest.Exec(t, dsn, deletedAt("locked"))
	m := newMigration(t, dsn)
	m.do("BEGIN; LOCK TABLE locked IN ACCESS EXCLUSIVE MODE")
	statement := strings.TrimSuffix(strings.TrimSpace(queries.LockHolders()), ";")
	shown := pgtest.Value[string](t, dsn, "SELECT concat(locked, ': ', query) FROM ("+statement+") AS s")
	if !strings.HasPrefix(shown, "locked: BEGIN; LOCK TABLE locked") {
		t.Errorf("it shows %q", shown)
	}
	m.do("ROLLBACK")
	if n := pgtest.Value[int](t, dsn, "SELECT count(*)::int FROM ("+statement+") AS s"); n != 0 {
		t.Errorf("without a lock it shows %d sessions", n)
	}
}
