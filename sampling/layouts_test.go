package sampling

import (
	"math"
	"math/rand/v2"
)

// A layout says where the deleted rows of a relation lie. share returns the probability that a row is deleted, for the
// block at x, 0 ≤ x < 1, of the relation. It is called once for each block, in order.
type layout struct {
	name  string
	share func(rng *rand.Rand, x float64) float64
	rows  func(rng *rand.Rand, x float64) int64 // of a block; nil: usualRows
}

// usualRows is a table with rows of varying width, and an empty block here and there.
func usualRows(rng *rand.Rand, _ float64) int64 {
	if rng.IntN(50) == 0 {
		return 0
	}
	return 40 + rng.Int64N(41)
}

// clump is 1 in one part of the relation, and background elsewhere.
func clump(start, length, background float64) func(*rand.Rand, float64) float64 {
	return func(_ *rand.Rand, x float64) float64 {
		if start <= x && x < start+length {
			return 1
		}
		return background
	}
}

func constant(share float64) func(*rand.Rand, float64) float64 {
	return func(*rand.Rand, float64) float64 { return share }
}

var layouts = []layout{
	{name: "even, 30%", share: constant(0.3)},
	{name: "oldest first, 30%", share: clump(0, 0.3, 0)},
	{name: "gradient, 60% to 0%", share: func(_ *rand.Rand, x float64) float64 { return 0.6 * (1 - x) }},
	{name: "bursts, 20 runs of 0.5%", share: func(_ *rand.Rand, x float64) float64 {
		// Runs start at uneven distances, so that they do not line up with the strata.
		run := int(x * 20)
		start := (float64(run) + math.Mod(float64(run+1)*math.Phi, 0.9)) / 20
		if start <= x && x < start+0.005 {
			return 1
		}
		return 0
	}},
	{name: "whole blocks at random, 10%", share: func(rng *rand.Rand, _ float64) float64 {
		if rng.IntN(10) == 0 {
			return 1
		}
		return 0
	}},
	{name: "one tenant: a fifth at 90%, the rest at 1%", share: func(_ *rand.Rand, x float64) float64 {
		if 0.37 <= x && x < 0.57 {
			return 0.9
		}
		return 0.01
	}},
	{name: "half-empty blocks, half of the relation", share: func(_ *rand.Rand, x float64) float64 {
		if x < 0.5 {
			return 0.05
		}
		return 0.4
	}, rows: func(rng *rand.Rand, x float64) int64 {
		if x < 0.5 {
			return usualRows(rng, x) / 2
		}
		return usualRows(rng, x)
	}},
	{name: "one clump of 0.1%", share: clump(0.6183, 0.001, 0)},
	{name: "one clump of 0.1% on even 1%", share: clump(0.6183, 0.001, 0.01)},
	{name: "even, 0.01%", share: constant(0.0001)},
	{name: "nothing deleted", share: constant(0)},
	{name: "everything deleted", share: constant(1)},
}

// of returns rows without classes.
func of(total, deleted, old int64) Rows { return Rows{Total: total, Deleted: deleted, Old: old} }

// fill returns the rows of each block of a relation with this layout. A tenth of the deleted rows are old. Half of them
// are in the class of their part of the relation, as if whole parts had been deleted at one time; the others are in
// any.
func (l layout) fill(rng *rand.Rand, blocks int) []Rows {
	rows := l.rows
	if rows == nil {
		rows = usualRows
	}
	relation := make([]Rows, blocks)
	for i := range relation {
		x := float64(i) / float64(blocks)
		total := rows(rng, x)
		deleted := binomial(rng, total, l.share(rng, x))
		relation[i] = of(total, deleted, binomial(rng, deleted, 0.1))
		for j := range int(deleted) {
			class := int(x * MaxClasses)
			if j%2 == 0 {
				class = (7*i + j) % MaxClasses
			}
			relation[i].Classes[class]++
		}
	}
	return relation
}

// binomial returns how many of n rows meet a condition of probability p, by the normal approximation if they are
// many.
func binomial(rng *rand.Rand, n int64, p float64) int64 {
	switch {
	case p == 0:
		return 0
	case p == 1:
		return n
	case p < 0.05:
		var hits int64
		for i := int64(skip(rng, p)); i < n; i += 1 + int64(skip(rng, p)) {
			hits++
		}
		return hits
	}
	mean := float64(n) * p
	hits := math.Round(mean + rng.NormFloat64()*math.Sqrt(mean*(1-p)))
	return min(max(int64(hits), 0), n)
}

// sum adds up the rows of all blocks.
func sum(relation []Rows) Rows {
	var all Rows
	for _, block := range relation {
		all = all.Plus(block)
	}
	return all
}

// tablesample returns the rows that each of several TABLESAMPLE SYSTEM statements reads, if it reads each block with
// the given probability.
func tablesample(rng *rand.Rand, relation []Rows, rate float64, groups int) []Rows {
	rows := make([]Rows, groups)
	for i := range rows {
		for b := skip(rng, rate); b < len(relation); b += 1 + skip(rng, rate) {
			rows[i] = rows[i].Plus(relation[b])
		}
	}
	return rows
}

// skip returns how many draws fail before one of probability p succeeds.
func skip(rng *rand.Rand, p float64) int {
	return int(math.Log(1-rng.Float64()) / math.Log1p(-p))
}
