package assess_test

import (
	"cmp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/softdelete-exporter/softdelete_exporter/assess"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// Where it is not certain whether the flag or the time of a pair decides, there are settings for both and no script,
// unless it makes no difference for any row.
func TestAPairOfWhichNeitherColumnCertainlyDecides(t *testing.T) {
	pair := softdelete.Marker{Kind: softdelete.Pair, Column: "gone",
		Time: &softdelete.Time{Column: "goneAt", Type: softdelete.Timestamptz}}
	status := pair
	status.Flag, status.Deleted = softdelete.Status, []string{"no more", "gone"}
	configured := pair
	configured.Configured = true
	entry := func(settings string) string { return "tables:\n  - schema: public\n    table: old\n    " + settings }
	byTime := entry("column: goneAt")
	byFlag := entry("column: gone\n    time_column: goneAt\n    kind: flag")
	byStatus := entry("column: gone\n    time_column: goneAt\n    deleted_values: [\"no more\", gone]")
	for _, test := range []struct {
		name      string
		marker    softdelete.Marker
		agreement *softdelete.Agreement
		index     string
		method    softdelete.Method
		settings  []string
		withheld  bool
	}{
		{"agreement", pair, &softdelete.Agreement{Both: 1000}, "", "", nil, false},
		{"a few rows", pair, &softdelete.Agreement{Both: 10, Timed: 5, Timeless: 5}, "", "", nil, false},
		{"a small share", pair, &softdelete.Agreement{Both: 1089, Timed: 11}, "", "", nil, false},
		{"a larger share", pair, &softdelete.Agreement{Both: 1088, Timed: 11}, "", "", []string{byTime, byFlag}, true},
		{"an index", pair, &softdelete.Agreement{Both: 1000}, "i", "", []string{byTime, byFlag}, false},
		{"an index and one row", pair, &softdelete.Agreement{Both: 1000, Timeless: 1}, "i", "",
			[]string{byTime, byFlag}, true},
		{"an index and a sample", pair, &softdelete.Agreement{Both: 1000}, "i", softdelete.Sampled,
			[]string{byTime, byFlag}, true},
		{"nothing was read", pair, nil, "", softdelete.Statistics, nil, true},
		{"a status", status, &softdelete.Agreement{Timeless: 11}, "", "", []string{byTime, byStatus}, true},
		{"a configured pair", configured, nil, "i", softdelete.Statistics, nil, false},
	} {
		table := counted("old", 50000, 20000, 19000)
		table.Markers = softdelete.Markers{test.marker}
		table.Numbers.Agreements = []*softdelete.Agreement{test.agreement}
		table.Numbers.Method = cmp.Or(test.method, softdelete.Exact)
		table.Indexing = &softdelete.Indexing{}
		if test.index != "" {
			table.Indexing.ByTime = map[string]string{"gone": test.index}
		}
		var settings []string
		withheld := false
		for _, r := range assessed(t, table).Recommendations {
			switch r.Kind {
			case assess.Configure:
				for _, remedy := range r.Remedies {
					_, setting, _ := strings.Cut(remedy, " decides\n")
					settings = append(settings, setting)
				}
				if agrees := strings.Contains(strings.Join(r.Notes, ""), "agree in every row"); agrees == test.withheld {
					t.Errorf("%s: the notes are %q", test.name, r.Notes)
				}
			case assess.PurgeRows:
				withheld = len(r.Withheld) > 0
				if withheld && !strings.Contains(strings.Join(r.Remedies, "\n"), byTime) {
					t.Errorf("%s: the purge is not settled by %q", test.name, r.Remedies)
				}
			}
		}
		if !slices.Equal(settings, test.settings) || withheld != test.withheld {
			t.Errorf("%s: withheld %t with the settings %q, want %t and %q", test.name, withheld, settings, test.withheld,
				test.settings)
		}
	}
	unclear := counted("old", 50000, 20000, 19000)
	unclear.Markers = softdelete.Markers{pair}
	unclear.Indexing = &softdelete.Indexing{ByTime: map[string]string{"gone": "i"}}
	unclear.Fail(softdelete.Problem{Reason: softdelete.MarkerUnclear, Remedy: "one\ntwo"}, false, noon, time.Minute)
	all := assessed(t, unclear).Recommendations
	if len(all) != 1 || !slices.Equal(all[0].Remedies, []string{"one\ntwo"}) {
		t.Errorf("an unclear table is advised on more than once: %+v", all)
	}
}
