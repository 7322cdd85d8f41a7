package cache

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// A client that allows too little time gets no answer, but does not cost the server a connection.
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

func TestAPingIsNotUpPastTheDeadlineOfWhoJoinedIt(t *testing.T) {
	bubble(t, &fake{pingTakes: 8 * time.Second}, settings, func(t *testing.T, e *Entry) {
		go look(e)
		synctest.Wait()
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		if p := e.Ping(ctx, 0); p.Up {
			t.Error("the ping is up before it came back")
		}
	})
}

// A ping ends at its first caller's deadline. A caller that joins it just before, with time left, must not be told
// that the server is down: it gets a ping of its own.
func TestWhoJoinsAPingThatIsGivenUpAsksAnew(t *testing.T) {
	f := &fake{pingTakes: 8 * time.Second, pingLingers: time.Second}
	bubble(t, f, settings, func(t *testing.T, e *Entry) {
		hasty, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		if p := e.Ping(hasty, 0); p.Up {
			t.Error("the hasty asker got an answer")
		}
		f.set(func() { f.pingTakes = 0 })
		patient, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if p := e.Ping(patient, 0); !p.Up {
			t.Errorf("the patient asker was told that the server is down: %s", p.Err)
		}
		if pings, _ := f.counts(); pings != 2 {
			t.Errorf("%d pings", pings)
		}
	})
}

func TestAServerThatIsDownIsPingedOnceForAll(t *testing.T) {
	f := &fake{down: true, pingTakes: time.Second}
	bubble(t, f, settings, func(t *testing.T, e *Entry) {
		var all sync.WaitGroup
		for range 50 {
			all.Go(func() { look(e) })
		}
		all.Wait()
		if pings, _ := f.counts(); pings != 1 {
			t.Errorf("%d pings", pings)
		}
	})
}

func TestARecentPingIsGoodEnough(t *testing.T) {
	f := &fake{}
	bubble(t, f, settings, func(t *testing.T, e *Entry) {
		ctx := context.Background()
		e.Ping(ctx, 0)
		time.Sleep(4 * time.Second)
		e.Ping(ctx, 5*time.Second)
		time.Sleep(2 * time.Second)
		e.Ping(ctx, 5*time.Second)
		if pings, _ := f.counts(); pings != 2 {
			t.Errorf("%d pings", pings)
		}
	})
}

func TestAServerlessServerIsPingedOnlyWithARefresh(t *testing.T) {
	f := &fake{}
	serverless := settings
	serverless.PingWithRefresh = true
	bubble(t, f, serverless, func(t *testing.T, e *Entry) {
		for range 9 {
			look(e)
			time.Sleep(settings.TTL / 4)
		}
		if pings, refreshes := f.counts(); pings != 3 || refreshes != 3 {
			t.Errorf("%d pings, %d refreshes in two ttls", pings, refreshes)
		}
	})
}

func TestAFailedPingIsNotKeptForARefresh(t *testing.T) {
	f := &fake{down: true}
	serverless := settings
	serverless.PingWithRefresh = true
	bubble(t, f, serverless, func(t *testing.T, e *Entry) {
		look(e)
		f.set(func() { f.down = false })
		time.Sleep(settings.TTL / 4)
		if p := e.Ping(t.Context(), 0); !p.Up {
			t.Error("the server is back, and still said to be down")
		}
	})
}

func TestTheLastSixtyPingsAreKept(t *testing.T) {
	bubble(t, &fake{}, settings, func(t *testing.T, e *Entry) {
		var last time.Time
		for range 70 {
			time.Sleep(time.Second)
			last = e.Ping(context.Background(), 0).At
		}
		pings := e.Pings()
		if len(pings) != 60 || !pings[59].At.Equal(last) || pings[59].At.Sub(pings[0].At) != 59*time.Second {
			t.Errorf("%d pings are kept, from %s to %s", len(pings), pings[0].At, pings[len(pings)-1].At)
		}
	})
}
