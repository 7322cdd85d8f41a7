package server

import (
	"cmp"
	"context"
	"log"
	"net/http"
	"strconv"
	"time"
)

// Timeouts of the HTTP server, so that a slow client cannot hold a connection for long.
const (
	// headTimeout is how long a client may take to send the head of a request, requestTimeout the whole request.
	// No page reads a body.
	headTimeout    = 5 * time.Second
	requestTimeout = 10 * time.Second
	// answerTimeout is how long a client may take to read an answer that is ready.
	answerTimeout = 30 * time.Second
	// idleTimeout is longer than usual scrape intervals, so that Prometheus keeps its connection.
	idleTimeout = 3 * time.Minute
	// longestScrape is the longest scrape timeout that is accepted from a request. Prometheus forgets a series
	// after five minutes, so no scrape takes longer.
	longestScrape = 5 * time.Minute
)

// HTTP returns the http.Server that serves s.
func (s *Server) HTTP(errors *log.Logger) *http.Server {
	return &http.Server{
		Handler:           s,
		ReadHeaderTimeout: headTimeout,
		ReadTimeout:       requestTimeout,
		WriteTimeout:      answerTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    64 << 10,
		HTTP2:             &http.HTTP2Config{WriteByteTimeout: answerTimeout}, // HTTP/2 ignores WriteTimeout
		ErrorLog:          errors,
	}
}

// protection are headers of every page: browsers must not guess its type, or show it in a frame of another site.
var protection = map[string]string{
	"X-Content-Type-Options":  "nosniff",
	"X-Frame-Options":         "DENY",
	"Content-Security-Policy": "frame-ancestors 'none'",
}

// guard adds the headers and drops the body of every request.
func guard(pages http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for name, value := range protection {
			// A header from the file of --web.config.file stays.
			w.Header().Set(name, cmp.Or(w.Header().Get(name), value))
		}
		// Otherwise the body of a form would be read, and its files written to the disk.
		r.Body = http.NoBody
		pages.ServeHTTP(w, r)
	})
}

// deadline limits how long an answer may be prepared: by the scrape's own timeout, or by the configured one. The
// client has additional time to read it.
func (s *Server) deadline(w http.ResponseWriter, r *http.Request) (context.Context, context.CancelFunc) {
	scrape := s.Settings.Config().Scrape
	timeout, offset := scrape.Timeout.Std(), scrape.Offset.Std()
	if seconds, err := strconv.ParseFloat(r.Header.Get("X-Prometheus-Scrape-Timeout-Seconds"),
		64); err == nil && seconds > 0 {
		timeout = time.Duration(min(seconds, longestScrape.Seconds()) * float64(time.Second))
	}
	// Only a test's recorder, which has no connection, returns an error here.
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(timeout + answerTimeout))
	return context.WithTimeout(r.Context(), max(timeout-offset, timeout/2))
}
