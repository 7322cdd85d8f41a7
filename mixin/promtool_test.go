//go:build e2e

package mixin

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/softdelete-exporter/softdelete_exporter/internal/tools"
)

// find returns all programs of this name on PATH: the rules must work in each installed version of Prometheus.
func find(t testing.TB, name string) []string {
	t.Helper()
	found, err := tools.Find(name)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// run returns the output of a command, and whether it succeeded.
func run(t testing.TB, command string, args ...string) (output string, ok bool) {
	t.Helper()
	content, err := exec.Command(command, args...).CombinedOutput()
	var failed *exec.ExitError
	if err != nil && !errors.As(err, &failed) {
		t.Fatalf("%s: %v", command, err)
	}
	return string(content), err == nil
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
	if !ok || !strings.Contains(output, "5 inhibit rules") {
		t.Errorf("amtool: %s", output)
	}
}

func TestRulesHoldTheirCases(t *testing.T) {
	suites, rules := load(t)
	for _, suite := range suites {
		test := suite.whole(rules).write(t)
		for _, promtool := range find(t, "promtool") {
			t.Run(suite.name+promtool, func(t *testing.T) {
				t.Parallel()
				if output, ok := run(t, promtool, "test", "rules", test); !ok {
					t.Error(output)
				}
			})
		}
	}
}

// evaluate evaluates a part of the mixin with _config patched. It returns the output of jsonnet, and whether it
// succeeded.
func evaluate(t *testing.T, part, patch string) (output string, ok bool) {
	t.Helper()
	return run(t, find(t, "jsonnet")[0], "-e", "((import 'mixin.libsonnet') { _config+:: "+patch+" })."+part)
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
			{ schema: "public", table: "orders", response_ms: { slow: 10 } },
			{ schema: "public", table: "orders", bulk_share: 5 },
		],
	}`
	output, ok := evaluate(t, "prometheusRules", "{ thresholdOverrides: "+overrides+" }")
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
		`thresholds.tables[3]: unknown limit "response_ms"`,
		`thresholds.tables[4].bulk_share: a fraction from 0 to 1 is needed`,
	} {
		if !strings.Contains(output, want) {
			t.Errorf("%q is missing in %s", want, output)
		}
	}
	// These are checked only if the shape is right.
	for patch, want := range map[string]string{
		"deletion_ratio: { poor: 50 }": "thresholds.deletion_ratio.poor: a fraction from 0 to 1 is needed",
		"failed_share: 25":             "thresholds.failed_share: a fraction from 0 to 1 is needed",
		"release_share: 90":            "thresholds.release_share: a fraction from 0 to 1 is needed",
	} {
		output, ok := evaluate(t, "prometheusRules", "{ thresholdOverrides: { "+patch+" } }")
		if ok || !strings.Contains(output, want) {
			t.Errorf("%s: %q is missing in %s", patch, want, output)
		}
	}
}

func TestSettingsThatMakeNoSenseAreRefusedWithAWord(t *testing.T) {
	for _, wrong := range []struct{ patch, want string }{
		{"{ alerts+: { SoftDeleteDatabseDown: { enabled: false } } }",
			`_config.alerts: "SoftDeleteDatabseDown" is not known; known are SoftDeleteBulkDelete,`},
		{"{ alerts+: { SoftDeleteBulkRestore: { enabled: true } } }",
			`alerts.SoftDeleteBulkRestore: "severity" is missing; write SoftDeleteBulkRestore+:`},
		{"{ alerts+: { SoftDeleteBulkRestore+: { enable: true } } }",
			`alerts.SoftDeleteBulkRestore: "enable" is not known`},
		{"{ alerts+: { SoftDeleteBulkRestore+: { enabled: 'yes' } } }",
			`alerts.SoftDeleteBulkRestore.enabled: write true or false`},
		{"{ alerts+: { SoftDeleteBulkRestore+: { severity: 1 } } }",
			`alerts.SoftDeleteBulkRestore.severity: write a text`},
		{"{ alerts+: { SoftDeleteBulkRestore+: { 'for': '5 minutes' } } }",
			`alerts.SoftDeleteBulkRestore.for: write a duration, as 300 (seconds) or "5m", not "5 minutes"`},
		{"{ alerts+: { SoftDeleteBulkRestore: false } }",
			`alerts.SoftDeleteBulkRestore: write { enabled, severity, for }`},
		{"{ times+: { purgePeriod: '1d' } }", `_config.times: "purgePeriod" is not known`},
		{"{ times+: { bridge: 'm' } }", `_config.times.bridge: write a duration`},
		{"{ times+: { bridge: -1 } }", `_config.times.bridge: write a duration`},
		{"{ selectors: 'job=\"softdelete\"' }", `_config: "selectors" is not known; known are`},
		{"{ selector: null }", `_config.selector: write a text`},
		{"{ clusterLabels: 'cluster' }", `_config.clusterLabels: write a list of labels`},
		{"{ clusterLabel: ['cluster'] }", `_config.clusterLabel: write one label`},
		{"{ serverLabels: [] }", `_config.serverLabels: write a list of labels`},
		{"{ dashboards+: { showMulticluster: true } }", `_config.dashboards: "showMulticluster" is not known`},
		{"{ times+: { bridge: '', down: 'x' }, alerts+: { SoftDelete: 1 } }",
			`_config.times.down: write a duration`},
	} {
		output, ok := evaluate(t, "prometheusAlerts", wrong.patch)
		if ok || !strings.Contains(output, wrong.want) {
			t.Errorf("%s: %q is missing in %s", wrong.patch, wrong.want, output)
		}
	}
	for _, part := range []string{"prometheusRules", "grafanaDashboards"} {
		if output, ok := evaluate(t, part, "{ selector: null }"); ok ||
			!strings.Contains(output, "_config.selector: write a text") {
			t.Errorf("%s: %s", part, output)
		}
	}
}

func TestSettingsMayBeWrittenInMoreThanOneWay(t *testing.T) {
	same := func(one, other string) {
		t.Helper()
		for _, part := range []string{"prometheusRules", "prometheusAlerts", "grafanaDashboards"} {
			a, ok := evaluate(t, part, one)
			b, okToo := evaluate(t, part, other)
			if !ok || !okToo || a != b {
				t.Errorf("%s of %s and of %s: -one +other:\n%s", part, one, other, cmp.Diff(a, b))
			}
		}
	}
	same("{ alerts+: { SoftDeleteRatioHigh+: { 'for': '1h30m' } } }",
		"{ alerts+: { SoftDeleteRatioHigh+: { 'for': 5400 } } }")
	same("{ times+: { bridge: '0', keepFiring: '90s' } }", "{ times+: { bridge: 0, keepFiring: 90 } }")
	// kubernetes-mixin's name.
	same("{ clusterLabel: 'k8s_cluster' }", "{ clusterLabels: ['k8s_cluster'] }")
}

// Without a selector, all targets are selected. The result must still be valid PromQL.
func TestRulesWithoutASelectorAreAccepted(t *testing.T) {
	for _, patch := range []string{
		"{ selector: '' }",
		"{ clusterLabels: [], serverLabels: ['server'] }",
		"{ alerts: std.mapWithKey(function(_, a) a { enabled: false }, super.alerts) }",
		"{ alerts: std.mapWithKey(function(_, a) a { enabled: true }, super.alerts) }",
		"{ thresholdOverrides: { bulk_times_usual: 0, bulk_share: 0, alert_min_rows: 0, release_share: 0, " +
			"deletion_ratio: { min_rows: 100 } } }",
	} {
		for _, part := range []string{"prometheusRules", "prometheusAlerts"} {
			output, ok := evaluate(t, part, patch)
			if !ok {
				t.Fatalf("%s of %s: %s", part, patch, output)
			}
			file := filepath.Join(t.TempDir(), "rules.json")
			if err := os.WriteFile(file, []byte(output), 0o600); err != nil {
				t.Fatal(err)
			}
			for _, promtool := range find(t, "promtool") {
				if output, ok := run(t, promtool, "check", "rules", "--lint-fatal", file); !ok {
					t.Errorf("%s: %s of %s: %s", promtool, part, patch, output)
				}
			}
			if strings.Contains(patch, "selector") && strings.Contains(output, "{,") {
				t.Errorf("%s of %s begins its matchers with a comma", part, patch)
			}
		}
	}
}
