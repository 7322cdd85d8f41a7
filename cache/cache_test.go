package cache

import (
	"bytes"
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-kit/log"

	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

var settings = Settings{Datname: "shop", TTL: 5 * time.Minute, MaxStale: time.Hour}

// fake is a server that behaves as the test says. Its times are those of a fake clock.
type fake struct {
	mu   sync.Mutex
	down bool
	// closed makes the server answer pings and refuse refreshes.
	closed    bool
	pingTakes time.Duration
	// pingLingers is how long a cancelled ping takes to return.
	pingLingers      time.Duration
	refreshTakes     time.Duration
	pings, refreshes int
	// fault names the call that panics.
	fault string
	log   bytes.Buffer
}

func (f *fake) logger() log.Logger { return log.NewLogfmtLogger(log.NewSyncWriter(&f.log)) }

// panicIf panics if the fault is the named call.
func (f *fake) panicIf(fault string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.fault == fault {
		panic(fault)
	}
}

func (f *fake) is() (down bool, pingTakes, refreshTakes time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.down, f.pingTakes, f.refreshTakes
}

func (f *fake) set(change func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change()
}

func (f *fake) counts() (pings, refreshes int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.pings, f.refreshes
}

func wait(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// entry is the cache of the fake. The fake publishes one table: pending in the middle of a refresh, counted at its
// end.
func (f *fake) entry(settings Settings) *Entry {
	return New(func(*softdelete.Costs) Source {
		return Source{
			Ping: func(ctx context.Context) softdelete.Ping {
				f.set(func() { f.pings++ })
				f.panicIf("ping")
				at := time.Now()
				down, takes, _ := f.is()
				wait(ctx, takes)
				if ctx.Err() != nil {
					time.Sleep(f.pingLingers)
				}
				return softdelete.Ping{At: at, Up: !down && ctx.Err() == nil}
			},
			Refresh: func(ctx context.Context, previous *softdelete.Snapshot, publish func(*softdelete.Snapshot)) {
				f.set(func() { f.refreshes++ })
				began := time.Now()
				down, _, takes := f.is()
				if down || f.closed {
					wait(ctx, takes)
					publish(&softdelete.Snapshot{Taken: previous.Taken, Databases: previous.Databases})
					return
				}
				table := softdelete.Table{Name: "users"}
				snapshot := func() *softdelete.Snapshot {
					return &softdelete.Snapshot{Taken: began,
						Databases: []softdelete.Database{{Name: "shop", Tables: []softdelete.Table{table}}}}
				}
				wait(ctx, takes/2)
				if old := previous.Databases[0].Tables; len(old) > 0 {
					table = old[0]
				}
				publish(snapshot())
				wait(ctx, takes/2)
				f.panicIf("refresh")
				table.Succeed(softdelete.ExactNumbers(10, 5), time.Now())
				publish(snapshot())
			},
			Close: func() {},
		}
	}, func() Settings { return settings }, f.logger())
}

// look requests a snapshot like a scrape, with a deadline of ten seconds.
func look(e *Entry) *softdelete.Snapshot {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	e.Ping(ctx, 0)
	return e.Snapshot(ctx)
}

// state is the state of the one table; empty if there is none.
func state(s *softdelete.Snapshot) softdelete.State {
	if len(s.Databases[0].Tables) == 0 {
		return ""
	}
	return s.Databases[0].Tables[0].State()
}

// bubble runs a test with a fake clock, and with an entry that is closed afterwards.
func bubble(t *testing.T, f *fake, settings Settings, test func(*testing.T, *Entry)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		e := f.entry(settings)
		defer e.Close()
		test(t, e)
	})
}

func TestTheFirstLookWaitsForTheRefresh(t *testing.T) {
	bubble(t, &fake{refreshTakes: 4 * time.Second}, settings, func(t *testing.T, e *Entry) {
		if got := state(look(e)); got != softdelete.Counted {
			t.Errorf("state = %q", got)
		}
	})
}

func TestTheFirstLookWaitsNoLongerThanItsDeadline(t *testing.T) {
	bubble(t, &fake{refreshTakes: 16 * time.Second}, settings, func(t *testing.T, e *Entry) {
		began := time.Now()
		if got := state(look(e)); got != softdelete.Pending {
			t.Errorf("state = %q", got)
		}
		if took := time.Since(began); took != 10*time.Second {
			t.Errorf("took %s", took)
		}
	})
}

