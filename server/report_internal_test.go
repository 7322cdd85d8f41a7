package server

import "testing"

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
