package assess_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/softdelete-exporter/softdelete_exporter/assess"
	"github.com/softdelete-exporter/softdelete_exporter/predicate"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// large makes a table so large that an index helps its purge.
func large(t softdelete.Table, indexes ...softdelete.Index) softdelete.Table {
	t.Indexing = &softdelete.Indexing{HOT: 1, At: noon, Bytes: 1 << 30, Indexes: indexes}
	return t
}

func TestWrongDataComesFirstAndAnIndexStandsBeforeItsPurge(t *testing.T) {
	toothless := softdelete.Index{Name: "email_key", Method: "btree", Valid: true, Unique: true,
		Keys: []softdelete.Key{{Column: "email"}, {Column: "deleted_at"}}}
	toothless.Scope = predicate.ScopeOf(timed, "")
	a := assessed(t,
		large(counted("carts", 100000, 60000, 20000)),
		large(counted("subscribers", 10000, 100, 0), toothless),
		large(counted("fresh", 10_000_000, 6_000_000, 0)), // poor, with nothing to purge yet
	)
	want := []string{
		"poor index: Make public.subscribers unique among live rows.",
		"fair index: Index the deletion time of public.carts for its purge.",
		"poor purge: Purge 20,000 old deleted rows of public.carts.",
		"poor retention: Check whether deleted rows of public.fresh must be kept so long.",
		"fair index: Index the deletion time of public.fresh for its purge.",
	}
	var got []string
	for _, r := range a.Recommendations {
		got = append(got, r.Urgency.String()+" "+string(r.Kind)+": "+r.Title)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if gain := a.Recommendations[1].Gain.Text; !strings.HasSuffix(gain, "less to read for the whole purge.") {
		t.Errorf("the gain of an index for the purge is %q", gain)
	}
}

func TestAServerThatRefusesIsNotSaidToBeSilent(t *testing.T) {
	refused := []softdelete.Ping{{At: noon, Err: `FATAL: database "shop" does not exist (SQLSTATE 3D000)`,
		Remedy: "There is no such database."}}
	a := assess.Assess(refused, softdelete.Empty("shop"), thresholds(t, nil), all, noon)
	r := a.Recommendations[0]
	if want := `Cannot connect: FATAL: database "shop" does not exist (SQLSTATE 3D000).`; a.Connection.Failure() != want {
		t.Errorf("the failure is %q, want %q", a.Connection.Failure(), want)
	}
	// The failure is said once, above; here is what to do about it.
	if strings.Contains(r.Reason, "SQLSTATE") || !slices.Equal(r.Notes, []string{"There is no such database."}) {
		t.Errorf("the reason is %q, the notes %q", r.Reason, r.Notes)
	}
	if diff := cmp.Diff([]string{`psql "$DATA_SOURCE_NAME" -c 'SELECT 1'`}, r.Remedies); diff != "" {
		t.Errorf("remedies (-want +got):\n%s", diff)
	}
}

func TestWhatTimesOutIsGivenMoreTimeOnlyWhereNothingElseHelps(t *testing.T) {
	timedOut := func(name, remedy string) softdelete.Table {
		t := softdelete.Table{Schema: "public", Name: name}
		t.Fail(softdelete.Problem{Reason: softdelete.TimedOut, Message: "canceled", Remedy: remedy}, true, noon, time.Minute)
		return t
	}
	const grant, longer = "GRANT SELECT;", "limits:\n  statement_timeout: 5s"
	for _, test := range []struct {
		name   string
		tables []softdelete.Table
		want   []string
	}{
		{"none has a remedy", []softdelete.Table{timedOut("a", ""), timedOut("b", "")}, []string{longer}},
		{"each has one", []softdelete.Table{timedOut("a", grant)}, []string{grant}},
		{"one has one", []softdelete.Table{timedOut("a", grant), timedOut("b", "")}, []string{grant, longer}},
	} {
		if diff := cmp.Diff(test.want, assessed(t, test.tables...).Recommendations[0].Remedies); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.name, diff)
		}
	}
}

