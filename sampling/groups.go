package sampling

import "math"

// EstimateGroups estimates a relation from TABLESAMPLE SYSTEM, for a role that may not read ctid and so cannot tell
// one block from another. Each group is the result of one statement with its own seed, which reads each block with
// the probability rate, 0 < rate ≤ 1. Fewer than five groups give the widest intervals possible. Exactly counted
// partitions are as in [Sample.Estimate].
//
// The interval is wider than that of as many blocks of a [Sample], for three reasons: there are no strata, a few
// groups say little about how much they vary (Student's t), and it is not known how full a block can be
// (maxRowsPerBlock).
//
// Source: independent random groups, Wolter, section 2.2.
func EstimateGroups(blocks int64, rate float64, groups []Rows, exact ...Counted) Estimate {
	return grouped(blocks, rate, groups).estimate(exact)
}

// GroupClasses is to EstimateGroups what [Sample.Classes] is to [Sample.Estimate].
func GroupClasses(blocks int64, rate float64, groups []Rows, exact ...Counted) []Class {
	return grouped(blocks, rate, groups).classes(exact)
}

// grouped returns the groups that were read.
func grouped(blocks int64, rate float64, groups []Rows) units {
	n := float64(len(groups))
	return units{
		rows:     groups,
		variance: spread,
		freedom:  max(1, n-1),
		blocks:   float64(blocks),
		met:      1 - math.Pow(1-rate, n),
		weight:   1 / (max(n, 1) * rate),
		fullest:  maxRowsPerBlock,
	}
}

// spread returns the variance of the sum of z, whose elements are independent draws from one distribution; +Inf for
// fewer than five.
func spread(z []float64) float64 {
	if len(z) < fewest {
		return math.Inf(1)
	}
	n := float64(len(z))
	var mean, sum float64
	for _, v := range z {
		mean += v / n
	}
	for _, v := range z {
		sum += (v - mean) * (v - mean)
	}
	return n / (n - 1) * sum
}
