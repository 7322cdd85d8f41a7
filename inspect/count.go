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

// tooLargeFor is how long a table is sampled after an exact count took too long.
const tooLargeFor = 24 * time.Hour

const (
	// usualBlock is the size of a block unless PostgreSQL was built with another one.
	usualBlock = 8 << 10
	// tiny is the size up to which a partition is always counted: the planner would scan it rather than read single
	// blocks, and reading it is faster than asking the planner.
	tiny = 16 * usualBlock
)

// count is one count of one table.
type count struct {
	refresh *refresh
	session *postgres.Session
	table   *table
	// kept is what the next count needs from this one.
	kept softdelete.Counting
	// exact are the partitions that were counted, with the sum of their rows; sampled are those that are too large
	// for that.
	exact   []sampling.Counted
	sum     tally
	sampled []sampledPartition
	// classes are the age classes of a sample, and oldest its oldest deletion.
	classes []sampling.Class
	oldest  *float64
	// observed is what the counted values show.
	observed observed
	// block is the size of a block.
	block int64
	// provisional is true if better numbers may be possible: the table is counted again at the next refresh even if
	// it does not change.
	provisional bool
}

// sampledPartition is a partition to be sampled.
type sampledPartition struct {
	partition
	blocks int64
}

// tally is a row of queries.Relation.Count, or the sum of several.
type tally struct {
	Bytes, Block                int64
	Total, Deleted, Old, Recent int64
	// Oldest, Next and Coming are seconds since 1970; nil if there is no such row.
	Oldest, Next, Coming *float64
	// Ages are the rows of each age class, if the table has them.
	Ages []int64 `db:"-"`
	// early is true if there are deletion times before any database.
	early bool
	observed
}

func (t *tally) add(o tally) {
	t.Bytes += o.Bytes
	t.Total += o.Total
	t.Deleted += o.Deleted
	t.Old += o.Old
	t.Recent += o.Recent
	if t.Ages == nil {
		t.Ages = make([]int64, len(o.Ages))
	}
	for i, rows := range o.Ages {
		t.Ages[i] += rows
	}
	t.Oldest, t.Next, t.Coming = least(t.Oldest, o.Oldest), least(t.Next, o.Next), least(t.Coming, o.Coming)
}

func least(a, b *float64) *float64 {
	if a == nil || b != nil && *b < *a {
		return b
	}
	return a
}

// count counts one table by the method that suits it.
func (d *databaseRefresh) count(ctx context.Context, t *table) (*softdelete.Numbers, error) {
	before := d.session.Spent
	c := d.newCount(t)
	numbers, err := c.choose(ctx)
	if err == nil && c.accept() {
		c = d.newCount(t)
		numbers, err = c.choose(ctx)
	}
	if err == nil {
		err = c.unclear(ctx, numbers)
	}
	if err == nil {
		numbers.Duration, numbers.Agreements = d.session.Spent-before, c.agreements()
		c.kept.Fingerprint, c.kept.Writes = t.fingerprint, t.writes
		if c.provisional {
			c.kept.Fingerprint = ""
		}
	}
	kept := c.kept // a pointer into c would keep all of this refresh in the Snapshot
	t.Counting = &kept
	return numbers, err
}

// newCount starts with what the last count has kept, without proofs that have expired, including those of dropped
// partitions.
func (d *databaseRefresh) newCount(t *table) *count {
	if !t.asked { // else the question that was asked ahead says when
		t.began = time.Now()
	}
	c := &count{refresh: d.refresh, session: d.session, table: t, kept: t.Kept()}
	c.kept.Proofs = maps.Clone(c.kept.Proofs)
	maps.DeleteFunc(c.kept.Proofs, func(_ softdelete.Asked,
		p softdelete.Proof) bool {
		return d.refresh.began.Sub(p.At) >= provedFor
	})
	return c
}

