package config

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/softdelete-exporter/softdelete_exporter/assess"
)

// corpus adds the text of all files that match.
func corpus(f *testing.F, patterns ...string) {
	for _, pattern := range patterns {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			f.Fatalf("%s: %d files, %v", pattern, len(files), err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(string(text))
		}
	}
}

// Any configuration file is either read or refused with an error.
func FuzzLoad(f *testing.F) {
	corpus(f, "testdata/*.yaml", "../config.yaml", "../examples/*/*.yaml")
	f.Add(
		"policies: [{service: a, tables: ['public\\.(a|b)']}]\ntables: [{table: \"a\\0b\", column: x, live_values: [1, " +
			"null]}]\ndefaults: {retention: none}")
	base := defaults(f)
	file := filepath.Join(f.TempDir(), "config.yaml")
	f.Fuzz(func(t *testing.T, text string) {
		if strings.Contains(text, "file") {
			return // it would be read
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		c, err := Load(base, file)
		if err != nil {
			if !strings.Contains(err.Error(), file) {
				t.Errorf("the error does not name the file: %v", err)
			}
			return
		}
		if c.MaxStale <= 3*c.TTL || c.Limits.Connections < 2 || c.Scrape.Offset >= c.Scrape.Timeout {
			t.Errorf("it was accepted: max_stale %s, ttl %s, %+v, %+v", c.MaxStale.Std(), c.TTL.Std(), c.Limits, c.Scrape)
		}
		for i := range c.Tables {
			entry := &c.Tables[i]
			name := TableName{Database: entry.Database, Schema: entry.Schema, Table: entry.Table}
			settings := c.Settings(name, entry, func(string) bool { return true })
			if p := c.Policy(settings); p.Retention < 0 {
				t.Errorf("%s.%s is kept for %s", entry.Schema, entry.Table, p.Retention)
			}
			c.LeftOut(name, nil, settings)
		}
	})
}

// Any thresholds file is either refused, or all its limits can be compared.
func FuzzThresholds(f *testing.F) {
	corpus(f, "testdata/*.json", "../mixin/thresholds.json")
	f.Add(`{"deletion_ratio": {"fair": 1e400}, "tables": [{"table": "a", "old_deleted_rows": {"poor": -0.0}}]}`)
	file := filepath.Join(f.TempDir(), "thresholds.json")
	f.Fuzz(func(t *testing.T, text string) {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		limits, err := thresholds(file)
		if err != nil {
			if err.Error() == "" || limits.ResponseMS != (assess.Thresholds{}).ResponseMS {
				t.Errorf("refused with %q, and limits %+v", err, limits)
			}
			return
		}
		for _, limit := range []float64{limits.DeletionRatio.Fair, limits.DeletionRatio.Poor, limits.OldDeletedRows.Fair,
			limits.OldDeletedRows.Poor} {
			if math.IsNaN(limit) || math.IsInf(limit, 0) || limit < 0 {
				t.Errorf("a limit is %g", limit)
			}
		}
		if limits.DeletionRatio.Poor > 1 {
			t.Errorf("a ratio above %g is poor", limits.DeletionRatio.Poor)
		}
	})
}
