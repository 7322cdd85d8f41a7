package cache

import (
	"context"
	"slices"

	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// Ping pings the server, or joins the ping that is already out. It returns at the
// asker's deadline at the latest; a ping that is not back by then is not up.
func (e *Entry) Ping(ctx context.Context) softdelete.Ping {
	e.mu.Lock()
	asked := e.now()
	if e.pinging == nil {
		// The ping ends with its first asker's time, but not with its going away:
		// others may have joined.
		pingCtx, cancel := e.ctx, context.CancelFunc(func() {})
		if deadline, ok := ctx.Deadline(); ok {
			pingCtx, cancel = context.WithDeadline(e.ctx, deadline)
		}
		e.pinging = e.start(func() {
			defer cancel()
			e.keep(e.source.Ping(pingCtx))
		})
	}
	pinging := e.pinging
	e.mu.Unlock()

	select {
	case <-pinging:
		e.mu.Lock()
		defer e.mu.Unlock()
		return e.pings[len(e.pings)-1]
	case <-ctx.Done():
		return softdelete.Ping{At: asked, Err: "no answer in time"}
	}
}

// keep notes a ping that came back.
func (e *Entry) keep(p softdelete.Ping) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.pings) == keptPings {
		e.pings = slices.Delete(e.pings, 0, 1)
	}
	e.pings = append(e.pings, p)
	e.pinging = nil
}

// Pings are the last pings, the oldest first.
func (e *Entry) Pings() []softdelete.Ping {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.pings)
}