// choose counts by the configured method. With auto this is the most certain method that is cheap enough. The size in
// bytes decides, because the planner's cost is only as good as its statistics.
func (c *count) choose(ctx context.Context) (*softdelete.Numbers, error) {
	if c.table.Policy.Method == softdelete.Statistics {
		return c.byStatistics(ctx)
	}
	if err := c.countExactly(ctx); err != nil {
		return c.lastResort(ctx, err)
	}
	if len(c.sampled) == 0 {
		return c.exactNumbers(), nil
	}
	estimate, err := c.sample(ctx)
	if err != nil {
		return c.lastResort(ctx, err)
	}
	return c.sampledNumbers(ctx, estimate)
}

// gate returns how many bytes of the table may be counted exactly.
func (c *count) gate() int64 {
	switch {
	case c.table.Policy.Method == softdelete.Exact:
		return math.MaxInt64
	case c.refresh.began.Before(c.kept.TooLarge):
		return 0
	case c.table.Policy.Method == softdelete.Sampled:
		return int64(c.refresh.config.Counting.Blocks) * usualBlock // a sample would read as much
	default:
		return int64(c.refresh.config.Counting.ExactMaxBytes)
	}
}

// lastResort uses the statistics if reading took too long.
func (c *count) lastResort(ctx context.Context, err error) (*softdelete.Numbers, error) {
	if postgres.Code(err) != postgres.QueryCanceled || c.table.Policy.Method == softdelete.Exact {
		return nil, err
	}
	numbers, none := c.byStatistics(ctx)
	if none != nil {
		return nil, fmt.Errorf("%w; the statistics do not help either: %w", err, none)
	}
	c.provisional = true
	return numbers, nil
}

// on returns a partition as a queries.Relation.
func (c *count) on(l partition) queries.Relation {
	return queries.Relation{OID: l.OID, Schema: l.Schema, Name: l.Name, Children: l.children, Table: &c.table.Table,
		Key: c.table.key, Now: c.table.began}
}

// countExactly reads every row of the partitions that together fit within the gate. Each is read once in a separate
// transaction, so that a snapshot is held, and a lock waited for, no longer than one partition takes. The other
// partitions are sampled. For a relation that is not an ordinary table the size means nothing, so only time limits
// its count.
func (c *count) countExactly(ctx context.Context) error {
	left := c.gate()
	for _, l := range c.table.partitions {
		limit := l.limit(left)
		got, err := c.countUpTo(ctx, l, limit)
		if postgres.Code(err) == postgres.QueryCanceled && l.Heap && c.table.Policy.Method != softdelete.Exact {
			c.kept.TooLarge = c.refresh.began.Add(tooLargeFor)
			left, limit = 0, -1 // only read the size
			got, err = c.countUpTo(ctx, l, limit)
		}
		if err != nil {
			return fmt.Errorf("counting %s.%s: %w", l.Schema, l.Name, err)
		}
		c.block = got.Block
		if got.Bytes > limit {
			c.sampled = append(c.sampled, sampledPartition{l, got.Bytes / got.Block})
			continue
		}
		if l.Heap {
			left -= got.Bytes
		}
		c.observed.add(got.observed)
		c.sum.add(got)
		c.exact = append(c.exact, sampling.Counted{Blocks: got.Bytes / got.Block,
			Rows: sampling.Rows{Total: got.Total, Deleted: got.Deleted, Old: got.Old, Classes: c.fewer(got)}})
	}
	return nil
}

// question is the first question about a partition that is counted unless it is larger than most bytes.
func (c *count) question(l partition, most int64) string {
	if c.marksAnswer(most) {
		return c.on(l).CountMarked(most)
	}
	return c.fullQuestion(l, most)
}

// marksAnswer reports whether the number of marked rows may be all that must be asked for: there was no deleted row at
// the last count, or only the size is wanted.
func (c *count) marksAnswer(most int64) bool {
	last := c.table.Numbers
	return most < 0 || last != nil && last.Deleted.Value == 0 && c.table.Markers.Timed()
}

// fullQuestion asks for everything.
func (c *count) fullQuestion(l partition, most int64) string {
	if c.table.HasAgeClasses() {
		return c.on(l).Classes(most)
	}
	return c.on(l).Count(most)
}

