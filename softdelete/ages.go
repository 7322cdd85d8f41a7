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

// AgeEdges returns the edges of the classes for a table with this retention, at most 64: each of the last 14 days,
// weeks up to the retention or up to 40 weeks, and after that steps that double, until 16 years ago. All are midnights
// in UTC, so that the classes of an unchanged table stay valid for the rest of the day. The last edge is the next
// midnight: later times are in the future.
func AgeEdges(now time.Time, retention time.Duration) []time.Time {
	midnight := now.UTC().Truncate(day).Add(day)
	edges := []time.Time{midnight}
	ago := func(days int) { edges = append(edges, midnight.Add(-time.Duration(days)*day)) }
	days := 1
	for ; days <= 14; days++ {
		ago(days)
	}
	weeks, step := min(int(retention/day), 40*7), 7
	for days = 14 + step; days < 16*365; days += step {
		ago(days)
		if days > weeks {
			step *= 2
		}
	}
	slices.Reverse(edges)
	return edges
}
