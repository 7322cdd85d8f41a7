package inspect

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/softdelete-exporter/softdelete_exporter/postgres"
	"github.com/softdelete-exporter/softdelete_exporter/sampling"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// drawnSample is a sample with the settings for which it was drawn. If the configuration changes them, a new sample
// is drawn.
type drawnSample struct {
	*sampling.Sample
	want, batch int
}

// newRand makes the random source; tests replace it by one with a fixed seed.
var newRand = func() *rand.Rand { return rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64())) }

// sampledRow is a row of queries.Relation.SampleSystem.
type sampledRow struct {
	Total, Deleted, Old int64
	// Oldest is the oldest deletion, in seconds since 1970; nil if there is none.
	Oldest *float64
	// Since are the deleted rows with a known time: all of them, and those since each edge of the age classes.
	Since []int64
	observed
}

// blockRow is a row of queries.Relation.Sample, for one block.
type blockRow struct {
	Block int64
	sampledRow
}

// sample estimates the rows of the partitions from blocks of all of them, in proportion to their sizes. Partitions
// that were counted are included as exact.
func (c *count) sample(ctx context.Context) (sampling.Estimate, error) {
	partitions := make([]sampling.Partition, len(c.sampled))
	var blocks int64
	for i, p := range c.sampled {
		partitions[i] = sampling.Partition{ID: p.OID, Blocks: p.blocks}
		blocks += p.blocks
	}
	if int64(c.refresh.budget.blocks) < min(blocks, int64(c.refresh.config.Counting.Batch)) {
		return sampling.Estimate{}, errSpent
	}
	byBlock, err := c.byBlocks(ctx)
	if err != nil {
		return sampling.Estimate{}, err
	}
	if !byBlock {
		c.kept.Blocks = nil
		return c.sampleSystem(ctx, blocks)
	}
	rng := newRand()
	d := drawnSample{want: c.refresh.config.Counting.Blocks, batch: c.refresh.config.Counting.Batch}
	if last, ok := c.kept.Blocks.(drawnSample); ok && last.want == d.want && last.batch == d.batch {
		d.Sample = last.Renew(rng, partitions)
	} else {
		d.Sample = sampling.Draw(rng, partitions, d.want, d.batch)
	}
	c.kept.Blocks = d
	return c.readBatches(ctx, d.Sample)
}

// byBlocks reports whether every partition can be read block by block: the role may, and the planner does not scan
// the whole relation for each block.
func (c *count) byBlocks(ctx context.Context) (bool, error) {
	for _, p := range c.sampled {
		if !p.Tids {
			return false, nil
		}
		proof, err := c.prove(ctx, p.partition, "blocks", c.on(p.partition).Sample([]int64{0}), func(scan plan) bool {
			return scan.NodeType == "Tid Range Scan"
		})
		if err != nil || !proof.Sound {
			return false, err
		}
	}
	return true, nil
}

// readBatches reads batches, each spread over the whole relation, until the estimate is good enough or the budget is
// spent. If a batch fails, those before it still count.
func (c *count) readBatches(ctx context.Context, s *sampling.Sample) (estimate sampling.Estimate, err error) {
	var read []sampling.Rows
	for k := range s.Batches() {
		places := s.Batch(k)
		if len(places) > c.refresh.budget.blocks || k > 0 && c.refresh.budget.over() {
			if k == 0 {
				return estimate, errSpent
			}
			break
		}
		rows, err := c.readBatch(ctx, places)
		if err != nil {
			if k == 0 || ctx.Err() != nil || c.session.Broken() {
				return estimate, err
			}
			break
		}
		c.refresh.budget.blocks -= len(places)
		read = append(read, rows...)
		estimate = s.Estimate(read, c.exact...)
		if estimate.Reached(c.refresh.config.Counting.TargetMargin) {
			break
		}
	}
	c.classes = s.Classes(read, c.exact...)
	return estimate, nil
}

