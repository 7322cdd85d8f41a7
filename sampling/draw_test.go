package sampling

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func seeded(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 0)) }

func places(s *Sample) []Place {
	var all []Place
	for k := range s.Batches() {
		all = append(all, s.Batch(k)...)
	}
	return all
}

func TestTheSameSeedDrawsTheSameBlocks(t *testing.T) {
	partitions := []Partition{{7, 5000}, {8, 3000}}
	one, same, other := Draw(seeded(1), partitions, 200, 50), Draw(seeded(1), partitions, 200, 50), Draw(seeded(2),
		partitions, 200, 50)
	if diff := cmp.Diff(places(one), places(same)); diff != "" {
		t.Errorf("the same seed drew other blocks (-one +same):\n%s", diff)
	}
	if cmp.Equal(places(one), places(other)) {
		t.Error("another seed drew the same blocks")
	}
	partitions[0] = Partition{9, 1}
	if place := one.Batch(0)[0]; place.Partition != 7 {
		t.Errorf("the sample changed with the caller's slice: %v", place)
	}
}

func TestEachBatchTakesOneBlockOfEveryRange(t *testing.T) {
	const blocks, want, batch = 12_345, 1000, 100
	sample := Draw(seeded(1), []Partition{{1, blocks}}, want, batch)
	if sample.Len() != want || sample.Batches() != 10 || sample.Blocks() != blocks {
		t.Fatalf("drew %d in %d batches of %d blocks", sample.Len(), sample.Batches(), sample.Blocks())
	}
	strata := make([]int, want)
	for k := range sample.Batches() {
		for r, place := range sample.Batch(k) {
			low, high := int64(r*blocks/batch), int64((r+1)*blocks/batch)
			if place.Block < low || place.Block > high {
				t.Errorf("batch %d, range %d: block %d is not in [%d, %d]", k, r, place.Block, low, high)
			}
			strata[sample.stratum(k*batch+r)]++
		}
	}
	for stratum, n := range strata {
		if n != 1 {
			t.Errorf("stratum %d gave %d blocks", stratum, n)
		}
	}
}

func TestAnyFirstBatchesLieWellApart(t *testing.T) {
	if diff := cmp.Diff([]int{0, 5, 3, 8, 2, 7, 4, 9, 1, 6}, spreadOrder(10)); diff != "" {
		t.Errorf("order of ten strata (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]int{0, 4, 2, 6, 1, 5, 3, 7}, spreadOrder(8)); diff != "" {
		t.Errorf("order of eight strata (-want +got):\n%s", diff)
	}
}

// evenly fails the test unless each block was drawn about as often as expected.
func evenly(t *testing.T, what string, hits map[Place]int, partitions []Partition, expected float64) {
	t.Helper()
	var total int
	for _, partition := range partitions {
		for block := range partition.Blocks {
			n := hits[Place{partition.ID, block}]
			total += n
			if z := (float64(n) - expected) / math.Sqrt(expected); math.Abs(z) > 4.5 {
				t.Errorf("%s: block %d of partition %d was drawn %d times; expected %.0f", what, block, partition.ID, n, expected)
			}
		}
	}
	for _, n := range hits {
		total -= n
	}
	if total != 0 {
		t.Errorf("%s: %d blocks lie in no partition", what, -total)
	}
}

func TestEveryBlockIsAsLikelyAsAnyOtherAfterEveryBatch(t *testing.T) {
	const draws = 40_000
	partitions := []Partition{{1, 20}, {2, 0}, {3, 1}, {4, 16}}
	rng := seeded(1)
	hits := make([]map[Place]int, 4)
	for k := range hits {
		hits[k] = map[Place]int{}
	}
	for range draws {
		sample := Draw(rng, partitions, 12, 3)
		for k := range hits {
			for _, place := range sample.Batch(k) {
				hits[k][place]++
			}
		}
	}
	for _, h := range hits {
		evenly(t, "a batch of three", h, partitions, draws*3/37.0)
	}
}

func TestLeavesAreDrawnInProportionToTheirBlocks(t *testing.T) {
	sample := Draw(seeded(1), []Partition{{1, 1000}, {2, 0}, {3, 3000}, {4, 6000}}, 100, 10)
	got := map[uint32]int{}
	for _, place := range places(sample) {
		got[place.Partition]++
	}
	if diff := cmp.Diff(map[uint32]int{1: 10, 3: 30, 4: 60}, got); diff != "" {
		t.Errorf("blocks by partition (-want +got):\n%s", diff)
	}
}

func TestFewBlocksAreAllDrawn(t *testing.T) {
	got := map[Place]int{}
	for _, place := range places(Draw(seeded(1), []Partition{{1, 50}, {2, 40}}, 1000, 100)) {
		got[place]++
	}
	if len(got) != 90 {
		t.Errorf("drew %d of 90 blocks", len(got))
	}
	if sample := Draw(seeded(1), []Partition{{1, 537}}, 1000, 100); sample.Len() != 537 || sample.Batches() != 1 {
		t.Errorf("of 537 blocks drew %d in %d batches; want all of them in one", sample.Len(), sample.Batches())
	}
	for _, partitions := range [][]Partition{nil, {{1, 0}}} {
		if sample := Draw(seeded(1), partitions, 1000, 100); sample.Len() != 0 || sample.Batches() != 0 {
			t.Errorf("drew %d blocks in %d batches of an empty relation", sample.Len(), sample.Batches())
		}
	}
}
