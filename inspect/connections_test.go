package inspect

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-kit/log"
	"github.com/jackc/pgx/v5"

	"github.com/softdelete-exporter/softdelete_exporter/config"
	"github.com/softdelete-exporter/softdelete_exporter/internal/pgserver/pgtest"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// fleet is many targets that share the connections of one process. Its targets are
// one database in truth.
func fleet(t *testing.T, dsn string, targets, connections int) []*Inspector {
	t.Helper()
	c := load(t, fmt.Sprintf("limits: {connections: %d}\nping: {timeout: 5s}", connections))
	shared := NewConnections(connections)
	all := make([]*Inspector, targets)
	for i := range all {
		all[i] = New(Options{
			Config:      func() *config.Config { return c },
			Source:      source(t, dsn),
			Connections: shared,
			Costs:       &softdelete.Costs{},
			Logger:      log.NewNopLogger(),
		})
	}
	t.Cleanup(func() {
		for _, i := range all {
			i.Close()
		}
		if shared.free != connections {
			t.Errorf("%d of %d connections are free after the test", shared.free, connections)
		}
	})
	return all
}

// atMost watches that a count is never larger than allowed, until the function that it
// returns is called.
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

// The connections of ours to one database, and to the whole server, which then must be
// the test's own.
const (
	allOurSessions = `SELECT count(*) FROM pg_stat_activity WHERE application_name = 'softdelete_exporter'`
	ourSessions    = allOurSessions + ` AND datname = current_database()`
)

func TestManyTargetsShareFewConnections(t *testing.T) {
	t.Parallel()
	const targets, connections = 25, 4
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	pgtest.Exec(t, dsn, deletedAt("users"))
	all := fleet(t, dsn, targets, connections)
	stop := atMost(t, dsn, ourSessions, connections)
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
				t.Errorf("a refresh found %q", got)
			}
		})
	}
	running.Wait()
	stop()
}

// Scrapes go round, so that the connection which rested longest is needed next.
func TestThePingConnectionThatCameToRestLastMakesRoom(t *testing.T) {
	t.Parallel()
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	all := fleet(t, dsn, 4, 3)
	for _, test := range []struct {
		ping int
		want string
	}{{0, "+---"}, {1, "++--"}, {2, "+++-"}, {0, "+++-"}, {3, "-+++"}, {0, "+++-"}, {1, "+++-"}, {3, "+-++"}} {
		if p := all[test.ping].Ping(t.Context()); !p.Up {
			t.Fatalf("ping %d: %s", test.ping, p.Err)
		}
		var established string
		for _, i := range all {
			established += map[bool]string{true: "+", false: "-"}[i.pinger != nil]
		}
		if established != test.want {
			t.Errorf("after a ping of %d the established ones are %s, want %s", test.ping, established, test.want)
		}
	}
}

// Of servers that are scraped in turn, no more connect again than must.
func TestMoreServersThanConnectionsSeldomReconnect(t *testing.T) {
	t.Parallel()
	const targets, connections, rounds = 25, 20, 8
	front := pgtest.NewFront(t, pgtest.NewDatabase(t, pgtest.Shared(t)))
	var said strings.Builder // under the lock of SyncLogger
	all := fleet(t, front.DSN, targets, connections)
	shared := all[0].Connections
	logger := log.NewSyncLogger(log.NewLogfmtLogger(&said))
	for _, i := range all {
		i.Logger = logger
	}
	for round := range rounds {
		for n, i := range all {
			if p := i.Ping(t.Context()); !p.Up {
				t.Fatalf("ping %d: %s", n, p.Err)
			}
			if round == 0 && n == connections-1 && shared.Evicted() != 0 {
				t.Error("a connection was closed while there was room")
			}
		}
	}
	again := front.Accepted() - connections
	if most := rounds * 2 * (targets - connections); again > most || again < targets-connections {
		t.Errorf("%d of %d pings had to connect again, want at most %d", again, rounds*targets, most)
	}
	if got := shared.Evicted(); got != int64(again) {
		t.Errorf("%d connections were closed to make room, %d opened again", got, again)
	}
	if text := said.String(); strings.Count(text, "\n") != 1 || !strings.Contains(text, "limits.connections") || !strings.Contains(text, "connections=20") {
		t.Errorf("the log should say once what to do:\n%s", text)
	}
}

// However many tables are being counted, a server that is up must be seen as up.
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
	waitFor(t, "two refreshes to be under way", func() bool { return reached.Load() >= 2 })
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

// A connection that is said to rest can be taken at that very moment: who finds it in
// use passes it over, and may wait in vain.
func TestAPingConnectionThatRestsCanBeTaken(t *testing.T) {
	t.Parallel()
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	i := inspector(t, dsn, "")
	done := make(chan struct{})
	var taking sync.WaitGroup
	taking.Go(func() {
		for {
			select {
			case <-done:
				return
			default:
			}
			i.Connections.mu.Lock()
			if len(i.Connections.resting) > 0 {
				if i.mu.TryLock() {
					i.mu.Unlock()
				} else {
					t.Error("it is in use")
				}
			}
			i.Connections.mu.Unlock()
		}
	})
	for range 400 {
		if p := i.Ping(t.Context()); !p.Up {
			t.Errorf("a ping failed: %s", p.Err)
		}
	}
	close(done)
	taking.Wait()
}

func TestWhoGetsNoConnectionInTimeIsToldWhy(t *testing.T) {
	t.Parallel()
	c := NewConnections(1)
	if err := c.acquire(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if err := c.acquire(ctx); err == nil {
		t.Error("there are two connections")
	}
	c.release()
	if err := c.acquire(t.Context()); err != nil {
		t.Error(err)
	}
}

// A connection that a test or the network broke is given back as well.
func TestALostConnectionIsGivenBack(t *testing.T) {
	t.Parallel()
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	i := inspector(t, dsn, "limits: {connections: 2}")
	for range 5 {
		if p := i.Ping(t.Context()); !p.Up {
			t.Fatalf("the ping failed: %s", p.Err)
		}
		terminate(t, dsn)
	}
}

// terminate ends every session of ours in the database.
func terminate(t *testing.T, dsn string) {
	t.Helper()
	pgtest.Exec(t, dsn, `SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = 'softdelete_exporter' AND datname = current_database()`)
}
