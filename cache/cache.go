// Package cache stands between those who ask and the database that would have to
// answer: one Entry per server keeps its last good Snapshot and its last pings,
// decides when a refresh is due, and lets however many askers share one.
package cache

import (
	"context"
	"sync"
	"time"

	"github.com/go-kit/log"

	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// Source is a server as the cache needs it. Neither function is called again
// before its last call returned; the two may run beside each other.
type Source struct {
	Ping func(context.Context) softdelete.Ping
	// Refresh makes new snapshots out of the one before and publishes them; the
	// last one is complete.
	Refresh func(ctx context.Context, previous *softdelete.Snapshot, publish func(*softdelete.Snapshot))
	// Close ends the connections; neither function is called after it.
	Close func()
}

// Settings are the times that an Entry goes by.
type Settings struct {
	// Datname is the database that the connection string names.
	Datname string
	// TTL is how long a snapshot is served before asking for one starts a new one.
	TTL time.Duration
	// MaxStale is how long numbers that can no longer be confirmed are shown.
	MaxStale time.Duration
	// PingWithRefresh pings only once in a ttl, for servers that a ping keeps awake.
	PingWithRefresh bool
}

// keptPings is how many of the last pings an Entry remembers.
const keptPings = 60

// Entry is the cache of one server.
type Entry struct {
	// Costs are the live counters of what we ask of the server.
	Costs softdelete.Costs

	source   Source
	settings func() Settings
	logger   log.Logger
	// ctx ends with the entry and with it every refresh and ping.
	ctx    context.Context
	cancel context.CancelFunc
	// running counts the detached refresh and ping, for Close to wait for.
	running sync.WaitGroup

	mu       sync.Mutex
	snapshot *softdelete.Snapshot
	// tried is when the last refresh began; failures is how many of the last ones in a row
	// could not connect, or panicked.
	tried    time.Time
	failures int
	// complete tells that a refresh that could connect has come to its end, and that what
	// it found was not too old for showing when the next one began.
	complete bool
	// renew tells that the next refresh is due before the ttl is over.
	renew bool
	// refreshing is closed when the refresh that runs has ended; nil when none runs.
	refreshing chan struct{}
	// pinging is closed when the ping that is out has come back; nil when none is.
	pinging chan struct{}
	// pingEnds is when its first asker's time is over; zero when that has no end.
	pingEnds time.Time
	pings    []softdelete.Ping
	// answered tells that a ping was answered, ever.
	answered bool
}

// Open makes the source of a server, whose queries are added to the given costs.
type Open func(*softdelete.Costs) Source

// New makes the Entry of a server. The settings are asked each time, so that they
// can change.
func New(open Open, settings func() Settings, logger log.Logger) *Entry {
	e := &Entry{settings: settings, logger: logger, snapshot: softdelete.Empty(settings().Datname)}
	e.ctx, e.cancel = context.WithCancel(context.Background())
	e.source = open(&e.Costs)
	return e
}

// Close ends the entry: it stops what runs, waits for it, and closes the source.
func (e *Entry) Close() {
	e.mu.Lock()
	e.cancel()
	e.mu.Unlock()
	e.running.Wait()
	e.source.Close()
}

// start runs a function detached from its asker and returns the channel that is
// closed after it; nil when the entry is closed. The lock is held by the caller.
func (e *Entry) start(run func()) chan struct{} {
	if e.ctx.Err() != nil {
		return nil
	}
	done := make(chan struct{})
	e.running.Add(1)
	go func() {
		defer e.running.Done()
		defer close(done)
		run()
	}()
	return done
}
