package inspect

import (
	"cmp"
	"errors"
	"slices"
	"time"

	"github.com/softdelete-exporter/softdelete_exporter/config"
)

// budget is what a refresh may still spend on counting. Tables that do not fit wait for the next refresh.
type budget struct {
	// deadline is when the refresh stops counting further tables.
	deadline time.Time
	// blocks is how many blocks may still be sampled.
	blocks int
}

// errSpent is the error of a table that must wait for the next refresh.
var errSpent = errors.New("the budget of the refresh is used up")

func newBudget(c config.Counting, began time.Time) budget {
	return budget{deadline: began.Add(c.PassTime.Std()), blocks: c.PassBlocks}
}

// over reports whether the time is used up.
func (b *budget) over() bool { return !time.Now().Before(b.deadline) }

// queue returns the tables in the order of their turns, the most urgent first. Tables that have waited longest come
// first in the end, whatever happens to the others, so that all get their turn.
func queue(relations []table, now time.Time) []*table {
	type place struct {
		*table
		urgency float64
	}
	places := make([]place, len(relations))
	for i := range relations {
		t := &relations[i]
		places[i] = place{t, t.Urgency(now, t.writes)}
	}
	slices.SortStableFunc(places, func(a, b place) int { return cmp.Compare(b.urgency, a.urgency) })
	ordered := make([]*table, len(places))
	for i, p := range places {
		ordered[i] = p.table
	}
	return ordered
}
