package assess_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/softdelete-exporter/softdelete_exporter/assess"
	"github.com/softdelete-exporter/softdelete_exporter/indexes"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// The other tables are judged as they would be without it.
func TestATableThatCannotBeJudgedCostsItselfOnly(t *testing.T) {
	bad := counted("bad", 100, 90, 0)
	bad.Policy.Service = "accounts"
	fair := counted("fair", 100, 26, 0)
	fair.Policy.Service = "accounts"
	for name, test := range map[string]struct {
		bad  func() softdelete.Table
		look func(*softdelete.Table) ([]indexes.Finding, []indexes.Need)
	}{
		"its indexes": {
			func() softdelete.Table { return bad },
			func(t *softdelete.Table) ([]indexes.Finding, []indexes.Need) {
				if t.Numbers != nil && t.Name == "bad" {
					panic("at its indexes")
				}
				return nil, nil
			},
		},
		"its recommendations": { // a check of a foreign key whose Key is nil
			func() softdelete.Table {
				rows, broken := 1.0, bad
				broken.Integrity = []softdelete.Check{{Constraint: "bad_fkey", Found: &softdelete.Found{Orphaned: &rows}}}
				return broken
			},
			func(*softdelete.Table) ([]indexes.Finding, []indexes.Need) { return nil, nil },
		},
	} {
		t.Run(name, func(t *testing.T) {
			judge := func(tables ...softdelete.Table) *assess.Assessment {
				s := &softdelete.Snapshot{Taken: noon,
					Databases: []softdelete.Database{{Name: "shop", Checks: checked, Tables: tables}}}
				return assess.AssessWith(up, s, thresholds(t, nil), all, noon, test.look)
			}
			got := judge(test.bad(), fair, counted("good", 100, 1, 0))
			if len(got.Tables) != 3 || len(got.Faults) != 1 {
				t.Fatalf("%d tables, faults %v", len(got.Tables), got.Faults)
			}
			for _, table := range got.Tables {
				want := map[string]string{"bad": "unknown - an error", "fair": "fair - cleanup recommended",
					"good": "good"}[table.Name]
				if table.Verdict.String() != want {
					t.Errorf("%s is %s, want %s", table.Name, table.Verdict, want)
				}
			}
			if got.Health != softdelete.Unknown || len(got.Services) != 1 || got.Services[0].Health != softdelete.Unknown {
				t.Errorf("the health is %s, the services are %+v", got.Health, got.Services)
			}
			of := func(a *assess.Assessment, name string) (titles []string) {
				for _, r := range a.Recommendations {
					if r.Table != nil && r.Table.Name == name {
						titles = append(titles, r.Title)
					}
				}
				return titles
			}
			alone := judge(fair, counted("good", 100, 1, 0))
			if diff := cmp.Diff(of(alone, "fair"), of(got, "fair")); diff != "" {
				t.Errorf("other recommendations for fair (-want +got):\n%s", diff)
			}
			if titles := of(got, "bad"); len(titles) != 1 || !strings.Contains(titles[0], "public.bad readable") {
				t.Errorf("recommendations for bad: %q", titles)
			}
		})
	}
}
