package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/softdelete-exporter/softdelete_exporter/assess"
	"github.com/softdelete-exporter/softdelete_exporter/mixin"
)

// limits loads a configuration whose thresholds_file has the text.
func limits(t *testing.T, text string) (assess.Thresholds, error) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "limits.json")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := load(t, "thresholds_file: "+file)
	if err != nil {
		return assess.Thresholds{}, err
	}
	return c.Thresholds, nil
}

func TestThresholdsAreTheMixinsUnlessOverridden(t *testing.T) {
	c, err := load(t, "")
	if err != nil {
		t.Fatal(err)
	}
	all := c.Thresholds
	if got, want := all.ResponseMS.Slow, 100.0; got != want {
		t.Errorf("response_ms.slow is %g, want %g", got, want)
	}
	want := assess.Limits{
		DeletionRatio:  assess.Levels{Fair: 0.25, Poor: 0.5},
		OldDeletedRows: assess.Levels{Fair: 1000, Poor: 10000},
		BulkRows:       10000, AlertMinRows: 1000,
	}
	if diff := cmp.Diff(want, all.For("shop", "public", "orders")); diff != "" {
		t.Errorf("limits (-want +got):\n%s", diff)
	}
	same, err := limits(t, string(mixin.Thresholds))
	if diff := cmp.Diff(all, same); diff != "" || err != nil {
		t.Errorf("the mixin's own file overrides something (-without +with): %v\n%s", err, diff)
	}
}

func TestATablesOwnLimitsStandOnThoseForAll(t *testing.T) {
	all, err := limits(t, `{
		"deletion_ratio": { "poor": 0.6 },
		"tables": [
			{ "schema": "public", "table": "orders", "deletion_ratio": { "fair": 0.4 }, "bulk_rows": 0 },
			{ "database": "shop", "schema": "public", "table": "orders",
				"deletion_ratio": { "fair": 0.3 }, "alert_min_rows": 5 }
		]
	}`)
	if err != nil {
		t.Fatal(err)
	}
	old := assess.Levels{Fair: 1000, Poor: 10000}
	for _, test := range []struct {
		database, schema, table string
		want                    assess.Limits
	}{
		{"shop", "public", "orders", assess.Limits{DeletionRatio: assess.Levels{Fair: 0.3, Poor: 0.6}, OldDeletedRows: old,
			AlertMinRows: 5}},
		{"archive", "public", "orders", assess.Limits{DeletionRatio: assess.Levels{Fair: 0.4, Poor: 0.6},
			OldDeletedRows: old, AlertMinRows: 1000}},
		{"shop", "private", "orders", assess.Limits{DeletionRatio: assess.Levels{Fair: 0.25, Poor: 0.6}, OldDeletedRows: old,
			BulkRows: 10000, AlertMinRows: 1000}},
	} {
		if diff := cmp.Diff(test.want, all.For(test.database, test.schema, test.table)); diff != "" {
			t.Errorf("%s %s.%s (-want +got):\n%s", test.database, test.schema, test.table, diff)
		}
	}
}

func TestEveryFaultOfTheThresholdsNamesItsField(t *testing.T) {
	file, err := filepath.Abs("testdata/thresholds.bad.json")
	if err != nil {
		t.Fatal(err)
	}
	if _, err = load(t, "thresholds_file: "+file); err == nil {
		t.Fatal("was accepted")
	}
	want := []string{
		`thresholds.response_ms.slow: a number is needed, not the text "fast"`,
		`thresholds.deletion_ratio: an object is needed, not the number 25`,
		`thresholds.old_deleted_rows.fair: a limit cannot be negative, as -1 is`,
		`thresholds.old_deleted_rows.pour: is unknown; the known names are fair, poor`,
		`thresholds.alert_min_rows: a number is needed, not null`,
		`thresholds.tables[0].schema: is missing`,
		`thresholds.tables[0].bulk_rows: a number is needed, not a list`,
		`thresholds.tables[1]: an object is needed, not the number 7`,
		`thresholds.tables[2].response_ms: is unknown; the known names are alert_min_rows, bulk_rows, bulk_share,`,
		`thresholds.tables[3].deletion_ratio: fair (0.75) must not be above poor (0.5)`,
		`thresholds.tables[5].purge_period_seconds: a limit cannot be negative`,
		`thresholds.tables[6].bulk_share: write a fraction from 0 to 1, not a percentage`,
		`thresholds.tables[4].deletion_ratio.poor: write a fraction from 0 to 1, not a percentage`,
		`thresholds.tables[7].schemas: "(" is not a pattern: `,
		`thresholds.tables[8].table: cannot be used together with patterns; write a pattern in tables instead`,
	}
	for _, w := range want {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("the error does not say %q", w)
		}
	}
	if got := strings.Count(err.Error(), "thresholds.bad.json"); got != len(want) {
		t.Errorf("%d faults name the file, want %d", got, len(want))
	}
	if t.Failed() {
		t.Log(err)
	}
}

