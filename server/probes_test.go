package server

import (
	"context"
	"fmt"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-kit/log"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/softdelete-exporter/softdelete_exporter/cache"
	"github.com/softdelete-exporter/softdelete_exporter/conninfo"
	"github.com/softdelete-exporter/softdelete_exporter/internal/configtest"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// counted makes servers and counts them. They answer at once, unless they are invented or down.
type counted struct {
	down                      atomic.Bool
	settings                  *Settings
	opened, closed, refreshes atomic.Int64
}

func (c *counted) connect(_ string, source func() (*conninfo.Info, error)) cache.Open {
	return func(*softdelete.Costs) cache.Source {
		c.opened.Add(1)
		return cache.Source{
			Ping: func(context.Context) softdelete.Ping {
				info, err := source()
				return softdelete.Ping{At: time.Now(),
					Up: err == nil && !strings.Contains(info.String(), "invented") && !c.down.Load()}
			},
			Refresh: func(_ context.Context, _ *softdelete.Snapshot, publish func(*softdelete.Snapshot)) {
				c.refreshes.Add(1)
				publish(&softdelete.Snapshot{Taken: time.Now(), Databases: []softdelete.Database{{Name: "shop"}}})
			},
			Close: func() { c.closed.Add(1) },
		}
	}
}

// probing runs a test with a server that may probe any target, and with a fake clock.
func probing(t *testing.T, test func(t *testing.T, c *counted, s *Server, probe func(target string) string)) {
	t.Helper()
	loaded := configtest.Load(t, "probe: {allow: ['.*']}\nauth_modules: {m: {user: bob}}")
	synctest.Test(t, func(t *testing.T) {
		c := counted{settings: NewSettings(loaded)}
		s, err := New(Options{Settings: c.settings, Connect: c.connect, Process: prometheus.NewRegistry(),
			Logger: log.NewNopLogger()})
		if err != nil {
			t.Fatal(err)
		}
		test(t, &c, s, func(target string) string {
			answer := httptest.NewRecorder()
			s.ServeHTTP(answer, httptest.NewRequest("GET", "/probe?auth_module=m&target="+target, nil))
			return answer.Body.String()
		})
		s.Close()
		if opened, closed := c.opened.Load(), c.closed.Load(); opened != closed {
			t.Errorf("%d targets were opened, %d closed", opened, closed)
		}
	})
}

func TestATargetThatNobodyProbesIsForgotten(t *testing.T) {
	probing(t, func(t *testing.T, c *counted, _ *Server, probe func(string) string) {
		for range 3 {
			if text := probe("db:5432/shop"); !strings.Contains(text, "\ndb_up 1\n") {
				t.Fatalf("%s", text)
			}
			time.Sleep(59 * time.Minute)
		}
		if opened, closed := c.opened.Load(), c.closed.Load(); opened != 1 || closed != 0 {
			t.Errorf("while it is probed: opened %d times, closed %d times", opened, closed)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if closed := c.closed.Load(); closed != 1 {
			t.Errorf("after an hour it was closed %d times", closed)
		}
		probe("db:5432/shop")
		if opened := c.opened.Load(); opened != 2 {
			t.Errorf("probed again, it was opened %d times", opened)
		}
	})
}

func TestATargetIsForgottenAlsoAfterTheTimeWasMadeLonger(t *testing.T) {
	longer := configtest.Load(t, "probe: {allow: ['.*'], idle: 2h}\nauth_modules: {m: {user: bob}}")
	probing(t, func(t *testing.T, c *counted, _ *Server, probe func(string) string) {
		probe("db:5432/shop")
		c.settings.config.Store(longer)
		for hour, want := range []int64{0, 0, 1} {
			if closed := c.closed.Load(); closed != want {
				t.Errorf("after %d hours it was closed %d times, want %d", hour, closed, want)
			}
			time.Sleep(time.Hour)
			synctest.Wait()
		}
	})
}

// Otherwise a client that may name any target could fill the memory.
func TestTargetsAreNotWithoutNumber(t *testing.T) {
	probing(t, func(t *testing.T, c *counted, _ *Server, probe func(string) string) {
		for n := range maxTargets {
			probe(fmt.Sprintf("db%d:5432/shop", n))
		}
		if text := probe("one-more:5432/shop"); !strings.Contains(text, "1000 targets") {
			t.Errorf("one more is answered by %s", text)
		}
		if text := probe("db0:5432/shop"); !strings.Contains(text, "\ndb_up 1\n") {
			t.Errorf("a known one is answered by %s", text)
		}
	})
}

// A broad pattern allows anybody to name databases that do not exist.
func TestTargetsThatNeverAnsweredGiveWay(t *testing.T) {
	probing(t, func(t *testing.T, c *counted, _ *Server, probe func(string) string) {
		const invented = maxTargets + 100
		probe("real:5432/early")
		probe("real:5432/late")
		c.down.Store(true) // known targets stay although they are down
		for n := range invented {
			probe(fmt.Sprintf("real:5432/invented%d", n))
		}
		c.down.Store(false)
		opened := c.opened.Load()
		if text := probe("real:5432/early"); !strings.Contains(text, "\ndb_up 1\n") || c.opened.Load() != opened {
			t.Errorf("one that had answered was forgotten: %s", text)
		}
		if text := probe("real:5432/new"); !strings.Contains(text, "\ndb_up 1\n") {
			t.Errorf("a new one is answered by %s", text)
		}
		synctest.Wait()
		if opened, closed := c.opened.Load(), c.closed.Load(); opened-closed != maxTargets {
			t.Errorf("%d targets are kept, want %d", opened-closed, maxTargets)
		}
		// The target that was not requested for the longest time goes first.
		probe(fmt.Sprintf("real:5432/invented%d", invented-1))
		if again := c.opened.Load(); again != opened+1 {
			t.Errorf("the last invented one was forgotten before those in front of it")
		}
	})
}

func TestEachTargetHasACacheOfItsOwn(t *testing.T) {
	probing(t, func(t *testing.T, c *counted, _ *Server, probe func(string) string) {
		for range 4 {
			probe("db1:5432/shop")
			probe("db2:5432/shop")
			time.Sleep(time.Minute)
		}
		if opened, refreshes := c.opened.Load(), c.refreshes.Load(); opened != 2 || refreshes != 2 {
			t.Errorf("%d targets, %d refreshes within one ttl", opened, refreshes)
		}
	})
}
