//go:build e2e

package monitoring

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// scrapes forwards the requests of Prometheus to an exporter: all of them, or only every second one of each
// Prometheus.
type scrapes struct {
	address string
	failing atomic.Bool

	exporter http.Handler
	mu       sync.Mutex
	asked    map[string]int // by the name and version of the client
}

func newScrapes(t *testing.T, exporter string) *scrapes {
	proxy := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: exporter})
	proxy.ErrorHandler = func(w http.ResponseWriter, _ *http.Request, err error) {
		http.Error(w, err.Error(), http.StatusBadGateway) // it is stopped sometimes
	}
	s := &scrapes{exporter: proxy, asked: map[string]int{}}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	s.address = strings.TrimPrefix(server.URL, "http://")
	return s
}

func (s *scrapes) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if by := r.UserAgent(); s.failing.Load() && r.URL.Path == "/metrics" && strings.HasPrefix(by, "Prometheus") {
		s.mu.Lock()
		s.asked[by]++
		fails := s.asked[by]%2 == 0
		s.mu.Unlock()
		if fails {
			http.Error(w, "every second scrape fails", http.StatusInternalServerError)
			return
		}
	}
	s.exporter.ServeHTTP(w, r)
}
