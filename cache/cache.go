// Package cache shields the database from requests. One Entry per server keeps its last good Snapshot and its
// last pings, decides when a refresh is due, and lets any number of callers share one refresh.
package cache

import (
	"context"
	"sync"
	"time"

	"github.com/go-kit/log"

	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// Source is a server, as the cache sees it. Neither function is called again before its last call has returned;
// the two may run at the same time.
type Source struct {
	Ping func(context.Context) softdelete.Ping
	// Refresh makes new snapshots from the previous one and publishes them; the last one is complete.
	Refresh func(ctx context.Context, previous *softdelete.Snapshot, publish func(*softdelete.Snapshot))
	// Close closes the connections; neither function is called after it.
	Close func()
}

// Settings are the database and the times of an Entry.
type Settings struct {
	// Datname is the database that the connection string names.
	Datname string
	// TTL is how long a snapshot is served before a request starts a new refresh.
	TTL time.Duration
	// MaxStale is how long numbers that can no longer be confirmed are shown.
	MaxStale time.Duration
	// PingWithRefresh pings only once per ttl, for servers that a ping keeps awake.
	PingWithRefresh bool
}

// keptPings is how many of the last pings an Entry keeps.
const keptPings = 60

// Entry is the cache of one server.
type Entry struct {
	// Costs are the live counters of the queries sent to the server.
	Costs softdelete.Costs

	source   Source
	settings func() Settings
	logger   log.Logger
	// ctx ends with the entry, and ends every refresh and ping.
	ctx    context.Context
	cancel context.CancelFunc
	// running counts the detached refresh and ping; Close waits for them.
	running sync.WaitGroup

	mu       sync.Mutex
	snapshot *softdelete.Snapshot
	// tried is when the last refresh began; failures is how many refreshes in a row could not connect, or
	// panicked.
	tried    time.Time
	failures int
	// complete is true if a refresh that could connect has ended, and its results were not too old to show when
	// the next one began.
	complete bool
	// renew is true if the next refresh is due before the ttl is over.
	renew bool
	// refreshing is closed when the running refresh ends; nil if none runs.
	refreshing chan struct{}
	// pinging is closed when the running ping ends; nil if none runs.
	pinging chan struct{}
	// pingEnds is the deadline of the ping's first caller; zero if it has none.
	pingEnds time.Time
	pings    []softdelete.Ping
	// answered is true if a ping was ever answered.
	answered bool
}

// Open makes the source of a server; its queries are added to the given costs.
type Open func(*softdelete.Costs) Source

// New makes the Entry of a server. It calls settings each time, so that they can change.
func New(open Open, settings func() Settings, logger log.Logger) *Entry {
	e := &Entry{settings: settings, logger: logger, snapshot: softdelete.Empty(settings().Datname)}
	e.ctx, e.cancel = context.WithCancel(context.Background())
	e.source = open(&e.Costs)
	return e
}

// Close ends the entry: it stops a running refresh or ping, waits for it, and closes the source.
func (e *Entry) Close() {
	e.mu.Lock()
	e.cancel()
	e.mu.Unlock()
	e.running.Wait()
	e.source.Close()
}

// start runs a function detached from its caller and returns a channel that is closed afterwards; nil if the
// entry is closed. The caller holds the lock.
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
