package inspect

import (
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/softdelete-exporter/softdelete_exporter/postgres"
	"github.com/softdelete-exporter/softdelete_exporter/queries"
	"github.com/softdelete-exporter/softdelete_exporter/sampling"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// tooLargeFor is how long a table is sampled whose exact pass took too long.
const tooLargeFor = 24 * time.Hour

const (
	// usualBlock is the size of a block unless PostgreSQL was built with another one.
	usualBlock = 8 << 10
	// tiny is up to which size a leaf is always counted: the planner would rather scan it
	// than read it block by block, and it is read sooner than that is found out.
	tiny = 16 * usualBlock
)

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
	// provisional tells that the numbers are not all that can be had, so that the table is
	// counted again at the next refresh even if it does not change.
	provisional bool
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
	// Oldest, Next and Coming are seconds since 1970; nil where there is no such row.
	Oldest, Next, Coming *float64
}

func (t *tally) add(o tally) {
	t.Bytes += o.Bytes
	t.Total += o.Total
	t.Deleted += o.Deleted
	t.Old += o.Old
	t.Recent += o.Recent
	t.Oldest, t.Next, t.Coming = least(t.Oldest, o.Oldest), least(t.Next, o.Next), least(t.Coming, o.Coming)
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
	c := v.newCount(r)
	numbers, err := c.choose(ctx)
	if err == nil {
		numbers.Duration = time.Since(began)
		c.kept.Fingerprint, c.kept.Writes = r.fingerprint, r.writes
		if c.provisional {
			c.kept.Fingerprint = ""
		}
	}
	r.Counting = &c.kept
	return numbers, err
}

// newCount begins with what the last count kept, without proofs that nobody believes
// any more: those of dropped partitions are among them.
func (v *visit) newCount(r *relation) *count {
	c := &count{visit: v, r: r, kept: r.Kept()}
	c.kept.Proofs = maps.Clone(c.kept.Proofs)
	maps.DeleteFunc(c.kept.Proofs, func(_ softdelete.Asked, p softdelete.Proof) bool { return v.began.Sub(p.At) >= provedFor })
	return c
}

// choose counts by the configured method. Under auto that is the surest which is
// cheap enough: the gate is the size in bytes, because the planner's cost is only as
// good as its statistics.
func (c *count) choose(ctx context.Context) (*softdelete.Numbers, error) {
	if c.r.Policy.Method == softdelete.Statistics {
		return c.byStatistics(ctx)
	}
	if err := c.countExactly(ctx); err != nil {
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

// gate is how many bytes of the table may be counted exactly.
func (c *count) gate() int64 {
	switch {
	case c.r.Policy.Method == softdelete.Exact:
		return math.MaxInt64
	case c.began.Before(c.kept.TooLarge):
		return 0
	case c.r.Policy.Method == softdelete.Sampled:
		return int64(c.config.Counting.Blocks) * usualBlock // so much would be read in any case
	default:
		return int64(c.config.Counting.ExactMaxBytes)
	}
}

// lastResort asks the statistics where reading took too long.
func (c *count) lastResort(ctx context.Context, err error) (*softdelete.Numbers, error) {
	if postgres.Code(err) != postgres.QueryCanceled || c.r.Policy.Method == softdelete.Exact {
		return nil, err
	}
	numbers, none := c.byStatistics(ctx)
	if none != nil {
		return nil, fmt.Errorf("%w; nor do the statistics help: %w", err, none)
	}
	c.provisional = true
	return numbers, nil
}

// on is a leaf as queries has it.
func (c *count) on(l leaf) queries.Relation {
	return queries.Relation{OID: l.OID, Schema: l.Schema, Name: l.Name, Children: l.children, Table: &c.r.Table}
}

// countExactly reads every row of the leaves that together pass the gate, each leaf
// once and in a transaction of its own: the snapshot is held, and a lock waited for, no
// longer than one leaf takes. The others become parts. The size of what is not an
// ordinary table says nothing, so only time bounds that.
func (c *count) countExactly(ctx context.Context) error {
	left := c.gate()
	for _, l := range c.r.leaves {
		limit := max(left, tiny)
		if !l.Heap {
			limit = math.MaxInt64
		}
		rows, err := postgres.Query[tally](ctx, c.Session, c.on(l).Count(limit))
		if postgres.Code(err) == postgres.QueryCanceled && l.Heap && c.r.Policy.Method != softdelete.Exact {
			c.kept.TooLarge = c.began.Add(tooLargeFor)
			left, limit = 0, -1 // for the size alone
			rows, err = postgres.Query[tally](ctx, c.Session, c.on(l).Count(limit))
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
		if l.Heap {
			left -= got.Bytes
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
	var blocks float64
	for _, leaf := range c.exact {
		blocks += leaf.DeletedBlocks()
	}
	n.DeletedBytes = c.bytes(blocks)
	c.kept.NextChange = c.due(c.sum)
	c.kept.Blocks = nil
	return n
}

// bytes is the size of blocks; nil where the size of the relation is not that of what
// holds the rows.
func (c *count) bytes(blocks float64) *float64 {
	if slices.ContainsFunc(c.r.leaves, func(l leaf) bool { return l.children }) {
		return nil
	}
	size := blocks * float64(c.block)
	return &size
}

// due is when time alone changes what was counted next; zero for never.
func (c *count) due(t tally) time.Time {
	next := instant(t.Next)
	if !next.IsZero() {
		next = next.Add(c.r.Policy.Retention)
	}
	if coming := instant(t.Coming); !coming.IsZero() && (next.IsZero() || coming.Before(next)) {
		next = coming
	}
	return next
}

// endOfTime is when the year 10000 begins, in seconds since 1970. Times beyond stand for
// something else, and do not fit.
const endOfTime = 253402300800

// instant reads seconds since 1970; the zero time where there are none.
func instant(seconds *float64) time.Time {
	if seconds == nil || *seconds >= endOfTime {
		return time.Time{}
	}
	return time.UnixMicro(int64(*seconds * 1e6))
}
