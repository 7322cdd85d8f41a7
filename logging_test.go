package main

import (
	"regexp"
	"strings"
	"testing"
)

// This includes lines of libraries that add their own time.
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

func TestTheLogSaysWhichServerIsWatched(t *testing.T) {
	t.Setenv("PGPORT", "6432")
	for source, want := range map[string]string{
		"postgres://bob:s3cr3t@one.test:5433,[::1]/shop":  "server=one.test:5433,[::1]:5432 database=shop",
		"host=/run/postgresql user=bob password='s3cr3t'": "server=/run/postgresql:6432 database=bob",
	} {
		t.Setenv("DATA_SOURCE_NAME", source)
		_, written := start(t)
		if log := written.String(); !strings.Contains(log, "msg=watching "+want+"\n") || strings.Contains(log, "s3cr3t") {
			t.Errorf("want %s:\n%s", want, log)
		}
	}
}
