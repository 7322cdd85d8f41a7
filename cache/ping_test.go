package cache

import (
	"context"
	"testing"
	"time"
)

// Who gives no time for the answer gets none, and costs the server no connection.
func TestAHastyAskerDoesNotBreakOffAPing(t *testing.T) {
	f := &fake{pingTakes: 300 * time.Millisecond}
	bubble(t, f, settings, func(t *testing.T, e *Entry) {
		for _, least := range []time.Duration{1, 100 * time.Millisecond} {
			ctx, cancel := context.WithTimeout(context.Background(), least)
			began := time.Now()
			if p := e.Ping(ctx, 0); p.Up || time.Since(began) > least {
				t.Errorf("up is %t after %s", p.Up, time.Since(began))
			}
			cancel()
			time.Sleep(time.Second)
			if pings := e.Pings(); !pings[len(pings)-1].Up {
				t.Errorf("the ping was broken off for an asker who had %s", least)
			}
		}
	})
}
