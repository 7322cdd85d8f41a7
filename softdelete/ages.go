package softdelete

import (
	"slices"
	"time"
)

// day is a day of UTC, which has no change of clocks.
const day = 24 * time.Hour

// Ages says when the deleted rows of a table were deleted, as classes of deletion times. Rows without a known
// deletion time are in no class.
type Ages struct {
	// Edges are the instants between the classes, in order.
	Edges []time.Time
	// Rows are the rows of each class, one more than there are edges: those deleted before the first edge, those
	// deleted between two edges (the earlier belongs to the class), and those deleted at or after the last one.
	Rows []Estimate
}

// EarliestDeletion is the time before which, and at which, no row was deleted: "earliest" in queries/markers.sql.
var EarliestDeletion = time.Date(1970, 1, 2, 12, 0, 0, 0, time.UTC)

// AgeDays are the ages in days, beside the retention, that are edges of the classes of every table.
var AgeDays = []int{1, 7, 14, 30, 90, 180, 365}

// AgeEdges returns the edges of the classes for a table with this retention, at most 64: each of the last 14 days,
// weeks up to the retention or up to half a year, after that steps that double, for about ten years; and AgeDays and
// the retention's whole days. All are midnights in UTC, so that the classes of an unchanged table stay valid for the
// rest of the day. The last edge is the next midnight: later times are in the future. So the edge of 7 days begins
// the last 7 days of UTC, of which today is the last.
func AgeEdges(now time.Time, retention time.Duration) []time.Time {
	kept := int(retention / day)
	days := slices.Concat(AgeDays, []int{kept})
	for ago := range 14 {
		days = append(days, ago)
	}
	for ago, step := 14, 7; ago < 16*365; ago += step {
		days = append(days, ago)
		if ago > min(kept, 182) {
			step *= 2
		}
	}
	return ageEdges(now, days)
}

// FewAgeEdges returns the edges of the classes of a sample: AgeDays and the retention's whole days.
func FewAgeEdges(now time.Time, retention time.Duration) []time.Time {
	return ageEdges(now, slices.Concat(AgeDays, []int{int(retention / day)}))
}

// ageEdges returns the edges for some days, each once, the oldest first. An edge before any deletion is left out.
func ageEdges(now time.Time, days []int) []time.Time {
	slices.Sort(days)
	var edges []time.Time
	for _, ago := range slices.Backward(slices.Compact(days)) {
		if edge := AgeEdge(now, ago); edge.After(EarliestDeletion.Add(day)) {
			edges = append(edges, edge)
		}
	}
	return edges
}

// HasAgeClasses reports whether the deletion times of the table can be counted in classes: it has one marker, with a
// time.
func (t *Table) HasAgeClasses() bool { return len(t.Markers) == 1 && t.Markers.Timed() }

// AgeEdge returns the midnight of UTC that begins the last so many days, of which today is the last.
func AgeEdge(now time.Time, days int) time.Time {
	return now.UTC().Truncate(day).AddDate(0, 0, 1-days)
}

// Within returns how many rows were deleted on the last so many days of UTC, counted back from the day of the count,
// which is one of them. It returns nil if these days do not begin at an edge: nothing is interpolated.
func (a *Ages) Within(counted time.Time, days int) *Estimate {
	i := slices.IndexFunc(a.Edges, AgeEdge(counted, days).Equal)
	if i < 0 {
		return nil
	}
	within := sum(a.Rows[i+1:])
	return &within
}

// All returns how many rows have a known deletion time.
func (a *Ages) All() Estimate { return sum(a.Rows) }

// sum adds numbers of rows. Margins add up, because the errors of neighbouring classes may be one error.
func sum(rows []Estimate) (total Estimate) {
	for _, e := range rows {
		total.Value += e.Value
		total.Margin += e.Margin
	}
	return total
}

// AgeClass are the rows deleted in a period: not before From, and before To. A zero time is no limit.
type AgeClass struct {
	From, To time.Time
	Rows     Estimate
}

// Classes returns the classes between some of the edges, in order. The classes between the others are joined.
func (a *Ages) Classes(between func(edge time.Time) bool) []AgeClass {
	var classes []AgeClass
	var from time.Time
	start := 0
	for i, edge := range a.Edges {
		if between(edge) {
			classes = append(classes, AgeClass{from, edge, sum(a.Rows[start : i+1])})
			from, start = edge, i+1
		}
	}
	return append(classes, AgeClass{From: from, Rows: sum(a.Rows[start:])})
}

// Exact reports whether the classes come from a count of every row.
func (a *Ages) Exact() bool { return sum(a.Rows).Margin == 0 }
