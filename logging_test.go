package main

import (
	"regexp"
	"strings"
	"testing"
)

// Also those of libraries, which have a time of their own.
func TestEveryLineOfTheLogHasOneTimestamp(t *testing.T) {
	stamp := regexp.MustCompile(`\b20\d\d-\d\d-\d\d`)
	for _, format := range []string{"logfmt", "json"} {
		_, written := start(t, "--log.format="+format)
		for line := range strings.Lines(written.String()) {
			if n := len(stamp.FindAllString(line, -1)); n != 1 {
				t.Errorf("%d timestamps: %s", n, line)
			}
		}
	}
}
