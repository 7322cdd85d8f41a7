package cache

import (
	"context"
	"time"

	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// Snapshot returns what is known. If that is older than the ttl, a refresh starts,
// which goes on when the asker leaves. Only while nothing is known yet, and the
// server answers, does the asker wait for it, up to its deadline.
func (e *Entry) Snapshot(ctx context.Context) *softdelete.Snapshot {
	e.mu.Lock()
	if e.refreshing == nil && e.due() {
		e.tried, e.renew = time.Now(), false
		e.refreshing = e.start(e.refresh)
	}
	refreshing, wait := e.refreshing, !e.complete && e.answers()
	e.mu.Unlock()

	if wait && refreshing != nil {
		select {
		case <-refreshing:
		case <-ctx.Done():
		}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.snapshot = e.snapshot.Expire(time.Now(), e.settings().MaxStale)
	return e.snapshot
}

// Renew makes a refresh due at the next look, because what it would find has
// changed: the configuration.
func (e *Entry) Renew() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.renew = true
}

// due tells whether it is time for a refresh: the ttl is over, or the last one
// could not connect and the server has answered a ping since.
func (e *Entry) due() bool {
	if e.renew || e.tried.IsZero() || time.Since(e.tried) >= e.settings().TTL {
		return true
	}
	return !e.connected && len(e.pings) > 0 && e.answers() && e.pings[len(e.pings)-1].At.After(e.tried)
}

// answers tells whether the server answered the last ping; before the first, that
// it may.
func (e *Entry) answers() bool {
	return len(e.pings) == 0 || e.pings[len(e.pings)-1].Up
}

// refresh runs one refresh and keeps what it publishes.
func (e *Entry) refresh() {
	e.mu.Lock()
	previous := e.snapshot
	e.mu.Unlock()
	e.source.Refresh(e.ctx, previous, func(s *softdelete.Snapshot) {
		e.mu.Lock()
		defer e.mu.Unlock()
		e.snapshot = s
	})
	e.mu.Lock()
	defer e.mu.Unlock()
	e.connected = !e.snapshot.Taken.Before(e.tried)
	e.complete = e.complete || e.connected
	e.refreshing = nil
}
