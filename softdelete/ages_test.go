package softdelete

import (
	"reflect"
	"slices"
	"testing"
	"time"
)

func TestAgeEdges(t *testing.T) {
	now := time.Date(2026, 3, 10, 15, 0, 0, 0, time.UTC)
	for _, retention := range []time.Duration{0, day, 30 * day, 45*day + time.Hour, 90 * day, 3650 * day} {
		edges := AgeEdges(now, retention)
		last := edges[len(edges)-1]
		if want := time.Date(2026, 3, 11, 0, 0, 0, 0, time.UTC); !last.Equal(want) {
			t.Errorf("retention %s: the last edge is %s, want %s", retention, last, want)
		}
		if len(edges) > 64 {
			t.Errorf("retention %s: %d edges, want at most 64", retention, len(edges))
		}
		for i := 1; i < len(edges); i++ {
			if !edges[i-1].Before(edges[i]) {
				t.Errorf("retention %s: the edge %s is followed by %s", retention, edges[i-1], edges[i])
			}
		}
		for _, days := range append([]int{int(retention / day)}, AgeDays...) {
			if !slices.Contains(edges, last.AddDate(0, 0, -days)) {
				t.Errorf("retention %s: %d days are no edge", retention, days)
			}
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

// The edges come after the first known time, with which queries begin their list of edges, whatever the retention is.
func TestNoAgeEdgeIsBeforeAnyDeletion(t *testing.T) {
	now := time.Date(2026, 3, 10, 15, 0, 0, 0, time.UTC)
	for _, years := range []time.Duration{56, 57, 100, 290} {
		for _, edges := range [][]time.Time{AgeEdges(now, years*365*day), FewAgeEdges(now, years*365*day)} {
			if !edges[0].After(EarliestDeletion.Add(day)) {
				t.Errorf("with a retention of %d years the first edge is %s", years, edges[0])
			}
		}
	}
}

// The edges are those of the day of the count. Within a day, all times since the edge count, future ones included.
func TestRowsWithinDaysAreKnownOnlyAtAnEdge(t *testing.T) {
	counted := time.Date(2026, 3, 10, 23, 30, 0, 0, time.FixedZone("", -3600)) // 11 March in UTC
	a := &Ages{Edges: []time.Time{
		time.Date(2026, 2, 10, 0, 0, 0, 0, time.UTC),
		time.Date(2026, 3, 5, 0, 0, 0, 0, time.UTC),
		time.Date(2026, 3, 12, 0, 0, 0, 0, time.UTC),
	}, Rows: []Estimate{{Value: 8}, {Value: 4}, {Value: 2, Margin: 1}, {Value: 1, Margin: 0.5}}}
	for days, want := range map[int]*Estimate{
		0: {1, 0.5}, 7: {3, 1.5}, 30: {7, 1.5}, 6: nil, 8: nil, 29: nil, 365: nil,
	} {
		if got := a.Within(counted, days); !reflect.DeepEqual(got, want) {
			t.Errorf("within %d days: %v, want %v", days, got, want)
		}
	}
	if got := a.All(); got != (Estimate{15, 1.5}) {
		t.Errorf("all: %v", got)
	}
}

func TestClassesAreJoinedAtTheOtherEdges(t *testing.T) {
	at := func(days int) time.Time { return time.Date(2026, 3, days, 0, 0, 0, 0, time.UTC) }
	a := &Ages{Edges: []time.Time{at(1), at(2), at(3)}, Rows: []Estimate{{1, 0.25}, {2, 0.5}, {4, 0}, {8, 0}}}
	for days, want := range map[int][]AgeClass{
		0: {{Rows: Estimate{15, 0.75}}},
		2: {{To: at(2), Rows: Estimate{3, 0.75}}, {From: at(2), Rows: Estimate{12, 0}}},
		3: {{To: at(3), Rows: Estimate{7, 0.75}}, {From: at(3), Rows: Estimate{8, 0}}},
	} {
		got := a.Classes(func(edge time.Time) bool { return edge.Equal(at(days)) })
		if days == 0 {
			got = a.Classes(func(time.Time) bool { return false })
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("at %d: %v, want %v", days, got, want)
		}
	}
	if a.Exact() || !(&Ages{Rows: []Estimate{{3, 0}}}).Exact() {
		t.Error("only classes without a margin are exact")
	}
}
