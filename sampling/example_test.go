package sampling_test

import (
	"fmt"
	"math/rand/v2"

	"github.com/softdelete-exporter/softdelete_exporter/sampling"
)

// rowsOf stands for the query that counts the rows of some blocks. In the first half of the relation, every second
// row is deleted.
func rowsOf(places []sampling.Place) []sampling.Rows {
	read := make([]sampling.Rows, len(places))
	for i, p := range places {
		read[i].Total = 60
		if p.Block < 5000 {
			read[i].Deleted = 30
		}
	}
	return read
}

// A relation of 10,000 blocks is read batch by batch until the margin is small enough.
func ExampleDraw() {
	rng := rand.New(rand.NewPCG(1, 2))
	sample := sampling.Draw(rng, []sampling.Partition{{ID: 1, Blocks: 10_000}}, 1000, 100)
	var read []sampling.Rows
	var estimate sampling.Estimate
	for k := range sample.Batches() {
		read = append(read, rowsOf(sample.Batch(k))...)
		if estimate = sample.Estimate(read); estimate.Reached(0.02) {
			break
		}
	}
	fmt.Printf("%d of %d blocks were read\n", len(read), sample.Blocks())
	fmt.Printf("%.2f of the rows are deleted, at most %.2f off\n", estimate.Ratio.Value, estimate.Ratio.Margin())
	// Output:
	// 200 of 10000 blocks were read
	// 0.25 of the rows are deleted, at most 0.01 off
}

// A later sample keeps most blocks, so that a difference between two samples comes from the relation, not from the
// draw.
func ExampleSample_Renew() {
	rng := rand.New(rand.NewPCG(1, 2))
	partitions := []sampling.Partition{{ID: 1, Blocks: 10_000}}
	sample := sampling.Draw(rng, partitions, 800, 100)
	before := map[sampling.Place]bool{}
	for k := range sample.Batches() {
		for _, p := range sample.Batch(k) {
			before[p] = true
		}
	}
	renewed := sample.Renew(rng, partitions)
	kept := 0
	for k := range renewed.Batches() {
		for _, p := range renewed.Batch(k) {
			if before[p] {
				kept++
			}
		}
	}
	fmt.Printf("%d of %d blocks are read again\n", kept, renewed.Len())
	// Output:
	// 711 of 800 blocks are read again
}
