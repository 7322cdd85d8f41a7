package postgres

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-kit/log"
	"github.com/go-kit/log/level"
)

// Connections limits how many connections the process has open. When there are too many, the ping connection
// that has been idle for the shortest time is closed to make room: scrapes go round, so the one idle for the
// longest time is needed next.
type Connections struct {
	most int
	// evicted counts the connections that were closed to make room.
	evicted atomic.Int64

	mu   sync.Mutex
	free int
	// warned is when the log last warned that there are not enough connections.
	warned time.Time
	// idle are the Servers whose ping connection is not in use; the one idle for the longest time comes first.
	idle []*Server
	// freed is closed, and replaced, when a connection ends or becomes idle.
	freed chan struct{}
	// refreshSlots are the connections that refreshes may use. A refresh uses its connection for a long time,
	// so half of the connections are left to the pings.
	refreshSlots chan struct{}
}

// NewConnections allows at most the given number of connections.
func NewConnections(most int) *Connections {
	return &Connections{most: most, free: most, freed: make(chan struct{}),
		refreshSlots: make(chan struct{}, max(1, most/2))}
}

// Free returns how many more connections may be opened.
func (c *Connections) Free() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.free
}

// Evicted returns how many ping connections were closed to make room for others.
func (c *Connections) Evicted() int64 { return c.evicted.Load() }

// AcquireRefreshSlot waits until one more refresh may run. The caller returns the slot by calling end.
func (c *Connections) AcquireRefreshSlot(ctx context.Context) (end func(), err error) {
	select {
	case c.refreshSlots <- struct{}{}:
		return func() { <-c.refreshSlots }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// acquire waits until one more connection may be opened.
func (c *Connections) acquire(ctx context.Context) error {
	for {
		c.mu.Lock()
		if c.free > 0 {
			c.free--
			c.mu.Unlock()
			return nil
		}
		freed := c.freed
		var latest *Server
		if n := len(c.idle); n > 0 {
			latest, c.idle = c.idle[n-1], c.idle[:n-1]
		}
		c.mu.Unlock()

		if latest != nil {
			if latest.closeIdle() {
				c.evicted.Add(1)
				c.warn(latest.Logger)
			}
			continue
		}
		select {
		case <-freed:
		case <-ctx.Done():
			return fmt.Errorf("all connections are in use; raise limits.connections in the configuration and restart: %w",
				ctx.Err())
		}
	}
}

// warnEvery is the shortest interval between two warnings that there are not enough connections.
const warnEvery = time.Hour

// warn logs that there are not enough connections.
func (c *Connections) warn(logger log.Logger) {
	c.mu.Lock()
	due := c.warned.IsZero() || time.Since(c.warned) >= warnEvery
	if due {
		c.warned = time.Now()
	}
	c.mu.Unlock()
	if due {
		level.Warn(logger).Log("msg",
			"there are more servers than connections: a ping connection was closed, and the next ping of its server has "+
				""+"to connect again",
			"connections", c.most, "remedy", "set limits.connections in the configuration to two for each server, and restart")
	}
}

// release returns the slot of a connection that ended.
func (c *Connections) release() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.free++
	c.announce()
}

// markIdle records that a Server's ping connection is not in use.
func (c *Connections) markIdle(s *Server) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.idle = append(c.idle, s)
	c.announce()
}

// markBusy records that it is in use, or about to be closed.
func (c *Connections) markBusy(s *Server) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.idle = slices.DeleteFunc(c.idle, func(r *Server) bool { return r == s })
}

func (c *Connections) announce() {
	close(c.freed)
	c.freed = make(chan struct{})
}
