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

// through asks a question of every part that a suitable index answers, and adds up the
// answers; false if one of them has none, or there is no time left. What fails for
// another reason than a lost connection costs this fact alone, until the next refresh.
func through[T any](ctx context.Context, c *count, name string, question func(queries.Relation, string) string, suits func(plan) bool, add func(T) bool) (bool, error) {
	if len(c.parts) > fewLeaves {
		return false, nil
	}
	failed := func(err error) (bool, error) {
		if ctx.Err() != nil || c.Broken() {
			return false, err
		}
		c.provisional = true
		return false, nil
	}
	for _, p := range c.parts {
		if c.budget.over() {
			return false, nil
		}
		proof, err := c.prove(ctx, p.leaf, name, question(c.on(p.leaf), ""), suits)
		if err != nil {
			return failed(err)
		}
		if !proof.Sound {
			return false, nil
		}
		rows, err := postgres.QueryUnder[T](ctx, c.Session, c.ShortLimits, question(c.on(p.leaf), proof.Index))
		if postgres.Code(err) == postgres.QueryCanceled {
			c.disprove(p.leaf, name)
			return false, nil
		}
		if err != nil {
			return failed(err)
		}
		for _, row := range rows {
			if !add(row) {
				c.disprove(p.leaf, name)
				return false, nil
			}
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
	left := int64(c.config.Counting.ExactMaxBytes) // for all parts together
	indexed, err = through(ctx, c, byDeleted,
		func(r queries.Relation, index string) string { return r.Deleted(index, left) },
		func(p plan) bool { return p.NodeType == "Index Only Scan" },
		func(t deletedTally) bool {
			if t.Bytes == nil || *t.Bytes > left {
				return false
			}
			left -= *t.Bytes
			sum.add(tally{Deleted: t.Deleted, Old: t.Old, Next: t.Next})
			return true
		})
	return sum, indexed, err
}

// ages adds to the numbers what indexes know exactly of the times of deletion.
func (c *count) ages(ctx context.Context, n *softdelete.Numbers, deleted tally, indexed bool) error {
	if indexed && c.r.HasAges() {
		old := softdelete.Exactly(deleted.Old)
		n.Old, c.kept.NextChange = &old, c.due(deleted)
	}
	n.Recent, n.Oldest = nil, time.Time{}
	if len(c.r.Markers) != 1 || !c.r.Markers.Timed() {
		return nil
	}
	column := c.r.Markers[0].Time.Column
	named := regexp.MustCompile(`\b` + regexp.QuoteMeta(column) + `\b`)
	bounded := func(p plan) bool { return strings.Contains(p.NodeType, "Index") && named.MatchString(p.IndexCond) }
	if c.r.KnowsRecent() {
		recent := c.sum.Recent
		known, err := through(ctx, c, byRecent, func(r queries.Relation, _ string) string { return r.Recent() }, bounded,
			func(row struct{ Recent int64 }) bool { recent += row.Recent; return true })
		if err != nil {
			return err
		}
		if known {
			e := softdelete.Exactly(min(recent, softdelete.RecentLimit))
			n.Recent = &e
		}
	}
	oldest := c.sum.Oldest
	known, err := through(ctx, c, byOldest, func(r queries.Relation, _ string) string { return r.Oldest() },
		func(p plan) bool { return bounded(p) && !strings.HasPrefix(p.NodeType, "Bitmap") },
		func(row struct{ Oldest *float64 }) bool { oldest = least(oldest, row.Oldest); return true })
	if known {
		n.Oldest = instant(oldest)
	}
	return err
}

// age brings the numbers of a sampled table up to date that time alone changes, and
// tells whether it could.
func (v *visit) age(ctx context.Context, r *relation) (done bool, err error) {
	c := v.newCount(r)
	if err := c.countExactly(ctx); err != nil {
		return false, err
	}
	deleted, indexed, err := c.deletedByIndex(ctx)
	if err != nil {
		return false, err
	}
	due := !c.began.Before(c.kept.NextChange) && !c.kept.NextChange.IsZero()
	numbers := *r.Numbers
	if err := c.ages(ctx, &numbers, deleted, indexed); err != nil {
		return false, err
	}
	if due && !indexed || r.Numbers.Recent != nil && numbers.Recent == nil {
		return false, nil
	}
	r.Numbers, r.Counting = &numbers, &c.kept
	return true, nil
}
