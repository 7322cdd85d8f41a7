package assess_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/softdelete-exporter/softdelete_exporter/assess"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

var (
	up      = []softdelete.Ping{{At: noon, Up: true, Duration: 2 * time.Millisecond}}
	all     = assess.AlertConditions{HighDeletionRatio: true, BulkOperations: true}
	checked = softdelete.Checks{Connect: true, Discovery: true, Counting: true}
	timed   = softdelete.Markers{{Kind: softdelete.Timestamp, Column: "deleted_at",
		Time: &softdelete.Time{Column: "deleted_at", Type: softdelete.Timestamptz}}}
	kept = softdelete.Policy{Retention: 90 * 24 * time.Hour, TimeZone: "UTC"}
)

// counted is a table with exact numbers.
func counted(name string, total, deleted, old int64) softdelete.Table {
	n := softdelete.ExactNumbers(total, deleted)
	o := softdelete.Exactly(old)
	n.Old = &o
	t := softdelete.Table{Schema: "public", Name: name, Markers: timed, Policy: kept, Purging: &softdelete.Purging{}}
	t.Succeed(n, noon)
	return t
}

func assessed(t *testing.T, tables ...softdelete.Table) *assess.Assessment {
	t.Helper()
	s := &softdelete.Snapshot{Taken: noon,
		Databases: []softdelete.Database{{Name: "shop", Checks: checked, Tables: tables}}}
	return assess.Assess(up, s, thresholds(t, nil), all, noon)
}

func TestAVerdictSaysWhyInTheWordsOfTheReference(t *testing.T) {
	locked := counted("locked", 10, 9, 9)
	locked.Fail(softdelete.Problem{Reason: softdelete.Locked}, true, noon, time.Minute)
	expired := counted("expired", 10, 1, 0)
	expired.Numbers = nil
	for _, test := range []struct {
		table softdelete.Table
		want  string
	}{
		{counted("good", 100, 1, 0), "good"},
		{counted("ratio", 100, 51, 0), "poor - high deletion ratio"},
		{counted("old", 1e6, 20000, 10001), "poor - too many old deleted records"},
		{counted("both", 40000, 30000, 10001), "poor - high deletion ratio, too many old deleted records"},
		{counted("fair", 100, 26, 0), "fair - cleanup recommended"},
		{locked, "unknown - locked"},
		{expired, "unknown - not confirmed for too long"},
		{softdelete.Table{Schema: "public", Name: "new"}, "unknown - not counted yet"},
	} {
		if got := assessed(t, test.table).Tables[0].Verdict.String(); got != test.want {
			t.Errorf("%s is %q, want %q", test.table.Name, got, test.want)
		}
	}
}

func TestAnIntervalThatStraddlesALimitSaysSo(t *testing.T) {
	for _, test := range []struct {
		ratio, margin, old, oldMargin float64
		want                          string
	}{
		{0.4, 0.05, 0, 0, ""},
		{0.4, 0.12, 0, 0, "between fair and poor"},
		{0.2, 0.1, 0, 0, "between good and fair"},
		{0.2, 0.1, 9000, 9000, "between good and poor"},
		{0.6, 0.05, 9000, 9000, ""}, // poor already
		{0.2, softdelete.NoMargin, 0, 0, ""},
	} {
		table := counted("sampled", 1e6, int64(test.ratio*1e6), 0)
		table.Numbers.Ratio.Margin = test.margin
		table.Numbers.Old = &softdelete.Estimate{Value: test.old, Margin: test.oldMargin}
		if got := assessed(t, table).Tables[0].Verdict.Range(); got != test.want {
			t.Errorf("%+v is %q, want %q", test, got, test.want)
		}
	}
}

func TestADatabaseThatCannotBeLookedIntoIsUnknown(t *testing.T) {
	for _, checks := range []softdelete.Checks{{}, {Connect: true}} {
		s := &softdelete.Snapshot{Taken: noon,
			Databases: []softdelete.Database{{Name: "shop", Checks: checks}, {Name: "other", Checks: checked}}}
		a := assess.Assess(up, s, thresholds(t, nil), all, noon)
		if a.Databases[0].Health != softdelete.Unknown || a.Databases[1].Health != softdelete.Good ||
			a.Health != softdelete.Unknown || a.Healthy {
			t.Errorf("%+v: shop is %s, other %s, all %s, healthy %t", checks, a.Databases[0].Health, a.Databases[1].Health,
				a.Health, a.Healthy)
		}
	}
}

