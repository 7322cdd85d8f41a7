package inspect

import (
	"context"
	"fmt"
	"time"

	"github.com/softdelete-exporter/softdelete_exporter/queries"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// count finds the numbers of one table. The method is chosen here.
func (s *session) count(ctx context.Context, r *relation) (*softdelete.Numbers, error) {
	return s.countExactly(ctx, r)
}

// tally is what queries.Count answers.
type tally struct{ Total, Deleted, Old int64 }

// countExactly reads every row of the table once, leaf by leaf, each leaf in a
// transaction of its own: the snapshot is held, and a lock waited for, no longer
// than one leaf takes.
func (s *session) countExactly(ctx context.Context, r *relation) (*softdelete.Numbers, error) {
	began := time.Now()
	var sum tally
	for _, l := range r.leaves {
		rows, err := query[tally](ctx, s, queries.Count(l.Schema, l.Name, l.children, &r.Table))
		if err != nil {
			return nil, fmt.Errorf("counting %s.%s: %w", l.Schema, l.Name, err)
		}
		sum.Total += rows[0].Total
		sum.Deleted += rows[0].Deleted
		sum.Old += rows[0].Old
	}
	n := softdelete.ExactNumbers(sum.Total, sum.Deleted)
	if r.HasAges() {
		old := softdelete.Exactly(sum.Old)
		n.Old = &old
	}
	n.Duration = time.Since(began)
	return n, nil
}