func TestARefreshOutlivesItsAsker(t *testing.T) {
	f := &fake{refreshTakes: 16 * time.Second}
	bubble(t, f, settings, func(t *testing.T, e *Entry) {
		look(e)
		time.Sleep(7 * time.Second)
		if got := state(look(e)); got != softdelete.Counted {
			t.Errorf("state = %q", got)
		}
		if _, refreshes := f.counts(); refreshes != 1 {
			t.Errorf("%d refreshes", refreshes)
		}
	})
}

func TestLooksShareOneRefreshAndOnePing(t *testing.T) {
	f := &fake{refreshTakes: 4 * time.Second, pingTakes: time.Second}
	bubble(t, f, settings, func(t *testing.T, e *Entry) {
		var all sync.WaitGroup
		for range 50 {
			all.Go(func() {
				if got := state(look(e)); got != softdelete.Counted {
					t.Errorf("state = %q", got)
				}
			})
		}
		all.Wait()
		if pings, refreshes := f.counts(); pings != 1 || refreshes != 1 {
			t.Errorf("%d pings, %d refreshes", pings, refreshes)
		}
	})
}

func TestLaterLooksNeverWait(t *testing.T) {
	f := &fake{refreshTakes: 8 * time.Second}
	bubble(t, f, settings, func(t *testing.T, e *Entry) {
		look(e)
		// The ttl begins with the refresh. When it is over, a new refresh starts, and nobody waits.
		time.Sleep(settings.TTL)
		began := time.Now()
		if got := state(look(e)); got != softdelete.Counted {
			t.Errorf("state = %q", got)
		}
		if took := time.Since(began); took != 0 {
			t.Errorf("took %s", took)
		}
		synctest.Wait() // for the background refresh to begin
		if _, refreshes := f.counts(); refreshes != 2 {
			t.Errorf("%d refreshes", refreshes)
		}
	})
}

// There is then as little to show as before the first refresh.
func TestALookAfterAPauseLongerThanMaxStaleWaitsForTheRefresh(t *testing.T) {
	f := &fake{refreshTakes: 8 * time.Second}
	bubble(t, f, settings, func(t *testing.T, e *Entry) {
		for _, test := range []struct{ pause, takes time.Duration }{
			{settings.MaxStale - 8*time.Second, 0}, {settings.MaxStale + time.Second, 8 * time.Second}, {settings.TTL, 0},
		} {
			look(e)
			time.Sleep(test.pause)
			var all sync.WaitGroup
			for late := range 2 { // one of them comes when the tables are known but not counted
				all.Go(func() {
					time.Sleep(time.Duration(late) * 5 * time.Second)
					began := time.Now()
					if n := look(e).Databases[0].Tables[0].Numbers; n == nil {
						t.Errorf("after %s the numbers are gone", test.pause)
					}
					if took, want := time.Since(began), max(0, test.takes-time.Duration(late)*5*time.Second); took != want {
						t.Errorf("after %s a look took %s, want %s", test.pause, took, want)
					}
				})
			}
			all.Wait()
			synctest.Wait()
			time.Sleep(8 * time.Second) // for the refresh to end
		}
		f.set(func() { f.refreshTakes = time.Minute })
		time.Sleep(2 * settings.MaxStale)
		began := time.Now()
		look(e)
		if took := time.Since(began); took != 10*time.Second {
			t.Errorf("beyond its deadline a look took %s", took)
		}
	})
}

func TestThereIsNoRefreshWithinTheTTL(t *testing.T) {
	f := &fake{}
	bubble(t, f, settings, func(t *testing.T, e *Entry) {
		look(e)
		time.Sleep(settings.TTL - time.Second)
		look(e)
		if _, refreshes := f.counts(); refreshes != 1 {
			t.Errorf("%d refreshes", refreshes)
		}
	})
}

