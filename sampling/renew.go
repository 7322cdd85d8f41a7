package sampling

import "math/rand/v2"

// renewEvery is how many refreshes a block stays in the sample. Seven eighths of the blocks are then the same as the
// last time, so a change between two refreshes is seen on the same blocks. No block is read for ever.
const renewEvery = 8

// Renew returns the sample for the next refresh. It draws every eighth block again, in reading order and so all over
// the relation; after eight renewals all blocks are new. It keeps the others as far as it can when the strata move,
// because partitions grew, shrank, came or went: each block must stay uniformly distributed within its stratum. If
// the number of blocks to draw changes, all are drawn again. The same sample, partitions and state of rng give the
// same result.
//
// Sources: repeated sampling of one population, Cochran, chapter 12. A block is kept as often as a change of the
// distribution allows: this is the maximal coupling, Lindvall, Lectures on the Coupling Method, chapter I.
func (s *Sample) Renew(rng *rand.Rand, partitions []Partition) *Sample {
	next := layOut(partitions, s.want, s.batch)
	if next.batches != s.batches || next.ranges != s.ranges {
		return Draw(rng, partitions, s.want, s.batch)
	}
	next.turns, next.age = s.turns, s.age+1
	before, after := s.locator(), next.locator()
	for i := range next.at {
		stratum := next.stratum(i)
		if i%renewEvery == s.age%renewEvery {
			next.at[i] = next.pick(rng, stratum)
			continue
		}
		kept := after(s.place(s.at[i]))
		if rng.Float64()*s.chance(stratum, s.at[i]) < next.chance(stratum, kept) {
			next.at[i] = kept
			continue
		}
		// The block is not kept. Draw another one, among the positions that the stratum now draws more often than
		// before.
		for {
			position := next.pick(rng, stratum)
			old := s.chance(stratum, before(next.place(position)))
			if rng.Float64()*next.chance(stratum, position) >= old {
				next.at[i] = position
				break
			}
		}
	}
	return next
}

// locator returns the inverse of place: the position of a block, or -1 if the sample's partitions do not hold it.
func (s *Sample) locator() func(Place) int64 {
	index := make(map[uint32]int, len(s.partitions))
	for i, partition := range s.partitions {
		index[partition.ID] = i
	}
	return func(p Place) int64 {
		i, found := index[p.Partition]
		if !found || p.Block >= s.partitions[i].Blocks {
			return -1
		}
		return s.starts[i] + p.Block
	}
}