func TestHealthyMeansConnectedAndNothingPoorOrUnknown(t *testing.T) {
	if a := assessed(t, counted("fair", 100, 26, 0)); !a.Healthy {
		t.Error("a fair table makes it unhealthy")
	}
	if a := assessed(t, counted("poor", 100, 51, 0)); a.Healthy {
		t.Error("a poor table leaves it healthy")
	}
	down := assess.Assess([]softdelete.Ping{{At: noon}}, softdelete.Empty("shop"), thresholds(t, nil), all, noon)
	never := assess.Assess(nil, softdelete.Empty("shop"), thresholds(t, nil), all, noon)
	if down.Healthy || never.Healthy || never.Connection.Status != assess.Unhealthy {
		t.Error("without a connection it is healthy")
	}
}

func TestTheWorstTableComesFirst(t *testing.T) {
	straddling := counted("straddling", 100, 1, 0)
	straddling.Numbers.Ratio.Margin = 0.4
	a := assessed(t, counted("good", 100, 9, 0), counted("better", 100, 1, 0), straddling,
		counted("fair", 100, 26, 0), softdelete.Table{Schema: "public", Name: "unknown"}, counted("poor", 100, 90, 0),
		counted("poorer", 1000, 900, 0))
	var names []string
	for _, table := range a.Tables {
		names = append(names, table.Name)
	}
	want := []string{"poorer", "poor", "unknown", "fair", "straddling", "good", "better"}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Errorf("order (-want +got):\n%s", diff)
	}
}

func messages(alerts []assess.Alert) []string {
	var all []string
	for _, a := range alerts {
		all = append(all, a.Message)
	}
	return all
}

func TestAlertsAreThoseOfTheReference(t *testing.T) {
	bulk := counted("bulk", 1e6, 20000, 0)
	recent := softdelete.Exactly(10001)
	bulk.Numbers.Recent = &recent
	calm := counted("calm", 1e6, 250000, 10000) // at the limits
	calmRecent := softdelete.Exactly(10000)
	calm.Numbers.Recent = &calmRecent
	unsure := counted("unsure", 1e6, 300000, 0)
	unsure.Numbers.Ratio.Margin = 0.1
	tables := []softdelete.Table{counted("ratio", 1000, 251, 0), counted("old", 1e6, 20000, 10001), bulk, calm, unsure,
		counted("small", 999, 999, 999)}
	s := &softdelete.Snapshot{Taken: noon,
		Databases: []softdelete.Database{{Name: "shop", Checks: checked, Tables: tables}}}

	slow := []softdelete.Ping{{At: noon, Up: true, Duration: 250 * time.Millisecond}}
	ratio, rows := 0.99, 20000.0
	for _, test := range []struct {
		name       string
		pings      []softdelete.Ping
		conditions assess.AlertConditions
		want       []string
	}{
		{"as a rule", up, all, []string{
			"Too many old deleted records in public.old: 10,001", "High deletion ratio in public.ratio: 25.1%",
			"Bulk operation in public.bulk: 10,001 rows deleted recently"}},
		{"slow", slow, assess.AlertConditions{},
			[]string{"Slow database response: 250 ms", "Too many old deleted records in public.old: 10,001"}},
		{"down", []softdelete.Ping{{Err: "connection refused"}}, assess.AlertConditions{}, []string{
			"Database connection failure: connection refused", "Too many old deleted records in public.old: 10,001"}},
		{"other limits", up, assess.AlertConditions{HighDeletionRatio: true, DeletionRatio: &ratio, BulkOperations: true,
			BulkRows: &rows},
			[]string{"Too many old deleted records in public.old: 10,001"}},
	} {
		a := assess.Assess(test.pings, s, thresholds(t, nil), test.conditions, noon)
		if diff := cmp.Diff(test.want, messages(a.Alerts)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.name, diff)
		}
		// Overrides for the report's alerts must not change the verdicts.
		if a.Tables[0].Verdict.Health != softdelete.Poor {
			t.Errorf("%s: the conditions changed a verdict", test.name)
		}
	}
}

// kinds returns the recommendations in a short form.
func kinds(a *assess.Assessment) []string {
	var all []string
	for _, r := range a.Recommendations {
		all = append(all, string(r.Kind)+": "+r.Title)
	}
	return all
}

