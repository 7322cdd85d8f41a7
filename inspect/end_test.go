package inspect

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/go-kit/log"

	"github.com/softdelete-exporter/softdelete_exporter/internal/pgserver"
	"github.com/softdelete-exporter/softdelete_exporter/internal/pgserver/pgtest"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// A refresh that is told to end fails in whatever it is doing. That is not an error to log.
func TestARefreshThatIsToldToEndLogsNothing(t *testing.T) {
	t.Parallel()
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	pgtest.Exec(t, dsn, family+deletedAt("users")+`CREATE INDEX ON users (id) WHERE deleted_at IS NULL;
		CREATE TABLE flags (id int, is_deleted int, deleted varchar(3)); ANALYZE`)
	i := inspector(t, dsn, "integrity: true")
	var mu sync.Mutex
	var lines [][]any
	i.Logger = log.LoggerFunc(func(line ...any) error {
		mu.Lock()
		defer mu.Unlock()
		lines = append(lines, line)
		return nil
	})
	began := time.Now()
	first(t, i)
	took := time.Since(began)
	const moments = 40
	for n := range moments {
		ctx, cancel := context.WithTimeout(t.Context(), took*time.Duration(n)/moments)
		i.Refresh(ctx, empty(t, i), func(*softdelete.Snapshot) {})
		cancel()
	}
	if len(lines) > 0 {
		t.Errorf("%d lines, the first is %v", len(lines), lines[0])
	}
}

// If the server stops while a table is counted or checked, that is not a problem of the table.
func TestAServerThatStopsIsNoTablesProblem(t *testing.T) {
	t.Parallel()
	halt, kill := (*pgserver.Server).Halt, (*pgserver.Server).Kill
	for _, test := range []struct {
		name, locked string
		stop         func(*pgserver.Server) error
	}{
		{"in good order while it counts", "children", halt},
		{"by a crash while it counts", "children", kill},
		// The parents have not changed, so only the check of the children waits for the lock.
		{"while it checks", "parents", halt},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			server := pgtest.Start(t, pgserver.Options{})
			dsn := server.DSN("postgres", superuser)
			pgtest.Exec(t, dsn, family+"UPDATE parents SET deleted_at = '2020-01-01' WHERE id = 2")
			settled(t, dsn)
			i := inspector(t, dsn, "limits: {lock_timeout: 4m, statement_timeout: 5m}\nintegrity: true")
			s := first(t, i)
			pgtest.Exec(t, dsn, "INSERT INTO children VALUES (5, 2, NULL); ALTER ROLE "+superuser+
				" SET deadlock_timeout = '5min'")
			settled(t, dsn)
			newMigration(t, dsn).do("BEGIN; LOCK TABLE " + test.locked + " IN ACCESS EXCLUSIVE MODE")
			made := behind(t, i, s)
			waitForLock(t, dsn)
			if err := test.stop(server); err != nil {
				t.Fatal(err)
			}
			s = <-made
			for _, table := range s.Databases[0].Tables {
				if table.Problem != nil || table.Numbers == nil {
					t.Errorf("%s while the server is down: problem %v, numbers %v", table.Name, table.Problem, table.Numbers)
				}
				for _, c := range table.Integrity {
					if c.Problem != nil {
						t.Errorf("%s while the server is down: %s: %v", table.Name, c.Constraint, c.Problem)
					}
				}
			}
			if got := checks(s)["postgres"]; got.Connect {
				t.Errorf("checks = %+v", got)
			}
			if err := server.Restart(t.Context()); err != nil {
				t.Fatal(err)
			}
			if got := told(refreshAfter(t, i, s, nil))["public.children"]; got != "5 1 0" {
				t.Errorf("after the restart the table is %q", got)
			}
		})
	}
}
