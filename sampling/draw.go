package sampling

import (
	"cmp"
	"math/bits"
	"math/rand/v2"
	"slices"
	"sort"
)

// Partition is one relation that holds rows: an ordinary table, or one partition of a partitioned table.
type Partition struct {
	ID     uint32 // its oid, by which Renew recognises it
	Blocks int64  // its size in blocks; 0 for an empty partition
}

// Place is one drawn block: block number Block, counted from 0, of partition Partition.
type Place struct {
	Partition uint32
	Block     int64
}

// Sample is a stratified random sample of blocks, in the order in which to read them. It does not change after it
// is drawn, and takes 8 bytes a block.
type Sample struct {
	want, batch int // as given to Draw, for a relation that grows

	partitions []Partition
	starts     []int64 // position of each partition's first block in the relation
	blocks     int64   // of all partitions

	batches int     // number of batches = strata per range
	ranges  int     // number of ranges = blocks per batch
	order   []int   // for each batch, its stratum within a range …
	turns   []int   // … counted from this one, which is random, per range
	at      []int64 // per drawn block, in reading order, its position
	age     int     // how often the sample was renewed
}

// Draw draws want blocks from all partitions together, to be read in batches of at most batch blocks; both must be
// positive. If there are no more than want blocks, it draws all of them, in one batch. It draws fewer blocks if
// batches of equal size require that. The partitions are laid end to end in the given order, so each gets blocks in
// proportion to its size. Neighbouring partitions should be similar, for example in the order of their bounds. The
// same partitions and the same state of rng give the same sample.
//
// Source: stratified sampling with one unit a stratum, Cochran, chapters 5 and 8.
func Draw(rng *rand.Rand, partitions []Partition, want, batch int) *Sample {
	s := layOut(partitions, want, batch)
	s.turns = make([]int, s.ranges)
	for r := range s.turns {
		s.turns[r] = rng.IntN(s.batches)
	}
	for i := range s.at {
		s.at[i] = s.pick(rng, s.stratum(i))
	}
	return s
}

// layOut returns the sample of these partitions, before its blocks are drawn.
func layOut(partitions []Partition, want, batch int) *Sample {
	s := &Sample{want: want, batch: batch, partitions: append([]Partition(nil), partitions...)}
	for _, partition := range partitions {
		s.starts = append(s.starts, s.blocks)
		s.blocks += partition.Blocks
	}
	switch n := int(min(int64(want), s.blocks)); {
	case n == 0:
	case n == int(s.blocks):
		s.batches, s.ranges = 1, n
	default:
		s.batches = (n + batch - 1) / batch
		s.ranges = n / s.batches
	}
	s.order = spreadOrder(s.batches)
	s.at = make([]int64, s.batches*s.ranges)
	return s
}

// Len returns the number of drawn blocks.
func (s *Sample) Len() int { return len(s.at) }

// Blocks returns the number of blocks of all partitions together.
func (s *Sample) Blocks() int64 { return s.blocks }

// Batches returns the number of batches; 0 if every partition is empty.
func (s *Sample) Batches() int { return s.batches }

// Batch returns the places of batch k, 0 ≤ k < Batches(), by partition and block. Each batch holds one block of each
// range, so the batches up to any k are a valid sample of the whole relation. A block on the border of two strata may
// occur twice.
func (s *Sample) Batch(k int) []Place {
	places := make([]Place, s.ranges)
	for r := range places {
		places[r] = s.place(s.at[k*s.ranges+r])
	}
	return places
}

// stratum returns the stratum of the i-th block in reading order. Range r holds the strata from r·batches on. Batch k
// takes the k-th stratum of each range in spread order, starting at a random one and going round. So all strata are
// equally likely at every k, and the strata read so far lie well apart.
func (s *Sample) stratum(i int) int {
	k, r := i/s.ranges, i%s.ranges
	return r*s.batches + (s.turns[r]+s.order[k])%s.batches
}

// spreadOrder returns 0 … n-1 in an order whose first elements lie well apart, however many one takes: sorted by
// their bits in reverse (van der Corput 1935).
func spreadOrder(n int) []int {
	ranked, order := make([]int, n), make([]int, n)
	for i := range ranked {
		ranked[i] = i
	}
	slices.SortFunc(ranked, func(a, b int) int {
		return cmp.Compare(bits.Reverse64(uint64(a)), bits.Reverse64(uint64(b)))
	})
	for rank, i := range ranked {
		order[i] = rank
	}
	return order
}

// bounds returns the ends of a stratum, in blocks. They are not always whole numbers: all strata are equally wide, so
// that all blocks have the same weight.
func (s *Sample) bounds(stratum int) (low, high float64) {
	width := float64(s.blocks) / float64(len(s.at))
	return float64(stratum) * width, float64(stratum+1) * width
}

// pick draws one position from a stratum.
func (s *Sample) pick(rng *rand.Rand, stratum int) int64 {
	low, high := s.bounds(stratum)
	return min(int64(low+rng.Float64()*(high-low)), s.blocks-1)
}

// chance returns the probability that pick draws this position from this stratum; 0 if it lies outside, or is -1.
func (s *Sample) chance(stratum int, position int64) float64 {
	low, high := s.bounds(stratum)
	shared := min(float64(position+1), high) - max(float64(position), low)
	return max(shared, 0) / (high - low)
}

// place returns the block at a position.
func (s *Sample) place(position int64) Place {
	i := sort.Search(len(s.starts), func(i int) bool { return s.starts[i] > position }) - 1
	return Place{Partition: s.partitions[i].ID, Block: position - s.starts[i]}
}
