package collector

import (
	"bytes"
	"flag"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/go-kit/log"
	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"

	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

var update = flag.Bool("update", false, "rewrite the golden files")

var quiet = log.NewNopLogger()

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// snapshot has a table in each state.
func snapshot() *softdelete.Snapshot {
	at := softdelete.Time{Column: "deletedAt", Type: softdelete.Timestamptz}
	policy := softdelete.Policy{Service: "accounts", Retention: 90 * 24 * time.Hour, TimeZone: "UTC", Recent: time.Hour}
	good := softdelete.Table{Schema: "public", Name: `Users "old"`,
		Markers: softdelete.Markers{{Kind: softdelete.Timestamp, Column: "deletedAt", Time: &at}}, Policy: policy}
	numbers := softdelete.ExactNumbers(10, 4)
	numbers.Old = &softdelete.Estimate{Value: 3}
	numbers.Duration = 250 * time.Millisecond
	numbers.Recent, numbers.Oldest, numbers.DeletedBytes = &softdelete.Estimate{Value: 1}, noon.Add(
		-100*24*time.Hour), new(float64)
	*numbers.DeletedBytes = 4096
	numbers.Ages = ages(softdelete.Exactly, 1, 2, 0, 1)
	good.Succeed(numbers, noon)
	flagged := softdelete.Table{Schema: "public", Name: "flagged",
		Markers: softdelete.Markers{{Kind: softdelete.Flag, Column: "is_deleted"}}, Policy: policy}
	flagged.Succeed(softdelete.ExactNumbers(0, 0), noon)
	flagged.Indexing = indexing()
	locked := good
	locked.Name = "locked"
	locked.Fail(softdelete.Problem{Reason: softdelete.Locked}, true, noon, time.Minute)
	one, none := 1.0, 0.0
	flagged.Integrity = []softdelete.Check{
		{Found: &softdelete.Found{Inconsistent: &one, Future: &none}},
		{Constraint: "flagged_locked_fkey", Found: &softdelete.Found{Orphaned: &one}},
		{Constraint: "flagged_user_fkey", Problem: &softdelete.Problem{Reason: softdelete.TimedOut}},
	}
	sampled := good
	sampled.Name = "sampled"
	sampled.Succeed(&softdelete.Numbers{Method: softdelete.Sampled, Total: softdelete.Estimate{Value: 1e9, Margin: 1e6},
		Active:  softdelete.Estimate{Value: 8e8, Margin: 3e6},
		Deleted: softdelete.Estimate{Value: 2e8, Margin: 2e6}, Ratio: softdelete.Estimate{Value: 0.2, Margin: 0.002},
		Old: &softdelete.Estimate{Value: 1e8, Margin: 1e6}, OldestSeen: noon.Add(-120 * 24 * time.Hour),
		Ages: ages(func(n int64) softdelete.Estimate {
			return softdelete.Estimate{Value: 1e6 * float64(n), Margin: 1e6}
		}, 100, 50, 50, 0)}, noon)
	guessed := good
	guessed.Name = "statistics"
	guess := func(value float64) softdelete.Estimate {
		return softdelete.Estimate{Value: value, Margin: softdelete.NoMargin}
	}
	old := guess(10)
	guessed.Succeed(&softdelete.Numbers{Method: softdelete.Statistics, Total: guess(100), Active: guess(50),
		Deleted: guess(50), Ratio: guess(0.5), Old: &old,
		Ages: ages(func(n int64) softdelete.Estimate { return guess(float64(n)) }, 10, 20, 20, 0)}, noon)
	return &softdelete.Snapshot{Taken: noon, Databases: []softdelete.Database{
		{Name: "other"},
		{Name: "shop", Checks: softdelete.Checks{Connect: true, Discovery: true, Counting: true, Indexes: true}, Skipped: 7,
			Tables: []softdelete.Table{
				good, flagged, locked, {Schema: "public", Name: "pending", Markers: good.Markers}, sampled, guessed,
			}},
	}}
}

// ages are the classes between 90 and 7 days, counted back from the end of the day of noon, and that end.
func ages(estimate func(int64) softdelete.Estimate, rows ...int64) *softdelete.Ages {
	midnight := noon.Add(12 * time.Hour)
	a := &softdelete.Ages{Edges: []time.Time{midnight.AddDate(0, 0, -90), midnight.AddDate(0, 0, -7), midnight}}
	for _, n := range rows {
		a.Rows = append(a.Rows, estimate(n))
	}
	return a
}

// indexing has two invalid indexes with the same name, in two schemas.
func indexing() *softdelete.Indexing {
	return &softdelete.Indexing{At: noon, Indexes: []softdelete.Index{
		{OID: 1, Schema: "public", Name: "flagged_id_idx", Method: "btree", Keys: []softdelete.Key{{Column: "id"}}},
		{OID: 2, Schema: "parts", Name: "flagged_id_idx", Method: "btree", Keys: []softdelete.Key{{Column: "id"}}},
	}}
}

func live() Live {
	return Live{
		Ping: softdelete.Ping{Up: true, Duration: 1500 * time.Microsecond},
		Costs: map[softdelete.CostKey]softdelete.Cost{
			{Datname: "shop", Result: softdelete.Success}: {Queries: 3, Database: 2 * time.Second},
		},
		TTL:    5 * time.Minute,
		Logger: quiet,
		Now:    noon,
	}
}

func registry(collectors ...prometheus.Collector) *prometheus.Registry {
	r := prometheus.NewPedanticRegistry()
	r.MustRegister(collectors...)
	return r
}

func page(t *testing.T, r *prometheus.Registry) []byte {
	t.Helper()
	families, err := r.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var text bytes.Buffer
	for _, f := range families {
		if _, err := expfmt.MetricFamilyToText(&text, f); err != nil {
			t.Fatal(err)
		}
	}
	return text.Bytes()
}

func TestThePageIsAsTheGoldenFileHasIt(t *testing.T) {
	const golden = "testdata/metrics.txt"
	got := page(t, registry(NewSnapshot(snapshot(), quiet).WithAges(), live(), Reload{Successful: true, Succeeded: noon},
		Evictions(func() int64 { return 7 })))
	if *update {
		if err := os.WriteFile(golden, got, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("(-want +got; -update writes it anew):\n%s", diff)
	}
}

// Byte for byte, in both formats.
func TestOneMetricAfterAnotherIsAsARegistryGathersThem(t *testing.T) {
	s := snapshot()
	s.Databases[1].Tables[1].Markers = softdelete.Markers{{Column: "supprim\xe9"}} // of this table no metric can be made
	for _, name := range []string{"b", "a", "", `"`, "\n", "é", "\\", "a b", "Z", "\x00"} {
		d := softdelete.Database{Name: "last" + name, Tables: slices.Clone(s.Databases[1].Tables)}
		for i := range d.Tables {
			d.Tables[i].Schema, d.Tables[i].Name = d.Tables[i].Name, name
		}
		s.Databases = append(s.Databases, d)
	}
	c := NewSnapshot(s, quiet).WithAges()
	want, err := registry(c).Gather()
	if err != nil {
		t.Fatal(err)
	}
	var got []*dto.MetricFamily
	for f := range c.Families() {
		families, err := f.Gather()
		if err != nil {
			t.Error(err)
		}
		got = append(got, families...)
	}
	for _, format := range []expfmt.FormatType{expfmt.TypeTextPlain, expfmt.TypeProtoDelim} {
		want, got := encoded(t, format, want), encoded(t, format, got)
		if want != got || len(got) < 10_000 {
			t.Errorf("(-all at once +one after another):\n%s", cmp.Diff(want, got))
		}
	}
	if s.Databases[1].Tables[1].Problem != nil {
		t.Error("the Snapshot was changed")
	}
}

func encoded(t *testing.T, format expfmt.FormatType, families []*dto.MetricFamily) string {
	t.Helper()
	var out bytes.Buffer
	encoder := expfmt.NewEncoder(&out, expfmt.NewFormat(format))
	for _, f := range families {
		if err := encoder.Encode(f); err != nil {
			t.Fatal(err)
		}
	}
	return out.String()
}

func TestASeriesThatIsThereTwiceIsShownOnceWithAnError(t *testing.T) {
	s := snapshot()
	s.Databases = append(s.Databases, s.Databases[1])
	want, _ := registry(NewSnapshot(s, quiet)).Gather()
	var got []*dto.MetricFamily
	failed := 0
	for f := range NewSnapshot(s, quiet).Families() {
		families, err := f.Gather()
		if got = append(got, families...); err != nil {
			failed++
		}
	}
	if diff := cmp.Diff(encoded(t, expfmt.TypeTextPlain, want), encoded(t, expfmt.TypeTextPlain, got)); diff != "" {
		t.Errorf("(-registry +got):\n%s", diff)
	}
	if failed < 10 {
		t.Errorf("only %d metrics have an error", failed)
	}
}

func TestNamesAndHelpFollowPrometheusPractice(t *testing.T) {
	problems, err := testutil.GatherAndLint(registry(NewSnapshot(snapshot(), quiet).WithAges(), live(), Reload{},
		Evictions(func() int64 { return 0 })))
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		if p.Metric == "db_response_ms" { // its users chose this name
			continue
		}
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
}

func TestDownIsShownWithoutAResponseTime(t *testing.T) {
	r := registry(Live{})
	if got, err := testutil.GatherAndCount(r, "db_response_ms"); err != nil || got != 0 {
		t.Errorf("%d response times, %v", got, err)
	}
	if got, err := testutil.GatherAndCount(r, "db_up"); err != nil || got != 1 {
		t.Errorf("%d db_up, %v", got, err)
	}
}

func TestNothingIsKnownBeforeTheFirstRefresh(t *testing.T) {
	r := registry(NewSnapshot(softdelete.Empty("shop"), quiet))
	for name, want := range map[string]int{
		"softdelete_exporter_check_success":              4,
		"softdelete_exporter_tables":                     0,
		"softdelete_exporter_snapshot_timestamp_seconds": 0,
		"softdelete_table_info":                          0,
	} {
		if got, err := testutil.GatherAndCount(r, name); err != nil || got != want {
			t.Errorf("%d series of %s, %v; want %d", got, name, err, want)
		}
	}
}

func TestAgesAreShownOnRequestOnly(t *testing.T) {
	const name = "softdelete_deleted_rows_by_age"
	for want, c := range map[int]Snapshot{
		0: NewSnapshot(snapshot(), quiet),
		9: NewSnapshot(snapshot(), quiet).WithAges(), // three tables with two edges each; none for statistics
	} {
		if got, err := testutil.GatherAndCount(registry(c), name); err != nil || got != want {
			t.Errorf("%d series, %v; want %d", got, err, want)
		}
	}
}

func TestADatabaseThatWasLookedIntoOnceHasItsTablesCounted(t *testing.T) {
	for name, d := range map[string]softdelete.Database{
		"now, with none": {Checks: softdelete.Checks{Connect: true, Discovery: true}},
		"before":         {Tables: []softdelete.Table{{Schema: "public", Name: "users"}}},
		"with none":      {Tables: []softdelete.Table{}},
	} {
		r := registry(NewSnapshot(&softdelete.Snapshot{Databases: []softdelete.Database{d}}, quiet))
		if got, err := testutil.GatherAndCount(r, "softdelete_exporter_tables"); err != nil || got != 4 {
			t.Errorf("%s: %d series, %v", name, got, err)
		}
	}
}

func TestEveryDescribedMetricIsDocumentedOnce(t *testing.T) {
	seen := map[string]bool{}
	for _, m := range Metrics() {
		if seen[m.Name] {
			t.Errorf("%s is listed twice", m.Name)
		}
		seen[m.Name] = true
	}
	described := make(chan *prometheus.Desc, 2*len(seen))
	NewSnapshot(snapshot(), quiet).WithAges().Describe(described)
	live().Describe(described)
	Reload{}.Describe(described)
	Evictions(nil).Describe(described)
	close(described)
	if len(described) != len(seen) {
		t.Errorf("%d metrics are described, %d documented", len(described), len(seen))
	}
}
