//go:build e2e

package mixin

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/softdelete-exporter/softdelete_exporter/internal/tools"
)

// find returns the programs of that name on PATH: the rules must hold in each
// version of Prometheus that is installed.
func find(t *testing.T, name string) []string {
	t.Helper()
	found, err := tools.Find(name)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// run returns what a command printed, and whether it succeeded.
func run(t *testing.T, command string, args ...string) (output string, ok bool) {
	t.Helper()
	content, err := exec.Command(command, args...).CombinedOutput()
	var failed *exec.ExitError
	if err != nil && !errors.As(err, &failed) {
		t.Fatalf("%s: %v", command, err)
	}
	return string(content), err == nil
}

// suites writes the promtool tests into a directory and returns them, those
// that are quickly run first.
func suites(t *testing.T, mutation string) []string {
	t.Helper()
	dir := t.TempDir()
	output, ok := run(t, find(t, "jsonnet")[0], "-c", "-m", dir, "--tla-code", "mutation="+mutation,
		"tests/suites.jsonnet")
	if !ok {
		t.Fatalf("tests/suites.jsonnet: %s", output)
	}
	found, err := filepath.Glob(filepath.Join(dir, "*", "test.json"))
	if err != nil {
		t.Fatal(err)
	}
	size := func(path string) int64 {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		return info.Size()
	}
	slices.SortFunc(found, func(a, b string) int { return int(size(a) - size(b)) })
	return found
}

func TestCompiledFilesAreWhatTheSourcesSay(t *testing.T) {
	dir := t.TempDir()
	if output, ok := run(t, find(t, "jsonnet")[0], "-S", "-c", "-m", dir, "compile.jsonnet"); !ok {
		t.Fatal(output)
	}
	compiled := read(t, os.DirFS(dir))
	committed := map[string]string{}
	for path, content := range read(t, os.DirFS(".")) {
		switch filepath.Ext(path) {
		case ".yaml", ".json":
			if path != "thresholds.json" && path != "jsonnetfile.json" && filepath.Dir(path) != "tests" {
				committed[path] = content
			}
		}
	}
	committed["README.md"] = read(t, os.DirFS("."))["README.md"]
	if diff := cmp.Diff(compiled, committed); diff != "" {
		t.Errorf("run make generate and commit the result (-made now +committed):\n%s", diff)
	}
}

// read returns the content of every file.
func read(t *testing.T, dir fs.FS) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := fs.WalkDir(dir, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := fs.ReadFile(dir, path)
		files[path] = string(content)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func TestPrometheusAcceptsTheRules(t *testing.T) {
	for _, promtool := range find(t, "promtool") {
		if output, ok := run(t, promtool, "check", "rules", "--lint-fatal", "alerts.yaml", "rules.yaml"); !ok {
			t.Errorf("%s: %s", promtool, output)
		}
	}
}

func TestAlertmanagerAcceptsTheInhibitionRules(t *testing.T) {
	inhibition, err := os.ReadFile("inhibit_rules.yaml")
	if err != nil {
		t.Fatal(err)
	}
	config := filepath.Join(t.TempDir(), "alertmanager.yaml")
	content := append([]byte("route: { receiver: nobody }\nreceivers: [{ name: nobody }]\n"), inhibition...)
	if err := os.WriteFile(config, content, 0o600); err != nil {
		t.Fatal(err)
	}
	output, ok := run(t, find(t, "amtool")[0], "check-config", config)
	if !ok || !strings.Contains(output, "2 inhibit rules") {
		t.Errorf("amtool: %s", output)
	}
}

func TestRulesHoldTheirCases(t *testing.T) {
	tests := suites(t, "{}")
	if len(tests) == 0 {
		t.Fatal("no tests were written")
	}
	for _, promtool := range find(t, "promtool") {
		for _, test := range tests {
			t.Run(promtool+"/"+filepath.Base(filepath.Dir(test)), func(t *testing.T) {
				if output, ok := run(t, promtool, "test", "rules", test); !ok {
					t.Error(output)
				}
			})
		}
	}
}

// Each limit and each time is moved, up and down, across the cases that stand
// on both of its sides. Texts are left alone, so that it is the alert's coming
// and going that a case must notice, not the number in its description.
func TestEveryLimitIsGuardedByACase(t *testing.T) {
	output, ok := run(t, find(t, "jsonnet")[0], "tests/mutations.jsonnet")
	if !ok {
		t.Fatal(output)
	}
	var mutations map[string]json.RawMessage
	if err := json.Unmarshal([]byte(output), &mutations); err != nil {
		t.Fatal(err)
	}
	if len(mutations) == 0 {
		t.Fatal("nothing is moved")
	}
	promtool := find(t, "promtool")[0]
	for name, mutation := range mutations {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tests := suites(t, string(bytes.TrimSpace(mutation)))
			health := func(test string) bool { return strings.HasPrefix(filepath.Base(filepath.Dir(test)), "health_") }
			// A limit of the alerts and of the verdicts is guarded in both.
			guarded := map[bool]bool{}
			for _, test := range tests {
				kind := health(test)
				if guarded[kind] {
					continue
				}
				output, ok := run(t, promtool, "test", "rules", test)
				if !ok && !strings.Contains(output, "got:") {
					t.Fatalf("promtool cannot run the test: %s", output)
				}
				guarded[kind] = !ok
			}
			if len(guarded) == 0 {
				t.Fatal("no rule depends on it")
			}
			for kind, found := range guarded {
				if !found {
					t.Errorf("no case notices (of the verdicts: %v)", kind)
				}
			}
		})
	}
}

func TestOverridesThatMakeNoSenseAreRefusedAllAtOnce(t *testing.T) {
	overrides := `{
		slow: 1,
		bulk_rows: "many",
		alert_min_rows: -1,
		deletion_ratio: { poor: 50 },
		tables: [
			{ schema: "public", deletion_ratio: { fair: 0.9 } },
			{ schema: "public", table: "orders", retention: 1 },
			{ schema: "public", table: "orders", old_deleted_rows: { fair: 20000 } },
		],
	}`
	output, ok := run(t, find(t, "jsonnet")[0], "-e",
		"((import 'mixin.libsonnet') { _config+:: { thresholdOverrides: "+overrides+" } }).prometheusRules")
	if ok {
		t.Fatal("they were accepted")
	}
	for _, want := range []string{
		`thresholds: unknown limit "slow"`,
		`thresholds.bulk_rows: a number is needed, not a string`,
		`thresholds.alert_min_rows: a limit cannot be negative`,
		`thresholds.tables[0]: "table" is needed`,
		`thresholds.tables[0].deletion_ratio: fair must not be above poor`,
		`thresholds.tables[1]: unknown limit "retention"`,
		`thresholds.tables[2].old_deleted_rows: fair must not be above poor`,
	} {
		if !strings.Contains(output, want) {
			t.Errorf("no word of %q in %s", want, output)
		}
	}
	// Known only when the shape is right.
	output, _ = run(t, find(t, "jsonnet")[0], "-e",
		"((import 'mixin.libsonnet') { _config+:: { thresholdOverrides: { deletion_ratio: { poor: 50 } } } "+
			"}).prometheusRules")
	if want := "thresholds.deletion_ratio.poor: a fraction from 0 to 1 is needed"; !strings.Contains(output, want) {
		t.Errorf("no word of %q in %s", want, output)
	}
}
