package server

import (
	"errors"
	"net/http"

	"github.com/go-kit/log/level"

	"github.com/softdelete-exporter/softdelete_exporter/rescue"
)

// rescued answers 500 if a page panics. If part of the answer was sent, it closes the connection: a client must not
// take a part for the whole.
func (s *Server) rescued(pages http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a := &answer{ResponseWriter: w}
		err := rescue.Catch(func() error {
			pages.ServeHTTP(a, r)
			return nil
		})
		var p *rescue.Panic
		if !errors.As(err, &p) {
			return
		}
		if cause, ok := p.Value.(error); ok && errors.Is(cause, http.ErrAbortHandler) { // a deliberate abort
			panic(http.ErrAbortHandler)
		}
		rescue.Log(s.Logger, err, "path", r.URL.Path)
		level.Error(s.Logger).Log("msg", "page failed", "path", r.URL.Path, "err", err)
		if a.begun {
			panic(http.ErrAbortHandler)
		}
		w.Header().Del("Content-Encoding")
		http.Error(w, "This page failed by a fault of the exporter itself. The log has the stack: please report it.",
			http.StatusInternalServerError)
	})
}

// answer records whether an answer has begun.
type answer struct {
	http.ResponseWriter
	begun bool
}

// WriteHeader implements http.ResponseWriter.
func (a *answer) WriteHeader(code int) {
	a.begun = true
	a.ResponseWriter.WriteHeader(code)
}

// Write implements http.ResponseWriter.
func (a *answer) Write(text []byte) (int, error) {
	a.begun = true
	return a.ResponseWriter.Write(text)
}

// Unwrap gives http.ResponseController access to the writer.
func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }
