//go:build e2e

package mixin

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// The example of a user's own mixin, with the layout of jb, compiled by the command in the README.
func TestExampleOfTheReadmeCompiles(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	block := func(language string) string {
		found := regexp.MustCompile("(?s)\n```" + language + "\n(.*?)```").FindSubmatch(readme)
		if found == nil {
			t.Fatalf("README.md has no block of %s", language)
		}
		return string(found[1])
	}
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	vendored := filepath.Join(dir, "vendor", "github.com", "softdelete-exporter", "softdelete_exporter", "mixin")
	if err := os.MkdirAll(filepath.Dir(vendored), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(here, vendored); err != nil {
		t.Fatal(err)
	}
	for file, text := range map[string]string{"my.jsonnet": block("jsonnet"), "thresholds.json": block("json")} {
		if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	command := regexp.MustCompile(`(?m)^jsonnet (.*)$`).FindSubmatch(readme)
	if command == nil {
		t.Fatal("README.md does not say how to compile")
	}
	jsonnet := find(t, "jsonnet")[0]
	t.Chdir(dir)
	output, ok := run(t, jsonnet, strings.Fields(string(command[1]))...)
	if !ok {
		t.Fatal(output)
	}
	for _, file := range []string{"alerts.yaml", "rules.yaml", "inhibit_rules.yaml", "dashboards/softdelete-fleet.json"} {
		if !slices.Contains(strings.Fields(output), filepath.Join("out", file)) {
			t.Errorf("%s is not made: %s", file, output)
		}
	}
	promtool := find(t, "promtool")[0]
	if output, ok := run(t, promtool, "check", "rules", "out/alerts.yaml", "out/rules.yaml"); !ok {
		t.Error(output)
	}
}
