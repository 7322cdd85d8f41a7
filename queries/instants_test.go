package queries

import (
	"cmp"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/softdelete-exporter/softdelete_exporter/internal/pgserver/pgtest"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// A scan compares rows with instants that were computed once. PostgreSQL would compute now() and what depends on it
// again for each row and each aggregate.
func TestAScanComputesEachInstantOnce(t *testing.T) {
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	pgtest.Exec(t, dsn, `CREATE TABLE t (gone boolean, tz timestamptz, ts timestamp, d date, ms bigint)`)
	for _, at := range []softdelete.Time{
		{Column: "tz", Type: softdelete.Timestamptz}, {Column: "ts", Type: softdelete.LocalTimestamp},
		{Column: "d", Type: softdelete.Date}, {Column: "ms", Type: softdelete.EpochTime, Unit: softdelete.Milliseconds},
		{Column: "tz", Type: softdelete.Timestamptz, Planned: "UTC"},
	} {
		own := softdelete.Marker{Kind: softdelete.Timestamp, Column: at.Column, Time: &at}
		if at.Type == softdelete.EpochTime {
			own.Kind = softdelete.Epoch
		}
		pair := softdelete.Marker{Kind: softdelete.Pair, Column: "gone", Time: &at}
		for _, markers := range []softdelete.Markers{{own}, {pair}, {own, pair}} {
			r := Relation{Now: time.Now(), Schema: "public", Name: "t", Table: &softdelete.Table{Schema: "public", Name: "t",
				Markers: markers, Policy: softdelete.Policy{Retention: 90 * 24 * time.Hour, Recent: time.Hour,
					TimeZone: "Asia/Tokyo", ZoneKnown: true}}}
			questions := map[string]string{"count": r.Count(1 << 40), "sample": r.Sample([]int64{0}),
				"sample_system": r.SampleSystem(0.5, 1), "contradictions": r.Contradictions(1 << 40),
				"count_marked": r.CountMarked(1 << 40)}
			if len(markers) == 1 {
				questions["classes"], questions["strange"] = r.Classes(1<<40), cmp.Or(r.Strange(1<<40), Ping())
			}
			if markers[0].HoldsInstants() {
				questions["shared"] = r.Shared(markers[0])
			}
			for name, question := range questions {
				var plans []struct{ Plan map[string]any }
				text := pgtest.Value[string](t, dsn,
					"EXPLAIN (VERBOSE, COSTS OFF, FORMAT JSON) "+strings.TrimPrefix(question, lead))
				if err := json.Unmarshal([]byte(text), &plans); err != nil {
					t.Fatal(err)
				}
				rest := perRow(plans[0].Plan)
				if strings.Contains(rest, "now()") || strings.Contains(rest, "1970-01-02 12:00:00+00") {
					t.Errorf("%s of %s computes an instant for each row:\n%s", name, at.Type, rest)
				}
			}
		}
	}
}

// perRow returns the plan without what is computed once: subqueries that read no table.
func perRow(plan map[string]any) string {
	var text strings.Builder
	for key, value := range plan {
		if key != "Plans" {
			fmt.Fprintln(&text, key, value)
		}
	}
	children, _ := plan["Plans"].([]any)
	for _, child := range children {
		rest := perRow(child.(map[string]any))
		if child.(map[string]any)["Parent Relationship"] != "InitPlan" || strings.Contains(rest, "Relation Name") {
			text.WriteString(rest)
		}
	}
	return text.String()
}
