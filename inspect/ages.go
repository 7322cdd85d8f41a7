package inspect

import (
	"context"
	"regexp"
	"strings"
	"time"

	"github.com/softdelete-exporter/softdelete_exporter/postgres"
	"github.com/softdelete-exporter/softdelete_exporter/queries"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// The questions that an index may answer exactly although the table is too large to be
// counted. Each is asked only where the planner would read the index alone, or a
// bounded part of the table through it, and not for a day after it took too long.
const (
	byDeleted = "deleted"
	byRecent  = "recent"
	byOldest  = "oldest"
)

// indexQuestion is one of them. Its answer is rows of T.
type indexQuestion[T any] struct {
	name string
	// sql asks it of a relation, and where an index is given, only while that is there.
	sql func(r queries.Relation, index string) string
	// suits reports whether a plan is as cheap as it must be.
	suits func(plan) bool
	// add takes a row of the answer; false if the row says that there is none.
	add func(T) bool
}

// ask asks it of every sampled partition. It returns false if one of them has no answer, or
// there is no time left. An error other than a lost connection costs only this fact, until
// the next refresh.
func (q indexQuestion[T]) ask(ctx context.Context, c *count) (answered bool, err error) {
	if len(c.sampled) > fewPartitions {
		return false, nil
	}
	for _, p := range c.sampled {
		if c.refresh.budget.over() {
			return false, nil
		}
		answered, err := q.askOf(ctx, c, p.partition)
		if err != nil && ctx.Err() == nil && !c.session.Broken() {
			c.provisional = true
			return false, nil
		}
		if err != nil || !answered {
			return false, err
		}
	}
	return true, nil
}

// askOf asks it of one partition.
func (q indexQuestion[T]) askOf(ctx context.Context, c *count, p partition) (answered bool, err error) {
	proof, err := c.prove(ctx, p, q.name, q.sql(c.on(p), ""), q.suits)
	if err != nil || !proof.Sound {
		return false, err
	}
	rows, err := postgres.QueryUnder[T](ctx, c.session, c.session.ShortLimits, q.sql(c.on(p), proof.Index))
	if postgres.Code(err) == postgres.QueryCanceled {
		c.disprove(p, q.name)
		return false, nil
	}
	if err != nil {
		return false, err
	}
	for _, row := range rows {
		if !q.add(row) {
			c.disprove(p, q.name)
			return false, nil
		}
	}
	return true, nil
}

// deletedTally is what queries.Relation.Deleted answers.
type deletedTally struct {
	// Bytes is what the answer costs; nil when the index is gone.
	Bytes        *int64
	Deleted, Old int64
	Next         *float64
}

// deletedByIndex counts the deleted and the old rows of the parts through an index of
// the deleted rows, and adds what was counted before.
func (c *count) deletedByIndex(ctx context.Context) (sum tally, indexed bool, err error) {
	sum = c.sum
	left := int64(c.refresh.config.Counting.ExactMaxBytes) // for all parts together
	indexed, err = indexQuestion[deletedTally]{
		name:  byDeleted,
		sql:   func(r queries.Relation, index string) string { return r.Deleted(index, left) },
		suits: func(p plan) bool { return p.NodeType == "Index Only Scan" },
		add: func(t deletedTally) bool {
			if t.Bytes == nil || *t.Bytes > left {
				return false
			}
			left -= *t.Bytes
			sum.add(tally{Deleted: t.Deleted, Old: t.Old, Next: t.Next})
			return true
		},
	}.ask(ctx, c)
	return sum, indexed, err
}

// ages adds to the numbers what indexes know exactly of the times of deletion.
func (c *count) ages(ctx context.Context, n *softdelete.Numbers, deleted tally, indexed bool) error {
	if indexed && c.table.HasAges() {
		old := softdelete.Exactly(deleted.Old)
		n.Old, c.kept.NextChange = &old, c.due(deleted)
	}
	n.Recent, n.Oldest = nil, time.Time{}
	if len(c.table.Markers) != 1 || !c.table.Markers.Timed() {
		return nil
	}
	column := c.table.Markers[0].Time.Column
	named := regexp.MustCompile(`\b` + regexp.QuoteMeta(column) + `\b`)
	bounded := func(p plan) bool { return strings.Contains(p.NodeType, "Index") && named.MatchString(p.IndexCond) }
	if c.table.KnowsRecent() {
		recent := c.sum.Recent
		known, err := indexQuestion[struct{ Recent int64 }]{
			name:  byRecent,
			sql:   func(r queries.Relation, _ string) string { return r.Recent() },
			suits: bounded,
			add:   func(row struct{ Recent int64 }) bool { recent += row.Recent; return true },
		}.ask(ctx, c)
		if err != nil {
			return err
		}
		if known {
			e := softdelete.Exactly(min(recent, softdelete.RecentLimit))
			n.Recent = &e
		}
	}
	oldest := c.sum.Oldest
	known, err := indexQuestion[struct{ Oldest *float64 }]{
		name:  byOldest,
		sql:   func(r queries.Relation, _ string) string { return r.Oldest() },
		suits: func(p plan) bool { return bounded(p) && !strings.HasPrefix(p.NodeType, "Bitmap") },
		add:   func(row struct{ Oldest *float64 }) bool { oldest = least(oldest, row.Oldest); return true },
	}.ask(ctx, c)
	if known {
		n.Oldest = instant(oldest)
	}
	return err
}

// age brings the numbers of a sampled table up to date that time alone changes, and
// reports whether it could.
func (d *databaseRefresh) age(ctx context.Context, t *table) (done bool, err error) {
	c := d.newCount(t)
	if err := c.countExactly(ctx); err != nil {
		return false, err
	}
	deleted, indexed, err := c.deletedByIndex(ctx)
	if err != nil {
		return false, err
	}
	due := !c.refresh.began.Before(c.kept.NextChange) && !c.kept.NextChange.IsZero()
	numbers := *t.Numbers
	if err := c.ages(ctx, &numbers, deleted, indexed); err != nil {
		return false, err
	}
	if due && !indexed || t.Numbers.Recent != nil && numbers.Recent == nil {
		return false, nil
	}
	t.Numbers, t.Counting = &numbers, &c.kept
	return true, nil
}
