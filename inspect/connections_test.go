package inspect

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-kit/log"
	"github.com/jackc/pgx/v5"

	"github.com/softdelete-exporter/softdelete_exporter/config"
	"github.com/softdelete-exporter/softdelete_exporter/internal/pgserver/pgtest"
	"github.com/softdelete-exporter/softdelete_exporter/postgres"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// fleet makes many targets that share the connections of one process. They are really one database.
func fleet(t *testing.T, dsn string, targets, connections int) []*Inspector {
	t.Helper()
	c := load(t, fmt.Sprintf("limits: {connections: %d, statement_timeout: 1m}\nping: {timeout: 1m}", connections))
	shared := postgres.NewConnections(connections)
	all := make([]*Inspector, targets)
	for i := range all {
		all[i] = New(func() *config.Config { return c }, postgres.NewServer(postgres.Options{
			Source:      source(t, dsn),
			Connections: shared,
			Costs:       &softdelete.Costs{},
			Logger:      log.NewNopLogger(),
		}))
	}
	t.Cleanup(func() {
		for _, i := range all {
			i.Close()
		}
		if free := shared.Free(); free != connections {
			t.Errorf("%d of %d connections are free after the test", free, connections)
		}
	})
	return all
}

// atMost checks that a count never exceeds a limit, until the returned function is called.
func atMost(t *testing.T, dsn, count string, allowed int) (stop func()) {
	t.Helper()
	observer, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	var watching sync.WaitGroup
	watching.Go(func() {
		defer observer.Close(context.Background())
		for {
			select {
			case <-done:
				return
			case <-time.After(time.Millisecond):
			}
			var n int
			if err := observer.QueryRow(context.Background(), count).Scan(&n); err != nil || n > allowed {
				t.Errorf("%d of what may be there %d times (%v): %s", n, allowed, err, count)
				return
			}
		}
	})
	return func() {
		close(done)
		watching.Wait()
	}
}

func TestManyTargetsShareFewConnections(t *testing.T) {
	t.Parallel()
	const targets, connections = 25, 4
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	pgtest.Exec(t, dsn, deletedAt("users"))
	all := fleet(t, dsn, targets, connections)
	stop := atMost(t, dsn, pgtest.OurSessions, connections)
	var running sync.WaitGroup
	for _, i := range all {
		running.Go(func() {
			for range 5 {
				if ping := i.Ping(t.Context()); !ping.Up {
					t.Errorf("a ping failed: %s", ping.Err)
				}
			}
		})
		running.Go(func() {
			var last *softdelete.Snapshot
			i.Refresh(t.Context(), softdelete.Empty("none"), func(s *softdelete.Snapshot) { last = s })
			if got := told(last)["public.users"]; got != "10 4 3" {
				t.Errorf("a refresh found %q, with the problem %v", got, last.Databases[0].Problem)
			}
		})
	}
	running.Wait()
	stop()
}

// However many tables are being counted, a server that is up is shown as up.
func TestRefreshesLeaveRoomForPings(t *testing.T) {
	t.Parallel()
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	all := fleet(t, dsn, 6, 4)
	var reached atomic.Int64
	goOn := make(chan struct{})
	var running sync.WaitGroup
	for _, i := range all[:5] {
		running.Go(func() {
			i.Refresh(t.Context(), softdelete.Empty("none"), func(*softdelete.Snapshot) {
				reached.Add(1)
				<-goOn
			})
		})
	}
	pgtest.WaitFor(t, "two refreshes to be under way", func() bool { return reached.Load() >= 2 })
	for _, i := range all {
		if p := i.Ping(t.Context()); !p.Up {
			t.Errorf("a ping failed while tables were counted: %s", p.Err)
		}
	}
	if n := reached.Load(); n > 2 {
		t.Error("more than half of the connections are used for refreshes")
	}
	close(goOn)
	running.Wait()
}
