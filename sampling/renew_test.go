package sampling

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestEachRenewalDrawsAnEighthAnew(t *testing.T) {
	rng := seeded(1)
	partitions := []Partition{{1, 1 << 40}} // so large that no block is drawn twice
	first := Draw(rng, partitions, 1000, 100)
	before, sample := first, first
	for age := range renewEvery {
		sample = sample.Renew(rng, partitions)
		changed, old := 0, places(before)
		for i, place := range places(sample) {
			if place != old[i] {
				changed++
				if i%renewEvery != age {
					t.Fatalf("renewal %d drew block %d anew", age, i)
				}
			}
		}
		if changed != 125 {
			t.Errorf("renewal %d drew %d blocks anew; want 125", age, changed)
		}
		before = sample
	}
	old := places(first)
	for i, place := range places(sample) {
		if place == old[i] {
			t.Errorf("block %d is still the first after %d renewals", i, renewEvery)
		}
	}
}

func TestARenewalIsReproducibleAndLeavesTheOldSampleAlone(t *testing.T) {
	old, grown := Draw(seeded(1), []Partition{{1, 5000}}, 200, 50), []Partition{{1, 5100}}
	before := places(old)
	one, same := old.Renew(seeded(2), grown), old.Renew(seeded(2), grown)
	if diff := cmp.Diff(places(one), places(same)); diff != "" {
		t.Errorf("the same seed renewed otherwise (-one +same):\n%s", diff)
	}
	if diff := cmp.Diff(before, places(old)); diff != "" {
		t.Errorf("the renewed sample changed (-before +after):\n%s", diff)
	}
}

func TestRenewedBlocksAreAsLikelyAsAnyOther(t *testing.T) {
	const draws = 20_000
	start := []Partition{{1, 20}, {2, 13}}
	for name, partitions := range map[string][]Partition{
		"unchanged":        start,
		"grown":            {{1, 20}, {2, 30}},
		"both grown":       {{1, 23}, {2, 15}},
		"shrunk":           {{1, 20}, {2, 6}},
		"one grew, one on": {{1, 26}, {3, 5}, {2, 11}},
		"first dropped":    {{2, 13}, {4, 9}},
		"replaced":         {{8, 31}},
		"smaller sample":   {{1, 5}},
	} {
		rng := seeded(1)
		hits := map[Place]int{}
		n := 0
		for range draws {
			sample := Draw(rng, start, 6, 3).Renew(rng, start).Renew(rng, partitions)
			n = sample.Len()
			for _, place := range places(sample) {
				hits[place]++
			}
		}
		blocks := 0
		for _, partition := range partitions {
			blocks += int(partition.Blocks)
		}
		evenly(t, name, hits, partitions, float64(draws*n)/float64(blocks))
	}
}

func TestAGrowingRelationKeepsMostOfItsBlocks(t *testing.T) {
	rng := seeded(1)
	old := Draw(rng, []Partition{{1, 100_000}}, 1000, 100)
	for blocks, least := range map[int64]int{100_000: 875, 100_004: 840, 100_100: 380, 99_900: 380} {
		kept, before := 0, places(old)
		for i, place := range places(old.Renew(rng, []Partition{{1, blocks}})) {
			if place == before[i] {
				kept++
			}
		}
		if kept < least {
			t.Errorf("from 100,000 to %d blocks %d of 1,000 were kept; want at least %d", blocks, kept, least)
		}
	}
}

func TestASampleGrowsIntoWhatWasWanted(t *testing.T) {
	rng := seeded(1)
	sample := Draw(rng, []Partition{{1, 50}}, 1000, 100)
	if sample = sample.Renew(rng, []Partition{{1, 50_000}}); sample.Len() != 1000 {
		t.Errorf("after growing, the sample has %d blocks; want 1000", sample.Len())
	}
	if sample = sample.Renew(rng, nil); sample.Len() != 0 {
		t.Errorf("after truncation, the sample has %d blocks", sample.Len())
	}
}

func TestKeptBlocksMakeDifferencesBetweenRefreshesSmall(t *testing.T) {
	rng := seeded(1)
	relation := layouts[4].fill(rng, 20_000)
	partitions := []Partition{{1, 20_000}}
	var renewed, fresh float64
	for range 300 {
		sample := Draw(rng, partitions, 300, 100)
		next, other := sample.Renew(rng, partitions), Draw(rng, partitions, 300, 100)
		value := func(s *Sample) float64 { return s.Estimate(s.read(relation, 300)).Ratio.Value }
		renewed += (value(next) - value(sample)) * (value(next) - value(sample))
		fresh += (value(other) - value(sample)) * (value(other) - value(sample))
	}
	if ratio := renewed / fresh; ratio > 0.2 {
		t.Errorf("the variance of a difference is %.2f of that of two fresh samples; want about an eighth", ratio)
	}
}

func TestIntervalsHoldTheTruthOfAGrowingRelation(t *testing.T) {
	rng := seeded(1)
	relation := layouts[1].fill(rng, 30_000)
	tally := newTally(sum(relation))
	for range trials {
		sample := Draw(rng, []Partition{{1, 20_000}}, 300, 100)
		for blocks := int64(20_500); blocks <= 30_000; blocks += 500 {
			sample = sample.Renew(rng, []Partition{{1, blocks}})
		}
		tally.add(sample.Estimate(sample.read(relation, 300)))
	}
	tally.check(t, fmt.Sprintf("%s, after growing from 20,000 to 30,000 blocks", layouts[1].name))
}
