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

// The questions that an index may answer exactly although the table is too large to be counted. A question is asked
// only if the planner would read just the index, or a limited part of the table through it. If it takes too long, it
// is not asked again for a day.
const (
	byDeleted = "deleted"
	byRecent  = "recent"
	byOldest  = "oldest"
)

// indexQuestion is one of these questions. Its answer is rows of T.
type indexQuestion[T any] struct {
	name string
	// sql returns the query about a relation; with an index, it returns no row if that no longer exists.
	sql func(r queries.Relation, index string) string
	// suits reports whether a plan is cheap enough.
	suits func(plan) bool
	// add adds a row of the answer; it returns false if the row says that there is no answer.
	add func(T) bool
}

// ask asks the question for every sampled partition. It returns false if one of them has no answer, or no time is
// left. After an error other than a lost connection, only this fact is missing until the next refresh.
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

// askOf asks the question for one partition.
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

// deletedTally is a row of queries.Relation.Deleted.
type deletedTally struct {
	// Bytes is the cost of the answer; nil if the index no longer exists.
	Bytes        *int64
	Deleted, Old int64
	Next         *float64
}

// deletedByIndex counts the deleted and the old rows of the sampled partitions through an index on the deleted rows,
// and adds what was counted before.
func (c *count) deletedByIndex(ctx context.Context) (sum tally, indexed bool, err error) {
	sum = c.sum
	left := int64(c.refresh.config.Counting.ExactMaxBytes) // for all partitions together
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

// ages adds exact facts about deletion times to the numbers, from indexes.
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

// age updates those numbers of a sampled table that change with time alone. It reports whether it could.
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
