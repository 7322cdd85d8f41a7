package server

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/go-kit/log"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/softdelete-exporter/softdelete_exporter/config"
	"github.com/softdelete-exporter/softdelete_exporter/internal/configtest"
)

// reloading makes a server without a database; load reads its configuration.
func reloading(t *testing.T, lifecycle bool, load func() (*config.Config, error)) *Server {
	t.Helper()
	s, err := New(Options{Settings: NewSettings(&config.Config{}), Load: load, Lifecycle: lifecycle,
		Process: prometheus.NewRegistry(), Logger: log.NewNopLogger()})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// post requests a reload; headers are names and values in turn.
func post(ctx context.Context, s *Server, headers ...string) *httptest.ResponseRecorder {
	request := httptest.NewRequestWithContext(ctx, "POST", "http://exporter:10862/-/reload", strings.NewReader("a=b"))
	for i := 0; i < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	answer := httptest.NewRecorder()
	s.ServeHTTP(answer, request)
	return answer
}

func TestOneReloadRunsAndOneWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var loads atomic.Int64
		goOn := make(chan struct{})
		s := reloading(t, true, func() (*config.Config, error) {
			loads.Add(1)
			<-goOn
			return &config.Config{}, nil
		})
		var all sync.WaitGroup
		ask := func(ctx context.Context, want int) {
			all.Go(func() {
				if got := post(ctx, s); got.Code != want {
					t.Errorf("status %d, want %d: %s", got.Code, want, got.Body)
				}
			})
			synctest.Wait()
		}
		ask(t.Context(), http.StatusOK) // runs
		leaving, leave := context.WithCancel(t.Context())
		ask(leaving, http.StatusOK) // waits, and does nothing if its client has left
		for range 40 {
			if got := post(t.Context(), s); got.Code != http.StatusServiceUnavailable ||
				got.Header().Get("Retry-After") == "" || !strings.Contains(got.Body.String(), "try again") {
				t.Fatalf("a third is answered by %d: %s", got.Code, got.Body)
			}
		}
		all.Go(func() { // like SIGHUP
			if err := s.Reload(); err != nil {
				t.Error(err)
			}
		})
		leave()
		synctest.Wait()
		ask(t.Context(), http.StatusOK) // takes its place
		close(goOn)
		all.Wait()
		if n := loads.Load(); n != 3 {
			t.Errorf("%d reloads, want that of the first, of the signal, and of the one that waited", n)
		}
		if got := post(t.Context(), s); got.Code != http.StatusOK {
			t.Errorf("afterwards the status is %d", got.Code)
		}
	})
}

func TestReloadingOverHTTPIsOffUnlessAskedFor(t *testing.T) {
	loads := 0
	s := reloading(t, false, func() (*config.Config, error) { loads++; return &config.Config{}, nil })
	if got := post(t.Context(), s); got.Code != http.StatusForbidden ||
		!strings.Contains(got.Body.String(), "--web.enable-lifecycle") || loads != 0 {
		t.Errorf("status %d, %d reloads: %s", got.Code, loads, got.Body)
	}
	if err := s.Reload(); err != nil || loads != 1 {
		t.Errorf("asked for otherwise: %v, %d reloads", err, loads)
	}
}

// A page of another site can make a browser send a form with the user's credentials.
func TestAnotherSiteCannotReload(t *testing.T) {
	loads := 0
	s := reloading(t, true, func() (*config.Config, error) { loads++; return &config.Config{}, nil })
	for _, test := range []struct {
		name    string
		headers []string
		want    int
	}{
		{"a form", []string{"Sec-Fetch-Site", "cross-site", "Origin", "https://evil.example", "Content-Type",
			"application/x-www-form-urlencoded"}, http.StatusForbidden},
		{"a sibling", []string{"Sec-Fetch-Site", "same-site", "Origin", "http://other:10862"}, http.StatusForbidden},
		{"an older browser", []string{"Origin", "https://evil.example"}, http.StatusForbidden},
		{"another port", []string{"Origin", "http://exporter:9090"}, http.StatusForbidden},
		{"a frame without an origin", []string{"Origin", "null"}, http.StatusForbidden},
		{"our own page", []string{"Sec-Fetch-Site", "same-origin", "Origin", "http://exporter:10862"}, http.StatusOK},
		{"curl", nil, http.StatusOK},
	} {
		before := loads
		if got := post(t.Context(), s, test.headers...); got.Code != test.want ||
			(loads > before) != (test.want == http.StatusOK) {
			t.Errorf("%s: status %d, %d reloads: %s", test.name, got.Code, loads-before, got.Body)
		}
	}
}

// If every reload made a refresh due, alternating reloads and scrapes could query the database without limit.
func TestOnlyAChangeMakesARefreshDue(t *testing.T) {
	const text = "probe: {allow: ['.*']}\nauth_modules: {m: {user: bob}}\npolicies: [{service: a, tables: ['a\\..*']}]\n"
	same, changed := configtest.Loader(t, text), configtest.Loader(t, text+"defaults: {retention: 30d}")
	probing(t, func(t *testing.T, c *counted, s *Server, probe func(string) string) {
		for _, test := range []struct {
			load func() (*config.Config, error)
			want int64
		}{{same, 1}, {changed, 2}, {changed, 2}, {same, 3}} {
			s.Load = test.load
			for range 5 {
				if err := s.Reload(); err != nil {
					t.Fatal(err)
				}
				probe("db:5432/shop")
			}
			synctest.Wait()
			if got := c.refreshes.Load(); got != test.want {
				t.Errorf("%d refreshes, want %d", got, test.want)
			}
		}
	})
}
