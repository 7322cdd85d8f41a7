package inspect

import (
	"context"
	"fmt"
	"maps"
	"math"
	"time"

	"github.com/softdelete-exporter/softdelete_exporter/queries"
	"github.com/softdelete-exporter/softdelete_exporter/sampling"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// tooLargeFor is how long a table is sampled whose exact pass took too long.
const tooLargeFor = 24 * time.Hour

// usualBlock is the size of a block unless PostgreSQL was built with another one.
const usualBlock = 8 << 10

// count is one count of one table.
type count struct {
	*visit
	r *relation
	// kept is what the next count will need of this one.
	kept softdelete.Counting
	// exact are the leaves that were counted, with the sum of what they held; parts are
	// those that are too large for that.
	exact []sampling.Counted
	sum   tally
	parts []part
	// block is the size of a block.
	block int64
}

// part is a leaf to be sampled.
type part struct {
	leaf
	blocks int64
}

// tally is what queries.Relation.Count answers, and the sum of such answers.
type tally struct {
	Bytes, Block                int64
	Total, Deleted, Old, Recent int64
	// Oldest and Next are seconds since 1970; nil where there is no such row.
	Oldest, Next *float64
}

func (t *tally) add(o tally) {
	t.Bytes += o.Bytes
	t.Total += o.Total
	t.Deleted += o.Deleted
	t.Old += o.Old
	t.Recent += o.Recent
	t.Oldest, t.Next = least(t.Oldest, o.Oldest), least(t.Next, o.Next)
}

func least(a, b *float64) *float64 {
	if a == nil || b != nil && *b < *a {
		return b
	}
	return a
}

// count finds the numbers of one table by the method that suits it.
func (v *visit) count(ctx context.Context, r *relation) (*softdelete.Numbers, error) {
	began := time.Now()
	c := count{visit: v, r: r, kept: r.Kept()}
	c.kept.Proofs = maps.Clone(c.kept.Proofs)
	numbers, err := c.choose(ctx)
	if err == nil {
		numbers.Duration = time.Since(began)
		c.kept.Fingerprint, c.kept.Writes = r.fingerprint, r.writes
	}
	r.Counting = &c.kept
	return numbers, err
}

// choose counts by the configured method. Under auto that is the surest which is
// cheap enough: the gate is the size in bytes, because the planner's cost is only as
// good as its statistics.
func (c *count) choose(ctx context.Context) (*softdelete.Numbers, error) {
	var most int64
	switch c.r.Policy.Method {
	case softdelete.Statistics:
		return c.byStatistics(ctx)
	case softdelete.Exact:
		most = math.MaxInt64
	case softdelete.Sampled:
		// So many blocks would be read in any case.
		most = int64(c.config.Counting.Blocks) * usualBlock
	default:
		if c.began.After(c.kept.TooLarge) {
			most = int64(c.config.Counting.ExactMaxBytes)
		}
	}
	if err := c.countExactly(ctx, most); err != nil {
		return c.lastResort(ctx, err)
	}
	if len(c.parts) == 0 {
		return c.exactNumbers(), nil
	}
	estimate, err := c.sample(ctx)
	if err != nil {
		return c.lastResort(ctx, err)
	}
	return c.sampledNumbers(ctx, estimate)
}

// lastResort asks the statistics where reading took too long.
func (c *count) lastResort(ctx context.Context, err error) (*softdelete.Numbers, error) {
	if code(err) != queryCanceled || c.r.Policy.Method == softdelete.Exact {
		return nil, err
	}
	numbers, none := c.byStatistics(ctx)
	if none != nil {
		return nil, fmt.Errorf("%w; nor do the statistics help: %w", err, none)
	}
	return numbers, nil
}

// on is a leaf as queries has it.
func (c *count) on(l leaf) queries.Relation {
	return queries.Relation{OID: l.OID, Schema: l.Schema, Name: l.Name, Children: l.children, Table: &c.r.Table}
}

// countExactly reads every row of the leaves that are together not larger than most,
// each leaf once and in a transaction of its own: the snapshot is held, and a lock
// waited for, no longer than one leaf takes. The others become parts. The size of what
// is not an ordinary table says nothing, so only time bounds that.
func (c *count) countExactly(ctx context.Context, most int64) error {
	for _, l := range c.r.leaves {
		limit := most - c.sum.Bytes
		if !l.heap {
			limit = math.MaxInt64
		}
		rows, err := query[tally](ctx, c.session, c.on(l).Count(limit))
		if code(err) == queryCanceled && limit > 0 && l.heap && c.r.Policy.Method != softdelete.Exact {
			c.kept.TooLarge = c.began.Add(tooLargeFor)
			most, limit = -1, -1
			rows, err = query[tally](ctx, c.session, c.on(l).Count(limit))
		}
		if err != nil {
			return fmt.Errorf("counting %s.%s: %w", l.Schema, l.Name, err)
		}
		got := rows[0]
		c.block = got.Block
		if got.Bytes > limit {
			c.parts = append(c.parts, part{l, got.Bytes / got.Block})
			continue
		}
		c.sum.add(got)
		c.exact = append(c.exact, sampling.Counted{Blocks: got.Bytes / got.Block, Rows: sampling.Rows{Total: got.Total, Deleted: got.Deleted, Old: got.Old}})
	}
	return nil
}

// exactNumbers are those of a table of which every leaf was counted.
func (c *count) exactNumbers() *softdelete.Numbers {
	n := softdelete.ExactNumbers(c.sum.Total, c.sum.Deleted)
	if c.r.HasAges() {
		old := softdelete.Exactly(c.sum.Old)
		n.Old = &old
	}
	if c.r.KnowsRecent() {
		recent := softdelete.Exactly(c.sum.Recent)
		n.Recent = &recent
	}
	n.Oldest = instant(c.sum.Oldest)
	bytes := sampling.Draw(nil, nil, 1, 1).Estimate(nil, c.exact...).DeletedBlocks * float64(c.block)
	n.DeletedBytes = &bytes
	c.kept.NextOld = c.due(c.sum.Next)
	c.kept.Blocks = nil
	return n
}

// due is when a row becomes old that was deleted at the given time; zero for none.
func (c *count) due(deleted *float64) time.Time {
	if deleted == nil {
		return time.Time{}
	}
	return instant(deleted).Add(c.r.Policy.Retention)
}

// instant reads seconds since 1970; nil is the zero time.
func instant(seconds *float64) time.Time {
	if seconds == nil {
		return time.Time{}
	}
	return time.UnixMicro(int64(*seconds * 1e6))
}
