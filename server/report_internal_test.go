package server

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

func TestTheFormatThatAClientPrefers(t *testing.T) {
	for accept, want := range map[string]string{
		"":    "html",
		"*/*": "html",
		"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8": "html",
		"application/json":                          "json",
		"application/json, text/plain, */*":         "json",
		"application/json, */*;q=0.5":               "json",
		"text/html;q=0.5, application/json":         "json",
		"application/json;q=0.5, text/html":         "html",
		"application/json; q=0.9, text/html; q=0.8": "json",
		"image/png": "html",
	} {
		if got := preferred([]string{accept}); got != want {
			t.Errorf("%q prefers %s, want %s", accept, got, want)
		}
	}
}

func TestAPageIsCompressedForThoseWhoWantIt(t *testing.T) {
	for encodings, want := range map[string]bool{
		"":                              false,
		"gzip":                          true,
		"gzip, br":                      true,
		"br;q=1.0, GZIP;q=0.8, *;q=0.1": true,
		"br, gzip;q=0":                  false,
		"gzip;q=0, *":                   false,
		"gzip; q=0.0":                   false,
		"*":                             true,
		"*;q=0":                         false,
		"identity":                      false,
		"notgzip":                       false,
	} {
		r := httptest.NewRequest(http.MethodGet, "/report", nil)
		if encodings != "" {
			r.Header.Set("Accept-Encoding", encodings)
		}
		w := httptest.NewRecorder()
		send(w, r, []byte("page"))
		if got := w.Header().Get("Content-Encoding") == "gzip"; got != want {
			t.Errorf("%q: compressed is %t, want %t", encodings, got, want)
		}
	}
}
