package softdelete

import (
	"slices"
	"testing"
	"time"
)

func TestAgeEdges(t *testing.T) {
	now := time.Date(2026, 3, 10, 15, 0, 0, 0, time.UTC)
	for _, retention := range []time.Duration{0, day, 30 * day, 90 * day, 3650 * day} {
		edges := AgeEdges(now, retention)
		last := edges[len(edges)-1]
		if want := time.Date(2026, 3, 11, 0, 0, 0, 0, time.UTC); !last.Equal(want) {
			t.Errorf("retention %s: the last edge is %s, want %s", retention, last, want)
		}
		if !slices.IsSortedFunc(edges, time.Time.Compare) || len(edges) > 64 {
			t.Errorf("retention %s: %d edges, want up to 64 in order: %v", retention, len(edges), edges)
		}
		for i := len(edges) - 14; i < len(edges); i++ {
			if step := edges[i].Sub(edges[i-1]); step != day {
				t.Errorf("retention %s: a class of the last 14 days is %s long", retention, step)
			}
		}
		if !AgeEdges(now.Add(8*time.Hour), retention)[0].Equal(edges[0]) {
			t.Errorf("retention %s: the edges change within a day", retention)
		}
	}
}
