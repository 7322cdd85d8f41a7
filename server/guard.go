package server

import (
	"cmp"
	"context"
	"log"
	"net/http"
	"strconv"
	"time"
)

// The time-outs of the HTTP server: no client that is slow holds a connection for as long
// as it likes.
const (
	// headTimeout is how long a client may take to send the head of a request,
	// requestTimeout the whole of it. No page of ours reads a body.
	headTimeout    = 5 * time.Second
	requestTimeout = 10 * time.Second
	// answerTimeout is how long a client may take to read an answer, once it is made.
	answerTimeout = 30 * time.Second
	// idleTimeout is longer than the intervals at which Prometheus scrapes, so that it
	// keeps its connection.
	idleTimeout = 3 * time.Minute
	// longestScrape bounds what a scrape may say of its own timeout. Prometheus forgets a
	// series after five minutes, so no scrape takes longer.
	longestScrape = 5 * time.Minute
)

// HTTP is the server to listen with.
func (s *Server) HTTP(errors *log.Logger) *http.Server {
	return &http.Server{
		Handler:           s,
		ReadHeaderTimeout: headTimeout,
		ReadTimeout:       requestTimeout,
		WriteTimeout:      answerTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    64 << 10,
		HTTP2:             &http.HTTP2Config{WriteByteTimeout: answerTimeout}, // whose connection no write deadline bounds
		ErrorLog:          errors,
	}
}

// protection are the headers of every page against being taken for something else, or
// shown within a page of somebody else's.
var protection = map[string]string{
	"X-Content-Type-Options":  "nosniff",
	"X-Frame-Options":         "DENY",
	"Content-Security-Policy": "frame-ancestors 'none'",
}

// guard is around every page.
func guard(pages http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for name, value := range protection {
			// What is there stands in the file of --web.config.file.
			w.Header().Set(name, cmp.Or(w.Header().Get(name), value))
		}
		// A form would else be read, and its files be written to the disk.
		r.Body = http.NoBody
		pages.ServeHTTP(w, r)
	})
}

// deadline bounds the making of an answer by the scrape's own timeout, or by the
// configured one. The time to read the answer comes on top.
func (s *Server) deadline(w http.ResponseWriter, r *http.Request) (context.Context, context.CancelFunc) {
	scrape := s.Settings.Config().Scrape
	timeout, offset := scrape.Timeout.Std(), scrape.Offset.Std()
	if seconds, err := strconv.ParseFloat(r.Header.Get("X-Prometheus-Scrape-Timeout-Seconds"),
		64); err == nil && seconds > 0 {
		timeout = time.Duration(min(seconds, longestScrape.Seconds()) * float64(time.Second))
	}
	// An error means that there is no connection, in tests.
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(timeout + answerTimeout))
	return context.WithTimeout(r.Context(), max(timeout-offset, timeout/2))
}