func TestNothingIsAskedWhileNobodyLooks(t *testing.T) {
	f := &fake{}
	bubble(t, f, settings, func(t *testing.T, e *Entry) {
		look(e)
		time.Sleep(10 * settings.TTL)
		if pings, refreshes := f.counts(); pings != 1 || refreshes != 1 {
			t.Errorf("%d pings, %d refreshes", pings, refreshes)
		}
	})
}

func TestAServerThatIsDownMakesNobodyWaitForARefresh(t *testing.T) {
	bubble(t, &fake{down: true, refreshTakes: time.Minute}, settings, func(t *testing.T, e *Entry) {
		began := time.Now()
		s := look(e)
		if took := time.Since(began); took != 0 {
			t.Errorf("took %s", took)
		}
		if d := s.Databases[0]; d.Name != "shop" || d.Checks.Connect || len(d.Tables) != 0 {
			t.Errorf("before the first refresh the snapshot is %+v", d)
		}
	})
}

func TestARefreshThatCouldNotConnectIsDueAgainOnceAPingSucceeds(t *testing.T) {
	f := &fake{down: true}
	bubble(t, f, settings, func(t *testing.T, e *Entry) {
		look(e)
		time.Sleep(time.Second)
		look(e)
		if _, refreshes := f.counts(); refreshes != 1 {
			t.Errorf("%d refreshes while the server is down", refreshes)
		}
		f.set(func() { f.down = false })
		time.Sleep(time.Second)
		if got := state(look(e)); got != softdelete.Counted {
			t.Errorf("state = %q once it is up", got)
		}
	})
}

// The name may be wrong, or the server too old: a new attempt at each scrape would not help.
func TestARefreshThatCannotConnectWhilePingsSucceedIsTriedEverMoreRarely(t *testing.T) {
	f := &fake{closed: true}
	bubble(t, f, settings, func(t *testing.T, e *Entry) {
		for range 30 { // one ttl and a half
			look(e)
			time.Sleep(15 * time.Second)
		}
		if _, refreshes := f.counts(); refreshes != 8 { // at 0, 15, 30, 45, 75, 120, 210 and 375 s
			t.Errorf("%d refreshes", refreshes)
		}
	})
}

func TestNumbersOutliveTheServerUntilMaxStale(t *testing.T) {
	f := &fake{}
	bubble(t, f, settings, func(t *testing.T, e *Entry) {
		look(e)
		f.set(func() { f.down = true })
		time.Sleep(settings.MaxStale)
		if s := look(e); s.Databases[0].Tables[0].Numbers == nil {
			t.Error("the numbers are gone too early")
		}
		time.Sleep(time.Second)
		if s := look(e); s.Databases[0].Tables[0].Numbers != nil {
			t.Error("the numbers are still there")
		}
	})
}

func TestRenewMakesARefreshDue(t *testing.T) {
	f := &fake{}
	bubble(t, f, settings, func(t *testing.T, e *Entry) {
		look(e)
		e.Renew()
		look(e)
		look(e)
		synctest.Wait()
		if _, refreshes := f.counts(); refreshes != 2 {
			t.Errorf("%d refreshes", refreshes)
		}
	})
}

// A ping can take longer than a refused refresh.
func TestARefreshThatCannotConnectBeforeTheFirstPingIsBack(t *testing.T) {
	f := &fake{closed: true}
	bubble(t, f, settings, func(t *testing.T, e *Entry) {
		for range 3 {
			e.Snapshot(t.Context())
			synctest.Wait()
		}
		if _, refreshes := f.counts(); refreshes != 1 {
			t.Errorf("%d refreshes while nobody knows whether the server answers", refreshes)
		}
	})
}

func TestCloseStopsWhatRuns(t *testing.T) {
	for name, begin := range map[string]func(context.Context, *Entry){
		"a ping":    func(ctx context.Context, e *Entry) { e.Ping(ctx, 0) },
		"a refresh": func(ctx context.Context, e *Entry) { e.Snapshot(ctx) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				e := (&fake{refreshTakes: time.Hour, pingTakes: time.Hour}).entry(settings)
				go begin(t.Context(), e)
				synctest.Wait()
				began := time.Now()
				e.Close()
				if took := time.Since(began); took != 0 {
					t.Errorf("took %s", took)
				}
				synctest.Wait()
			})
		})
	}
}
