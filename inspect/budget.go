package inspect

import (
	"cmp"
	"errors"
	"slices"
	"time"

	"github.com/softdelete-exporter/softdelete_exporter/config"
)

// budget is what a refresh may still spend on counting. What does not fit is carried over
// to the next refresh.
type budget struct {
	// deadline is when the refresh stops to begin with tables.
	deadline time.Time
	// blocks is how many may still be sampled.
	blocks int
}

// errSpent means that a table has to wait for the next refresh.
var errSpent = errors.New("the budget of the refresh is used up")

func newBudget(c config.Counting, began time.Time) budget {
	return budget{deadline: began.Add(c.PassTime.Std()), blocks: c.PassBlocks}
}

// over reports whether the time is spent.
func (b *budget) over() bool { return !time.Now().Before(b.deadline) }

// queue is the order in which tables get their turn: the most urgent first. Those that
// have waited the longest come to the front whatever the others do, so all do in time.
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
