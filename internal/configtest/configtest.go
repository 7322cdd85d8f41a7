// Package configtest makes configurations for tests.
package configtest

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/softdelete-exporter/softdelete_exporter/config"
)

// Loader returns a function that loads a configuration on top of the built-in one. It is for tests in a top-level
// folder.
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

// Load loads the configuration that Loader would.
func Load(tb testing.TB, text string) *config.Config {
	tb.Helper()
	c, err := Loader(tb, text)()
	if err != nil {
		tb.Fatal(err)
	}
	return c
}
