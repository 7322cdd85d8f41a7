package cache

import (
	"context"
	"slices"
	"time"

	"github.com/softdelete-exporter/softdelete_exporter/rescue"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// Ping pings the server, joins a running ping, or returns a ping not older than maxAge. It returns at the
// caller's deadline at the latest; if the ping has not ended by then, the server is not up.
func (e *Entry) Ping(ctx context.Context, maxAge time.Duration) softdelete.Ping {
	asked := time.Now()
	if last, found := e.recent(asked, maxAge); found {
		return last
	}
	for {
		e.mu.Lock()
		mine := e.pinging == nil
		if mine {
			e.ping(ctx)
		}
		pinging, ends := e.pinging, e.pingEnds
		e.mu.Unlock()
		select {
		case <-pinging:
			e.mu.Lock()
			p := e.pings[len(e.pings)-1]
			e.mu.Unlock()
			// It was cancelled because another caller's time was over, so it says nothing to this one.
			givenUp := !p.Up && !mine && !ends.IsZero() && !time.Now().Before(ends)
			if !givenUp || ctx.Err() != nil {
				return p
			}
		case <-ctx.Done():
			return softdelete.Ping{At: asked, Err: "no answer in time"}
		}
	}
}

// leastPing is the least time that a ping gets, even if its caller has less. A cancelled ping costs the server a
// new connection, and callers could cause that as often as they like.
const leastPing = 500 * time.Millisecond

// recent returns the last ping, if it is not older than maxAge.
func (e *Entry) recent(now time.Time, maxAge time.Duration) (last softdelete.Ping, found bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.pings) == 0 {
		return last, false
	}
	last = e.pings[len(e.pings)-1]
	if settings := e.settings(); settings.PingWithRefresh && last.Up { // a failure is not kept
		maxAge = max(maxAge, settings.TTL)
	}
	return last, now.Sub(last.At) < maxAge
}

// ping sends a ping. It ends at its first caller's deadline, but not when that caller leaves: others may have
// joined. The caller holds the lock.
func (e *Entry) ping(asker context.Context) {
	ctx, cancel := e.ctx, context.CancelFunc(func() {})
	ends, bounded := asker.Deadline()
	if bounded {
		if least := time.Now().Add(leastPing); ends.Before(least) {
			ends = least
		}
		ctx, cancel = context.WithDeadline(e.ctx, ends)
	}
	e.pingEnds = ends
	e.pinging = e.start(func() {
		defer cancel()
		p := softdelete.Ping{At: time.Now()}
		err := rescue.Catch(func() error {
			p = e.source.Ping(ctx)
			return nil
		})
		if err != nil {
			rescue.Log(e.logger, err)
			p.Err = err.Error()
		}
		e.keep(p)
	})
}

// keep records a ping that has ended.
func (e *Entry) keep(p softdelete.Ping) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.pings) == keptPings {
		e.pings = slices.Delete(e.pings, 0, 1)
	}
	e.pings = append(e.pings, p)
	e.answered = e.answered || p.Up
	e.pinging = nil
}

// Answered reports whether the server ever answered a ping.
func (e *Entry) Answered() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.answered
}

// Pings returns the last pings, oldest first.
func (e *Entry) Pings() []softdelete.Ping {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.pings)
}
