package cache

import (
	"context"
	"time"

	"github.com/go-kit/log/level"

	"github.com/softdelete-exporter/softdelete_exporter/rescue"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// Snapshot returns the last snapshot. If it is older than the ttl, a refresh starts, which continues even if the
// caller leaves. If the server answers, but there is no snapshot yet or the last one is too old to be shown, the
// caller waits for the refresh until its own deadline.
func (e *Entry) Snapshot(ctx context.Context) *softdelete.Snapshot {
	if refreshing, wait := e.look(); wait && refreshing != nil {
		select {
		case <-refreshing:
		case <-ctx.Done():
		}
	}
	return e.Last()
}

// Last returns the last snapshot without asking the server anything, and without the numbers that are too old to be
// shown.
func (e *Entry) Last() *softdelete.Snapshot {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.snapshot = e.snapshot.Expire(time.Now(), e.settings().MaxStale)
	return e.snapshot
}

// look starts a refresh if one is due. It returns the running refresh, and whether to wait for it.
func (e *Entry) look() (refreshing chan struct{}, wait bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.refreshing == nil && e.due() {
		e.tried, e.renew = time.Now(), false
		// After a long pause nothing is left to show, so this refresh is like the first.
		e.complete = e.complete && e.tried.Sub(e.snapshot.Taken) <= e.settings().MaxStale
		e.refreshing = e.start(e.refresh)
	}
	return e.refreshing, !e.complete && e.answers()
}

// Renew makes a refresh due at the next request, because the configuration has changed.
func (e *Entry) Renew() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.renew = true
}

// due reports whether it is time for a refresh: the ttl is over, or the last refresh could not connect and the
// server has come back since. If pings succeed all the time, something else prevents the refresh; it is tried
// again at once, and then after growing pauses.
func (e *Entry) due() bool {
	switch {
	case e.renew || e.tried.IsZero() || time.Since(e.tried) >= e.settings().TTL:
		return true
	case e.failures == 0 || len(e.pings) == 0 || !e.answers():
		return false
	default:
		again := e.tried
		if e.failures > 1 {
			again = again.Add(pause << min(e.failures-2, 10))
		}
		return e.cameBack().After(e.tried) || e.pings[len(e.pings)-1].At.After(again)
	}
}

// pause is how long to wait after a refresh could not connect twice; it doubles after each further failure.
const pause = 5 * time.Second

// cameBack returns when the server first answered again after an unanswered ping; zero if it has not. There
// must be a ping.
func (e *Entry) cameBack() (at time.Time) {
	for n, p := range e.pings[1:] {
		if p.Up && !e.pings[n].Up {
			at = p.At
		}
	}
	return at
}

// answers reports whether the server answered the last ping; it is true before the first ping.
func (e *Entry) answers() bool {
	return len(e.pings) == 0 || e.pings[len(e.pings)-1].Up
}

// refresh runs one refresh and keeps the snapshots that it publishes. A panic counts like a refresh that could
// not connect.
func (e *Entry) refresh() {
	e.mu.Lock()
	previous := e.snapshot
	e.mu.Unlock()
	err := rescue.Catch(func() error {
		e.source.Refresh(e.ctx, previous, func(s *softdelete.Snapshot) {
			e.mu.Lock()
			defer e.mu.Unlock()
			e.snapshot = s
		})
		return nil
	})
	if err != nil {
		rescue.Log(e.logger, err)
		level.Error(e.logger).Log("msg", "refresh failed; the last numbers stay", "err", err)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if err != nil || e.snapshot.Taken.Before(e.tried) {
		e.failures++
	} else {
		e.failures, e.complete = 0, true
	}
	e.refreshing = nil
}