func TestAPurgeOfWhatIsUncertainIsWithheldAndSettled(t *testing.T) {
	known := softdelete.Purging{At: noon, Columns: "deleted_at timestamp with time zone", Owner: "shop"}
	with := func(change func(*softdelete.Table)) softdelete.Table {
		table, purging := counted("old", 50000, 20000, 19000), known
		table.Purging, table.Policy.ZoneKnown = &purging, false
		if change != nil {
			change(&table)
		}
		return table
	}
	for _, test := range []struct {
		name     string
		table    softdelete.Table
		withheld string
		remedy   string
	}{
		{"nothing", with(nil), "", ""},
		{"what was not looked at", with(func(t *softdelete.Table) { t.Purging = nil }),
			"what stands in the way is not known", ""},
		{"what the catalogs say", with(func(t *softdelete.Table) {
			t.Purging.Problems = []string{"rule r of public.old would rewrite the DELETE"}
		}), "rule r of public.old would rewrite the DELETE", ""},
		{"a zone", with(func(t *softdelete.Table) {
			t.Markers = softdelete.Markers{{Kind: softdelete.Timestamp, Column: "deleted_at",
				Time: &softdelete.Time{Column: "deleted_at", Type: softdelete.LocalTimestamp}}}
			t.Policy.TimeZone = "UTC"
		}), `the time zone of column "deleted_at", UTC, is assumed`,
			"tables:\n  - schema: public\n    table: old\n    time_zone: <fill in>"},
		{"a unit", with(func(t *softdelete.Table) {
			t.Markers = softdelete.Markers{{Kind: softdelete.Pair, Column: "gone", Configured: true,
				Time: &softdelete.Time{Column: "deletedAt", Type: softdelete.EpochTime, Unit: softdelete.Milliseconds}}}
		}), `the unit of column "deletedAt", ms, is a guess`,
			"tables:\n  - schema: public\n    table: old\n    column: gone\n    time_column: deletedAt\n    unit: <fill in>"},
		{"what live rows hold", with(func(t *softdelete.Table) {
			t.Markers = softdelete.Markers{{Kind: softdelete.Sentinel, Column: "deleted_at", Live: []string{"1970-01-01"},
				Time: &softdelete.Time{Column: "deleted_at", Type: softdelete.Timestamptz}}}
			t.Purging.Defaulted = true
		}), `column "deleted_at" has or had a default, and live rows may hold another one than it has now`,
			"tables:\n  - schema: public\n    table: old\n    column: deleted_at\n    live_values: [<fill in>]"},
		{"what live rows hold, as given", with(func(t *softdelete.Table) {
			t.Markers = softdelete.Markers{{Kind: softdelete.Sentinel, Column: "deleted_at", Live: []string{"1970-01-01"},
				Given: true, Time: &softdelete.Time{Column: "deleted_at", Type: softdelete.Timestamptz}}}
			t.Purging.Defaulted = true
		}), "", ""},
		{"a table without live rows", with(func(t *softdelete.Table) {
			t.Numbers.Total, t.Numbers.Active = t.Numbers.Deleted, softdelete.Exactly(0)
		}), `no live row is left: what column "deleted_at" holds may be what live rows hold`,
			"tables:\n  - schema: public\n    table: old\n    column: deleted_at\n    kind: <fill in>"},
		{"a table without live rows, as given", with(func(t *softdelete.Table) {
			t.Numbers.Total, t.Numbers.Active = t.Numbers.Deleted, softdelete.Exactly(0)
			t.Markers = slices.Clone(t.Markers)
			t.Markers[0].Given = true
		}), "", ""},
		{"a unit that is given", with(func(t *softdelete.Table) {
			t.Markers = softdelete.Markers{{Kind: softdelete.Epoch, Column: "deleteat",
				Time: &softdelete.Time{Column: "deleteat", Type: softdelete.EpochTime, Unit: softdelete.Milliseconds,
					UnitGiven: true}}}
		}), "", ""},
	} {
		r := assessed(t, test.table).Recommendations[0]
		if got := strings.Join(r.Withheld, "; "); got != test.withheld ||
			test.withheld != "" && !strings.Contains(r.Reason, "There is no script: "+test.withheld) {
			t.Errorf("%s: withheld is %q, want %q; the reason is %q", test.name, got, test.withheld, r.Reason)
		}
		if got := strings.Join(r.Remedies, "; "); got != test.remedy {
			t.Errorf("%s: the remedy is %q, want %q", test.name, got, test.remedy)
		}
	}
}

func TestAPurgeTellsWhatReferencesItsTable(t *testing.T) {
	table := counted("old", 50000, 20000, 19000)
	table.Purging = &softdelete.Purging{At: noon, Owner: "shop", Keys: []softdelete.PurgeKey{
		{Schema: "public", Name: "it's mine", Cascades: true}, {Schema: "public", Name: "fresh", Cascades: true},
		{Schema: "public", Name: "old", Itself: true}}}
	notes := strings.Join(assessed(t, table, counted("fresh", 100, 0, 0)).Recommendations[0].Notes, "\n")
	for _, want := range []string{
		`softdelete_exporter purge-script --database=shop --table='public\.old' --rehearse | psql -X`, "Run it as shop",
		"a row of public.it's mine or public.fresh or the table itself references", `--go-along='public.it'\''s mine'.`,
	} {
		if !strings.Contains(notes, want) {
			t.Errorf("%q is not in\n%s", want, notes)
		}
	}
	if strings.Contains(notes, "--go-along=public.fresh") {
		t.Errorf("--go-along is offered for a table with soft delete:\n%s", notes)
	}
}

func TestAConfiguredValueThatNoRowHasIsRecommendedToBeChecked(t *testing.T) {
	table := counted("invoices", 100, 0, 0)
	if got := assessed(t, table).Recommendations; len(got) > 0 {
		t.Errorf("for a healthy table: %+v", got)
	}
	table.Numbers.Unseen = []string{"remvoed"}
	got := assessed(t, table).Recommendations
	if len(got) != 1 || got[0].Kind != assess.Configure || !strings.Contains(got[0].Reason, `"remvoed"`) {
		t.Errorf("%+v", got)
	}
}

// What to do about a lock is to see who holds it; package queries writes the statement.
func TestALockedTableAsksWhoHoldsTheLock(t *testing.T) {
	locked := counted("old", 100, 0, 0)
	locked.Fail(softdelete.Problem{Reason: softdelete.Locked, Message: "locked"}, false, noon, time.Minute)
	if r := assessed(t, locked).Recommendations[0]; r.Kind != assess.FixAccess || !r.Locked || len(r.Remedies) > 0 {
		t.Errorf("%+v", r)
	}
}

func TestADeletionInTheFutureIsSaidAsSuch(t *testing.T) {
	table := counted("old", 100, 10, 0)
	table.Numbers.Oldest = noon.AddDate(1, 0, 0)
	a := assess.Assess(nil, &softdelete.Snapshot{Databases: []softdelete.Database{{Tables: []softdelete.Table{table}}}},
		thresholds(t, nil), all, noon)
	want := "every deletion time is in the future, the first is " + noon.AddDate(1, 0, 0).Format(time.DateOnly)
	if got := a.Tables[0].Ages(noon); !slices.Contains(got, want) {
		t.Errorf("it says %q, want %q", got, want)
	}
}