// markedTally is a row of queries.Relation.CountMarked.
type markedTally struct {
	Bytes, Block, Total, Marked int64
	observed
}

// countUpTo counts a partition, unless it is larger than most bytes.
func (c *count) countUpTo(ctx context.Context, l partition, most int64) (tally, error) {
	if c.marksAnswer(most) {
		rows, err := postgres.Query[markedTally](ctx, c.session, c.question(l, most))
		if err != nil {
			return tally{}, err
		}
		if r := rows[0]; r.Marked == 0 {
			t := tally{Bytes: r.Bytes, Block: r.Block, Total: r.Total, observed: r.observed}
			if c.table.HasAgeClasses() {
				t.Ages = make([]int64, len(c.ageEdges())+1)
			}
			return t, nil
		}
	}
	if c.table.HasAgeClasses() {
		rows, err := postgres.Query[classes](ctx, c.session, c.fullQuestion(l, most))
		if err != nil {
			return tally{}, err
		}
		t, err := rows[0].tally(&c.table.Table, len(c.ageEdges()))
		if err == nil && t.early {
			t.Strange, err = c.strange(ctx, l, most)
		}
		return t, err
	}
	rows, err := postgres.Query[tally](ctx, c.session, c.fullQuestion(l, most))
	if err != nil {
		return tally{}, err
	}
	return rows[0], nil
}

// strange returns a time with an unknown meaning, if there may be one among those before any database.
func (c *count) strange(ctx context.Context, l partition, most int64) ([]*string, error) {
	question := c.on(l).Strange(most)
	if question == "" {
		return nil, nil
	}
	rows, err := postgres.Query[struct{ Strange []*string }](ctx, c.session, question)
	if err != nil {
		return nil, err
	}
	return rows[0].Strange, nil
}

// limit returns how large a partition may be that is counted, if so many bytes are left.
func (l partition) limit(left int64) int64 {
	if !l.Heap {
		return math.MaxInt64
	}
	return max(left, tiny)
}

// exactNumbers returns the numbers of a table of which every partition was counted.
func (c *count) exactNumbers() *softdelete.Numbers {
	n := softdelete.ExactNumbers(c.sum.Total, c.sum.Deleted)
	if c.table.HasAges() {
		old := softdelete.Exactly(c.sum.Old)
		n.Old = &old
	}
	if c.table.KnowsRecent() {
		recent := softdelete.Exactly(c.sum.Recent)
		n.Recent = &recent
	}
	n.Oldest = instant(c.sum.Oldest)
	if c.table.HasAgeClasses() {
		n.Ages = c.sum.ages(c.ageEdges())
	}
	var blocks float64
	for _, partition := range c.exact {
		blocks += partition.DeletedBlocks()
	}
	n.DeletedBytes = c.bytes(blocks)
	if n.Total.Value > 0 {
		n.Unseen = c.unseen()
	}
	c.kept.NextChange = c.due(c.sum)
	c.kept.Blocks = nil
	return n
}

// bytes returns the size of blocks; nil if the rows are not in the relation itself.
func (c *count) bytes(blocks float64) *float64 {
	if slices.ContainsFunc(c.table.partitions, func(l partition) bool { return l.children }) {
		return nil
	}
	size := blocks * float64(c.block)
	return &size
}

// due returns when time alone next changes the counted numbers; zero for never.
func (c *count) due(t tally) time.Time {
	next := instant(t.Next)
	if !next.IsZero() {
		next = next.Add(c.table.Policy.Retention)
	}
	if coming := instant(t.Coming); !coming.IsZero() && (next.IsZero() || coming.Before(next)) {
		next = coming
	}
	return next
}

// endOfTime is when the year 10000 begins, in seconds since 1970. Later times have another meaning, and do not fit
// into Go's format.
const endOfTime = 253402300800

// instant converts seconds since 1970; nil becomes the zero time.
func instant(seconds *float64) time.Time {
	if seconds == nil || *seconds >= endOfTime {
		return time.Time{}
	}
	return time.UnixMicro(int64(*seconds * 1e6))
}
