// Package configtest gives tests their configuration.
package configtest

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/softdelete-exporter/softdelete_exporter/config"
)

// Loader reads a configuration over the built-in one, for the tests of a folder at the
// top level.
func Loader(tb testing.TB, text string) func() (*config.Config, error) {
	tb.Helper()
	defaults, err := os.ReadFile("../config.yaml")
	if err != nil {
		tb.Fatal(err)
	}
	file := filepath.Join(tb.TempDir(), "config.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		tb.Fatal(err)
	}
	return func() (*config.Config, error) { return config.Load(defaults, file) }
}

// Load is what Loader reads.
func Load(tb testing.TB, text string) *config.Config {
	tb.Helper()
	c, err := Loader(tb, text)()
	if err != nil {
		tb.Fatal(err)
	}
	return c
}
