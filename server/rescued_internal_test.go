package server

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/go-kit/log"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/softdelete-exporter/softdelete_exporter/cache"
	"github.com/softdelete-exporter/softdelete_exporter/config"
	"github.com/softdelete-exporter/softdelete_exporter/conninfo"
	"github.com/softdelete-exporter/softdelete_exporter/internal/configtest"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// upAndEmpty makes a server whose database answers pings and has no tables. load is called by a reload.
func upAndEmpty(t *testing.T, logger log.Logger, load func() (*config.Config, error)) *Server {
	t.Helper()
	s, err := New(Options{
		Load: load, Settings: NewSettings(configtest.Load(t, "")), Process: prometheus.NewRegistry(), Logger: logger,
		Lifecycle: true,
		Source:    func() (*conninfo.Info, error) { return new(conninfo.Info), nil },
		Connect: func(string, func() (*conninfo.Info, error)) cache.Open {
			return func(*softdelete.Costs) cache.Source {
				return cache.Source{
					Ping:    func(context.Context) softdelete.Ping { return softdelete.Ping{Up: true} },
					Refresh: func(context.Context, *softdelete.Snapshot, func(*softdelete.Snapshot)) {},
					Close:   func() {},
				}
			}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// ask requests a page.
func ask(s http.Handler, method, path string) *httptest.ResponseRecorder {
	answer := httptest.NewRecorder()
	s.ServeHTTP(answer, httptest.NewRequest(method, path, nil))
	return answer
}

func TestAPageThatPanicsIsA500OfThatPageOnly(t *testing.T) {
	var out bytes.Buffer
	s := upAndEmpty(t, log.NewLogfmtLogger(&out), nil)
	sound := s.Settings.Config()
	for range 2 {
		s.Settings.config.Store(nil) // these pages panic without one
		for _, path := range []string{"/metrics", "/report", "/report?format=json", "/health",
			"/probe?target=db:5432/shop"} {
			if a := ask(s, "GET", path); a.Code != http.StatusInternalServerError ||
				!strings.Contains(a.Body.String(), "fault of the exporter") || a.Header().Get("X-Frame-Options") == "" {
				t.Errorf("%s: %d %s", path, a.Code, a.Body)
			}
		}
		for _, path := range []string{"/", "/-/healthy", "/-/ready"} {
			if a := ask(s, "GET", path); a.Code != http.StatusOK {
				t.Errorf("%s: %d %s", path, a.Code, a.Body)
			}
		}
		s.Settings.config.Store(sound)
		for _, path := range []string{"/metrics", "/report", "/health"} {
			if a := ask(s, "GET", path); a.Code != http.StatusOK {
				t.Errorf("when it no longer panics, %s: %d %s", path, a.Code, a.Body)
			}
		}
	}
	if failed, stacks := strings.Count(out.String(), "page failed"), strings.Count(out.String(),
		"stack="); failed != 10 || stacks > 5 {
		t.Errorf("the log has %d failures and %d stacks: %s", failed, stacks, &out)
	}
}

// A client must not take the part that it has received for the whole answer.
func TestAnAnswerThatPanicsMidwayIsBroken(t *testing.T) {
	s := upAndEmpty(t, log.NewNopLogger(), nil)
	for name, page := range map[string]http.HandlerFunc{
		"a panic": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "10")
			_, _ = io.WriteString(w, "half")
			panic("midway")
		},
		"an abort": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
	} {
		web := httptest.NewServer(s.rescued(page))
		answer, err := http.Get(web.URL)
		if err == nil {
			_, err = io.ReadAll(answer.Body)
			answer.Body.Close()
		}
		if err == nil {
			t.Errorf("%s: the client sees no error", name)
		}
		web.Close()
	}
}

func TestWhateverPanicsBehindAScrapeThePingIsShown(t *testing.T) {
	s := upAndEmpty(t, log.NewNopLogger(), nil)
	open := s.Connect("", nil)
	asked := 0
	s.target.Entry = cache.New(open, func() cache.Settings {
		if asked++; asked > 1 {
			panic("no settings")
		}
		return cache.Settings{}
	}, s.Logger)
	for range 2 { // the second scrape must not hang either
		if a := ask(s, "GET", "/metrics"); a.Code != http.StatusOK || !strings.Contains(a.Body.String(), "db_up 1") {
			t.Errorf("%d %s", a.Code, a.Body)
		}
		asked = 0
	}
}

func TestAReloadThatPanicsHasFailed(t *testing.T) {
	var out bytes.Buffer
	fault := func() { panic("in the loader") }
	s := upAndEmpty(t, log.NewLogfmtLogger(&out), func() (*config.Config, error) {
		fault()
		return nil, errors.New("an ordinary fault")
	})
	before := s.Settings.Config()
	if err := s.Reload(); err == nil || !strings.Contains(out.String(), "the old one stays in force") {
		t.Errorf("%v, and the log: %s", err, &out)
	}
	if a := ask(s, "POST", "/-/reload"); a.Code != http.StatusInternalServerError ||
		!strings.Contains(a.Body.String(), "in the loader") {
		t.Errorf("%d %s", a.Code, a.Body)
	}
	if s.Settings.Config() != before || s.Settings.last.Load().Successful {
		t.Error("it counts as a success")
	}
	fault = func() {}
	if err := s.Reload(); err == nil || !strings.Contains(err.Error(), "ordinary") {
		t.Errorf("the next reload: %v", err)
	}
}