// readBatch reads blocks, with one query for each partition, and returns their rows in the order of the places.
func (c *count) readBatch(ctx context.Context, places []sampling.Place) ([]sampling.Rows, error) {
	held := map[sampling.Place]sampling.Rows{}
	for _, p := range c.sampled {
		var blocks []int64
		for _, place := range places {
			if place.Partition == p.OID {
				blocks = append(blocks, place.Block)
			}
		}
		if len(blocks) == 0 {
			continue
		}
		slices.Sort(blocks)
		for some := range slices.Chunk(slices.Compact(blocks), c.refresh.config.Counting.Batch) {
			rows, err := postgres.Query[blockRow](ctx, c.session, c.on(p.partition).Sample(some))
			if err != nil {
				return nil, fmt.Errorf("sampling %s.%s: %w", p.Schema, p.Name, err)
			}
			for _, r := range rows {
				held[sampling.Place{Partition: p.OID, Block: r.Block}] = c.sampledRows(r.sampledRow)
			}
		}
	}
	read := make([]sampling.Rows, len(places))
	for i, place := range places {
		read[i] = held[place]
	}
	return read, nil
}

// systemGroups is how many samples TABLESAMPLE draws: their differences show how accurate they are together.
const systemGroups = 10

// sampleSystem samples for a role that may not read ctid.
func (c *count) sampleSystem(ctx context.Context, blocks int64) (sampling.Estimate, error) {
	rng := newRand()
	rate := min(1, float64(min(c.refresh.config.Counting.Blocks, c.refresh.budget.blocks))/float64(blocks)/systemGroups)
	var groups []sampling.Rows
	for len(groups) < systemGroups && (len(groups) < 5 || !c.refresh.budget.over()) {
		var group sampling.Rows
		for _, p := range c.sampled {
			rows, err := postgres.Query[sampledRow](ctx, c.session, c.on(p.partition).SampleSystem(rate, rng.Int32()))
			if err != nil {
				return sampling.Estimate{}, fmt.Errorf("sampling %s.%s: %w", p.Schema, p.Name, err)
			}
			group = group.Plus(c.sampledRows(rows[0]))
		}
		groups = append(groups, group)
		c.refresh.budget.blocks -= int(rate * float64(blocks))
	}
	c.classes = sampling.GroupClasses(blocks, rate, groups, c.exact...)
	return sampling.EstimateGroups(blocks, rate, groups, c.exact...), nil
}

// sampledNumbers returns the numbers of an estimate, made exact if an index allows it.
func (c *count) sampledNumbers(ctx context.Context, e sampling.Estimate) (*softdelete.Numbers, error) {
	n := &softdelete.Numbers{Method: softdelete.Sampled}
	c.kept.NextChange = time.Time{}
	deleted, indexed, err := c.deletedByIndex(ctx)
	if err != nil {
		return nil, err
	}
	if indexed {
		e = e.WithDeleted(deleted.Deleted)
	}
	n.Total, n.Deleted, n.Ratio = estimated(e.Total), estimated(e.Deleted), estimated(e.Ratio)
	n.Active = softdelete.Estimate{Value: max(e.Total.Value-e.Deleted.Value, 0),
		Margin: e.Total.Margin() + e.Deleted.Margin()}
	n.DeletedBytes = c.bytes(e.DeletedBlocks)
	if c.table.HasAges() {
		old := estimated(e.Old)
		n.Old = &old
	}
	if err := c.ages(ctx, n, deleted, indexed); err != nil {
		return nil, err
	}
	if n.Oldest.IsZero() {
		n.OldestSeen = instant(least(c.sum.Oldest, c.oldest))
	}
	if c.table.HasAgeClasses() {
		n.Ages = c.sampledAges()
	}
	return n, nil
}

// sampledRows adds what a row of a sample shows to the count, and returns its rows.
func (c *count) sampledRows(r sampledRow) sampling.Rows {
	c.observed.add(r.observed)
	c.oldest = least(c.oldest, r.Oldest)
	rows := sampling.Rows{Total: r.Total, Deleted: r.Deleted, Old: r.Old}
	for i, since := range r.Since {
		rows.Classes[i] = since
		if i > 0 {
			rows.Classes[i-1] -= since
		}
	}
	return rows
}

func estimated(i sampling.Interval) softdelete.Estimate {
	return softdelete.Estimate{Value: i.Value, Margin: i.Margin()}
}