// Limits that only the alerts of Prometheus use are in the same file.
func TestLimitsOfTheAlertsAloneAreAccepted(t *testing.T) {
	all, err := limits(t, `{
		"failed_share": 0.5, "purge_grace_seconds": 0, "deletion_ratio": { "min_rows": 100 },
		"tables": [{
			"schema": "public", "table": "ledger", "deletion_ratio": { "min_rows": 10 },
			"purge_period_seconds": 2678400, "purge_grace_seconds": 86400,
			"bulk_share": 0.5, "bulk_times_usual": 1, "stale_after_ttls": 6
		}]
	}`)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := all.For("shop", "public", "ledger").DeletionRatio.Poor, 0.5; got != want {
		t.Errorf("a ratio is poor above %g, want %g", got, want)
	}
	if _, err := limits(t, `{ "failed_share": 25 }`); err == nil ||
		!strings.Contains(err.Error(), "thresholds.failed_share: write a fraction") {
		t.Error(err)
	}
}

func TestThresholdsAreOneObject(t *testing.T) {
	for _, test := range []struct{ name, text, want string }{
		{"a list", `[]`, "write one JSON object"},
		{"null", `null`, "write one JSON object"},
		{"two", `{} {}`, "and nothing else"},
		{"no JSON", "{\n\"bulk_rows\": 1,\n}", "line 3: "},
		{"tables of no list", `{"tables": {}}`, "thresholds.tables: a list is needed, not an object"},
		{"cut off", `{"bulk_rows": 1`, "unexpected EOF"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if _, err := limits(t, test.text); err == nil || !strings.Contains(err.Error(), test.want) ||
				!strings.Contains(err.Error(), "limits.json") {
				t.Errorf("the error is %v, want it to say %q and name the file", err, test.want)
			}
		})
	}
	if _, err := load(t, "thresholds_file: no/such.json"); err == nil || !strings.Contains(err.Error(), "no/such.json") {
		t.Error(err)
	}
}

func TestVariablesOfTheReferenceDriveTheReportsAlerts(t *testing.T) {
	c, err := load(t, "")
	if diff := cmp.Diff(assess.AlertConditions{HighDeletionRatio: true, BulkOperations: true},
		c.Alerts); diff != "" || err != nil {
		t.Errorf("without variables (-want +got): %v\n%s", err, diff)
	}
	for name, value := range map[string]string{
		"SOFT_DELETE_ALERT_ON_HIGH_DELETION_RATIO":   "false",
		"SOFT_DELETE_DELETION_RATIO_ALERT_THRESHOLD": "0.4",
		"SOFT_DELETE_ALERT_ON_BULK_OPERATIONS":       "0",
		"SOFT_DELETE_BULK_OPERATION_ALERT_THRESHOLD": "500",
	} {
		t.Setenv(name, value)
	}
	ratio, bulk := 0.4, 500.0
	if c, err = load(t, ""); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(assess.AlertConditions{DeletionRatio: &ratio, BulkRows: &bulk}, c.Alerts); diff != "" {
		t.Errorf("with variables (-want +got):\n%s", diff)
	}
	t.Setenv("SOFT_DELETE_ALERT_ON_BULK_OPERATIONS", "maybe")
	t.Setenv("SOFT_DELETE_DELETION_RATIO_ALERT_THRESHOLD", "25") // a percentage
	t.Setenv("SOFT_DELETE_BULK_OPERATION_ALERT_THRESHOLD", "NaN")
	_, err = load(t, "")
	for _, name := range []string{"SOFT_DELETE_ALERT_ON_BULK_OPERATIONS", "SOFT_DELETE_DELETION_RATIO_ALERT_THRESHOLD",
		"SOFT_DELETE_BULK_OPERATION_ALERT_THRESHOLD"} {
		if err == nil || !strings.Contains(err.Error(), name+": write ") {
			t.Errorf("the error does not name %s: %v", name, err)
		}
	}
}
