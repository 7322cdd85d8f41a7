package sampling

import (
	"fmt"
	"math"
)

// Estimate estimates the relation from the blocks that were read so far: read[i] holds the rows of the i-th block in
// the order of the batches. Only whole batches count, because only those are spread over the whole relation. With
// fewer than five blocks the intervals are the widest possible. Partitions that were counted instead of sampled are
// given as exact. It panics if read has more blocks than were drawn.
//
// Sources: clusters of unequal size and the ratio of their sums, Cochran, chapters 6 and 9A; the variance from
// neighbours, Wolter, section 8.2, estimator v₂; the intervals, see the package comment.
func (s *Sample) Estimate(read []Rows, exact ...Counted) Estimate {
	return s.units(read).estimate(exact)
}

// Classes estimates the deleted rows in classes of deletion times, oldest first. Neighbouring classes are joined until
// the number of rows of each is known well enough; it returns nil if fewer than two would be left.
func (s *Sample) Classes(read []Rows, exact ...Counted) []Class { return s.units(read).classes(exact) }

// units returns the blocks that were read.
func (s *Sample) units(read []Rows) units {
	if len(read) > len(s.at) {
		panic(fmt.Sprintf("sampling: %d blocks read of a sample of %d", len(read), len(s.at)))
	}
	if s.ranges > 0 {
		read = read[:len(read)-len(read)%s.ranges]
	}
	blocks, n := float64(s.blocks), float64(len(read))
	u := units{
		rows:    s.inPlace(read),
		freedom: max(1, 2*(n-1)/3),
		blocks:  blocks,
		weight:  blocks / max(n, 1),
	}
	if n == blocks {
		u.variance, u.met = func([]float64) float64 { return 0 }, 1
	} else {
		// A block on the border of two strata can be missed by both.
		missed := 1 - n/blocks/2
		u.variance, u.met = successive, 1-missed*missed
	}
	for _, block := range read {
		u.fullest = max(u.fullest, float64(block.Total))
	}
	if len(read) < fewest || u.fullest == 0 {
		u.fullest = maxRowsPerBlock
	}
	return u
}

// inPlace sorts what was read by stratum instead of batch, so that neighbours in the slice are neighbours in the
// relation.
func (s *Sample) inPlace(read []Rows) []Rows {
	strata := make([]*Rows, len(s.at))
	for i := range read {
		strata[s.stratum(i)] = &read[i]
	}
	rows := make([]Rows, 0, len(read))
	for _, block := range strata {
		if block != nil {
			rows = append(rows, *block)
		}
	}
	return rows
}

// successive returns the variance of the sum of z, which holds one draw per stratum in the order of the strata. Each
// difference between neighbours estimates twice the variance within their strata. If their means differ, the result
// is too large rather than too small. +Inf for fewer than five.
func successive(z []float64) float64 {
	if len(z) < fewest {
		return math.Inf(1)
	}
	var sum float64
	for i := 1; i < len(z); i++ {
		difference := z[i] - z[i-1]
		sum += difference * difference
	}
	n := float64(len(z))
	return n / (2 * (n - 1)) * sum
}
