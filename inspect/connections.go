package inspect

import (
	"context"
	"fmt"
	"slices"
	"sync"
)

// Connections bounds how many connections the process has open. When there are too
// many, the ping connection that rested longest is closed to make room.
type Connections struct {
	mu   sync.Mutex
	free int
	// resting are the Inspectors whose ping connection is not in use, the one that
	// rests longest first.
	resting []*Inspector
	// freed is closed, and made anew, when a connection ends or comes to rest.
	freed chan struct{}
	// turns are those of the passes. A pass holds its connection long, so that all of
	// them together leave half of the connections to the pings.
	turns chan struct{}
}

// NewConnections allows at most the given number of connections.
func NewConnections(most int) *Connections {
	return &Connections{free: most, freed: make(chan struct{}), turns: make(chan struct{}, max(1, most/2))}
}

// turn waits until one more pass may run. The caller gives the turn back by end.
func (c *Connections) turn(ctx context.Context) (end func(), err error) {
	select {
	case c.turns <- struct{}{}:
		return func() { <-c.turns }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// acquire waits for leave to open a connection.
func (c *Connections) acquire(ctx context.Context) error {
	for {
		c.mu.Lock()
		if c.free > 0 {
			c.free--
			c.mu.Unlock()
			return nil
		}
		freed := c.freed
		var longest *Inspector
		if len(c.resting) > 0 {
			longest, c.resting = c.resting[0], c.resting[1:]
		}
		c.mu.Unlock()

		if longest != nil {
			longest.makeRoom()
			continue
		}
		select {
		case <-freed:
		case <-ctx.Done():
			return fmt.Errorf("all connections are in use; raise limits.connections in the configuration and restart: %w", ctx.Err())
		}
	}
}

// release gives back the leave for a connection that ended.
func (c *Connections) release() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.free++
	c.announce()
}

// rest notes that an Inspector's ping connection is not in use.
func (c *Connections) rest(i *Inspector) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.resting = append(c.resting, i)
	c.announce()
}

// claim notes that it is in use, or about to be closed.
func (c *Connections) claim(i *Inspector) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.resting = slices.DeleteFunc(c.resting, func(r *Inspector) bool { return r == i })
}

func (c *Connections) announce() {
	close(c.freed)
	c.freed = make(chan struct{})
}
