package inspect

import (
	"cmp"
	"errors"
	"slices"
	"time"

	"github.com/softdelete-exporter/softdelete_exporter/config"
)

// budget is what a pass may still spend on counting. What does not fit is carried over
// to the next pass.
type budget struct {
	// deadline is when the pass stops to begin with tables.
	deadline time.Time
	// blocks is how many may still be sampled.
	blocks int
}

// errSpent tells that a table has to wait for the next pass.
var errSpent = errors.New("the budget of the pass is spent")

func newBudget(c config.Counting, began time.Time) budget {
	return budget{deadline: began.Add(c.PassTime.Std()), blocks: c.PassBlocks}
}

// over tells whether the time is spent.
func (b *budget) over() bool { return !time.Now().Before(b.deadline) }

// queue is the order in which tables get their turn: the most urgent first. Those that
// have waited the longest come to the front whatever the others do, so all do in time.
func queue(relations []relation, now time.Time) []*relation {
	type place struct {
		*relation
		urgency float64
	}
	places := make([]place, len(relations))
	for i := range relations {
		r := &relations[i]
		places[i] = place{r, r.Urgency(now, r.writes)}
	}
	slices.SortStableFunc(places, func(a, b place) int { return cmp.Compare(b.urgency, a.urgency) })
	ordered := make([]*relation, len(places))
	for i, p := range places {
		ordered[i] = p.relation
	}
	return ordered
}
