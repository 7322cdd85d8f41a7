package sampling

import "math/rand/v2"

// renewEvery is how many refreshes a block stays in the sample. Seven eighths
// of the blocks are then the same as the last time: what changed between two
// refreshes is seen on the same blocks, and no block is watched for long.
const renewEvery = 8

// Renew returns the sample for the next refresh. Every eighth block, in
// reading order and therefore all over the relation, is drawn anew; eight
// renewals renew all. The others are kept as far as the strata allow it, which
// follow partitions that grew, shrank, came or went: the block of a stratum stays
// exactly uniform. Where the number of blocks to draw changes, all are drawn
// anew. The same sample, partitions and state of rng give the same result.
//
// Sources: repeated sampling of one population, Cochran, chapter 12; the rule
// that keeps a block as often as a change of distribution allows is the maximal
// coupling, Lindvall, Lectures on the Coupling Method, chapter I.
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
		// What is given up where the stratum now draws less often than it did
		// is made up for where it draws more often.
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

// locator returns the inverse of place: the position of a block, or -1 where
// the sample's partitions do not hold it.
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
