package cache

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

func TestARefreshThatPanicsCostsItselfOnly(t *testing.T) {
	f := &fake{refreshTakes: 4 * time.Second, fault: "refresh"}
	bubble(t, f, settings, func(t *testing.T, e *Entry) {
		if got := state(look(e)); got != softdelete.Pending {
			t.Errorf("state = %q", got)
		}
		// It is tried again at once, then after growing pauses, as after any failure.
		for _, pause := range []time.Duration{time.Second, 2 * time.Second, 5 * time.Second, 10 * time.Second} {
			time.Sleep(pause)
			look(e)
		}
		if _, refreshes := f.counts(); refreshes < 3 || refreshes > 4 {
			t.Errorf("%d refreshes", refreshes)
		}
		f.set(func() { f.fault = "" })
		time.Sleep(settings.TTL)
		if got := state(look(e)); got != softdelete.Counted {
			t.Errorf("when it no longer panics: state = %q", got)
		}
		f.set(func() { f.fault = "refresh" })
		time.Sleep(settings.TTL)
		look(e)
		synctest.Wait()
		time.Sleep(5 * time.Second)
		if s := look(e); state(s) != softdelete.Counted || s.Databases[0].Tables[0].Numbers.Total.Value != 10 {
			t.Errorf("the last numbers do not stay: %+v", s.Databases[0].Tables)
		}
	})
	said := f.log.String()
	if stacks, failures := strings.Count(said, "stack="), strings.Count(said,
		"refresh failed"); stacks > 1 || failures < 4 {
		t.Errorf("the log has %d stacks and %d failures: %s", stacks, failures, said)
	}
}

func TestAPingThatPanicsIsNotUp(t *testing.T) {
	f := &fake{fault: "ping"}
	bubble(t, f, settings, func(t *testing.T, e *Entry) {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if p := e.Ping(ctx, 0); p.Up || !strings.Contains(p.Err, "fault of the exporter") || p.At.IsZero() {
			t.Errorf("the ping is %+v", p)
		}
		f.set(func() { f.fault = "" })
		if p := e.Ping(ctx, 0); !p.Up {
			t.Errorf("the next ping is %+v", p)
		}
	})
}
