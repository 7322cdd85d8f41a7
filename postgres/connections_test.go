package postgres

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-kit/log"

	"github.com/softdelete-exporter/softdelete_exporter/internal/pgserver/pgtest"
)

// Scrapes go round, so the connection that has been idle for the longest time is needed next.
func TestThePingConnectionThatCameToRestLastMakesRoom(t *testing.T) {
	t.Parallel()
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	all := fleet(t, dsn, 4, 3)
	for _, test := range []struct {
		ping int
		want string
	}{{0, "+---"}, {1, "++--"}, {2, "+++-"}, {0, "+++-"}, {3, "-+++"}, {0, "+++-"}, {1, "+++-"}, {3, "+-++"}} {
		if p := all[test.ping].Ping(t.Context(), inTime); !p.Up {
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

// If servers are scraped in turn, no more of them reconnect than necessary.
func TestMoreServersThanConnectionsSeldomReconnect(t *testing.T) {
	t.Parallel()
	const targets, connections, rounds = 25, 20, 8
	front := pgtest.NewFront(t, pgtest.NewDatabase(t, pgtest.Shared(t)))
	var said strings.Builder // guarded by the lock of SyncLogger
	all := fleet(t, front.DSN, targets, connections)
	shared := all[0].Connections
	logger := log.NewSyncLogger(log.NewLogfmtLogger(&said))
	for _, i := range all {
		i.Logger = logger
	}
	for round := range rounds {
		for n, i := range all {
			if p := i.Ping(t.Context(), inTime); !p.Up {
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
	if text := said.String(); strings.Count(text, "\n") != 1 || !strings.Contains(text, "limits.connections") ||
		!strings.Contains(text, "connections=20") {
		t.Errorf("the log should say once what to do:\n%s", text)
	}
}

// An idle connection can be taken at any moment. Code that finds it in use skips it, and may then wait for another
// one in vain.
func TestAPingConnectionThatRestsCanBeTaken(t *testing.T) {
	t.Parallel()
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	i := newServer(t, dsn)
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
			if len(i.Connections.idle) > 0 {
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
		if p := i.Ping(t.Context(), inTime); !p.Up {
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

// A connection that a test or the network broke is released as well.
func TestALostConnectionIsGivenBack(t *testing.T) {
	t.Parallel()
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	i := fleet(t, dsn, 1, 2)[0]
	for range 5 {
		if p := i.Ping(t.Context(), inTime); !p.Up {
			t.Fatalf("the ping failed: %s", p.Err)
		}
		pgtest.Terminate(t, dsn)
	}
}
