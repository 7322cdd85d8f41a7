package assess_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/softdelete-exporter/softdelete_exporter/assess"
	"github.com/softdelete-exporter/softdelete_exporter/predicate"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// large makes reading a table worth an index for its purge.
func large(t softdelete.Table, indexes ...softdelete.Index) softdelete.Table {
	t.Indexing = &softdelete.Indexing{HOT: 1, At: noon, Bytes: 1 << 30, Indexes: indexes}
	return t
}

func TestWrongDataComesFirstAndAnIndexStandsBeforeItsPurge(t *testing.T) {
	toothless := softdelete.Index{Name: "email_key", Method: "btree", Valid: true, Unique: true, Keys: []softdelete.Key{{Column: "email"}, {Column: "deleted_at"}}}
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
		"poor retention: Ask whether deleted rows of public.fresh must be kept so long.",
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
	refused := []softdelete.Ping{{At: noon, Err: `FATAL: database "shop" does not exist (SQLSTATE 3D000)`}}
	r := assess.Assess(refused, softdelete.Empty("shop"), thresholds(t, nil), all, noon).Recommendations[0]
	if want := `Cannot connect: FATAL: database "shop" does not exist (SQLSTATE 3D000).`; r.Reason != want {
		t.Errorf("the reason is %q, want %q", r.Reason, want)
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

func TestAPurgeIsRehearsedAsItsTableAllows(t *testing.T) {
	whole := counted("old", 50000, 20000, 19000)
	parted := whole
	parted.Partitioned = true
	local, unknown, referenced := whole, whole, parted
	local.Markers = softdelete.Markers{{Kind: softdelete.Timestamp, Column: "deleted_at", Time: &softdelete.Time{Column: "deleted_at", Type: softdelete.LocalTimestamp}}}
	unknown.Purging = nil
	referenced.Purging = &softdelete.Purging{Problems: []string{"one", "two", "three", "four", "five", "six", "seven"}}
	for want, table := range map[string]softdelete.Table{
		"run the DELETE alone": whole, "first run the SELECT": parted,
		"No statement is given, because a DELETE may remove other rows, or do more than remove them: the marker is not one column of type timestamptz": local,
		"it is not known what stands in the way.":    unknown,
		": one; two; three; four; five; and 2 more.": referenced,
	} {
		if notes := assessed(t, table).Recommendations[0].Notes[0]; !strings.Contains(notes, want) {
			t.Errorf("%q is not in %q", want, notes)
		}
	}
}