func TestRecommendations(t *testing.T) {
	flag := counted("flag", 1000, 600, 0)
	flag.Markers, flag.Numbers.Old = softdelete.Markers{{Kind: softdelete.Flag, Column: "gone"}}, nil
	forever := counted("forever", 1000, 600, 0)
	forever.Policy.Retention, forever.Numbers.Old = 0, nil
	denied := func(name string) softdelete.Table {
		t := softdelete.Table{Schema: "public", Name: name}
		t.Fail(softdelete.Problem{Reason: softdelete.PermissionDenied, Message: "no", Remedy: "GRANT " + name + ";"}, true,
			noon, time.Minute)
		return t
	}
	for _, test := range []struct {
		name   string
		tables []softdelete.Table
		want   []string
	}{
		{"nothing to do", []softdelete.Table{counted("good", 1000, 1, 1)}, nil},
		{"a purge is enough", []softdelete.Table{counted("old", 50000, 20000, 19000)},
			[]string{"purge: Purge 19,000 old deleted rows of public.old."}},
		{"a small table", []softdelete.Table{counted("tiny", 2, 1, 1)}, nil},
		{"a small table of young rows", []softdelete.Table{counted("tiny", 10, 7, 0)}, nil},
		{"a purge is not enough", []softdelete.Table{counted("rotten", 100000, 70000, 20000)},
			[]string{"purge: Purge 20,000 old deleted rows of public.rotten."}},
		{"a purge would change nothing", []softdelete.Table{counted("young", 100000, 70000, 3)},
			[]string{"retention: Check whether deleted rows of public.young must be kept so long."}},
		{"many that nothing can purge", []softdelete.Table{counted("young", 100000, 70000, 3),
			counted("younger", 100000, 60000, 3)},
			[]string{"retention: Check whether deleted rows of 2 tables must be kept so long."}},
		{"no time of deletion", []softdelete.Table{flag},
			[]string{"retention: Record when rows of public.flag are deleted."}},
		{"never purged", []softdelete.Table{forever}, nil},
		{"one without access", []softdelete.Table{denied("a")}, []string{"access: Make public.a readable."}},
		{"many without access", []softdelete.Table{denied("a"), denied("b"), denied("c")},
			[]string{"access: Make 3 tables of database shop readable."}},
		{"no tables", nil, []string{"configuration: Tell the exporter which tables use soft delete."}},
		{"the urgent first", []softdelete.Table{counted("fair", 100000, 26000, 1001), denied("a"),
			counted("poor", 100000, 20000, 20000)},
			[]string{"purge: Purge 20,000 old deleted rows of public.poor.", "access: Make public.a readable.",
				"purge: Purge 1,001 old deleted rows of public.fair."}},
	} {
		t.Run(test.name, func(t *testing.T) {
			a := assessed(t, test.tables...)
			if diff := cmp.Diff(test.want, kinds(a)); diff != "" {
				t.Errorf("recommendations (-want +got):\n%s", diff)
			}
			for _, r := range a.Recommendations {
				if r.Reason == "" || r.Gain.Text == "" || r.Kind != assess.PurgeRows && r.Advice == nil && len(r.Remedies) == 0 {
					t.Errorf("%q lacks a reason, a gain, or what to do: %+v", r.Title, r)
				}
				for _, text := range slices.Concat([]string{r.Title, r.Reason, r.Gain.Text}, r.Notes) {
					if !strings.HasSuffix(text, ".") || strings.Contains(" "+text, " 1 rows") {
						t.Errorf("%q is not a sentence", text)
					}
				}
			}
		})
	}
}

// The effect of a shorter retention depends on how old the rows are.
func TestAShorterRetentionHelpsOnlyWithOldRows(t *testing.T) {
	for age, want := range map[time.Duration]string{
		0:                "A purge can then remove the rows that are older than the new retention.",
		time.Hour:        "None for now: the oldest deletion is less than a day old.",
		49 * time.Hour:   "the oldest deletion is 2 days old.",
		2400 * time.Hour: "the oldest deletion is 100 days old.",
	} {
		young := counted("young", 100000, 70000, 3)
		if age > 0 {
			young.Numbers.Oldest = noon.Add(-age)
		}
		r := assessed(t, young).Recommendations[0]
		if !strings.HasSuffix(r.Gain.Text, want) || !strings.Contains(r.Remedies[0], "retention: "+softdelete.FillIn) {
			t.Errorf("%s: %q with %q, want %q", age, r.Gain.Text, r.Remedies, want)
		}
	}
}

func TestManyUnreadableTablesKeepTheirRemedies(t *testing.T) {
	var tables []softdelete.Table
	for _, name := range []string{"a", "b"} {
		table := softdelete.Table{Schema: "public", Name: name}
		table.Fail(softdelete.Problem{Reason: softdelete.PermissionDenied, Remedy: "GRANT " + name}, true, noon, time.Minute)
		tables = append(tables, table)
	}
	if got, want := assessed(t, tables...).Recommendations[0].Remedies, []string{"GRANT a",
		"GRANT b"}; !slices.Equal(got, want) {
		t.Errorf("remedies are %q, want %q", got, want)
	}
}

func TestNamesThatYAMLTakesForSomethingElseAreQuoted(t *testing.T) {
	for name, want := range map[string]string{"users": "table: users", "Users": "table: Users", "on": `table: "on"`,
		"2fa": `table: "2fa"`, "a: b": `table: "a: b"`} {
		a := assessed(t, counted(name, 1000, 600, 0))
		if got := a.Recommendations[0].Remedies[0]; !strings.Contains(got, want) {
			t.Errorf("%q is not in %q", want, got)
		}
	}
}
