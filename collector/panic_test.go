package collector

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/go-kit/log"
	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// All other tables are shown as before. The table in question is shown as failed, and the numbers of its database
// agree with that.
func TestATableOfWhichNoMetricCanBeMadeCostsItselfOnly(t *testing.T) {
	all := tableMetrics
	t.Cleanup(func() { tableMetrics = all })
	for name, prepare := range map[string]func(*softdelete.Table){
		"a panic": func(*softdelete.Table) {
			// It comes after others, which must not be shown either.
			tableMetrics = append(slices.Clone(all),
				gauge("softdelete_test", "Help.", tableLabels, func(t *softdelete.Table, _ func(float64, ...string)) {
					if t.Indexing != nil {
						panic("of this table")
					}
				}))
		},
		"a text that no label takes": func(t *softdelete.Table) { t.Markers = softdelete.Markers{{Column: "supprim\xe9"}} },
	} {
		t.Run(name, func(t *testing.T) {
			tableMetrics = all
			s := snapshot()
			want, _ := series(t, s, quiet)
			prepare(&s.Databases[1].Tables[1])
			var out bytes.Buffer
			got, own := series(t, s, log.NewLogfmtLogger(&out))
			for n, line := range want {
				line = strings.Replace(line, `tables{datname="shop",state="counted"} 4`,
					`tables{datname="shop",state="counted"} 3`, 1)
				want[n] = strings.Replace(line, `tables{datname="shop",state="failed"} 1`,
					`tables{datname="shop",state="failed"} 2`, 1)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("others are shown otherwise (-want +got):\n%s", diff)
			}
			if len(own) != 2 || !strings.HasPrefix(own[0], "softdelete_table_info{") ||
				own[1] != `softdelete_table_problem{datname="shop",reason="error",relname="flagged",schemaname="public"} 1` {
				t.Errorf("of the table itself %q is shown", own)
			}
			if !strings.Contains(out.String(), "shop.public.flagged") {
				t.Errorf("the log does not name it: %s", &out)
			}
		})
	}
}

// series returns the series of the table flagged, and all others.
func series(t *testing.T, s *softdelete.Snapshot, logger log.Logger) (others, own []string) {
	t.Helper()
	for _, line := range strings.Split(string(page(t, registry(NewSnapshot(s, logger), live()))), "\n") {
		switch {
		case strings.HasPrefix(line, "#"):
		case strings.Contains(line, `relname="flagged"`):
			own = append(own, line)
		default:
			others = append(others, line)
		}
	}
	return others, own
}

func TestNothingTakesThePingAway(t *testing.T) {
	c := live()
	c.Costs[softdelete.CostKey{Datname: "caf\xe9"}] = softdelete.Cost{}
	r := registry(c)
	for name, want := range map[string]int{"db_up": 1, "db_response_ms": 1, "softdelete_exporter_queries_total": 1,
		"softdelete_exporter_ttl_seconds": 1} {
		if got, err := testutil.GatherAndCount(r, name); err != nil || got != want {
			t.Errorf("%d of %s, want %d: %v", got, name, want, err)
		}
	}
}
