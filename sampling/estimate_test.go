package sampling

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// repeat returns n equal blocks.
func repeat(block Rows, n int) []Rows {
	rows := make([]Rows, n)
	for i := range rows {
		rows[i] = block
	}
	return rows
}

func TestSumsAreBlownUpByBlocks(t *testing.T) {
	sample := Draw(seeded(1), []Partition{{1, 1_000_000}}, 200, 100)
	read := append(repeat(of(40, 20, 4), 100), repeat(of(20, 0, 0), 100)...)
	e := sample.Estimate(read, Counted{10, of(1000, 800, 80)})
	near(t, "total", e.Total.Value, 30_001_000, 1e-3)
	near(t, "deleted", e.Deleted.Value, 10_000_800, 1e-3)
	near(t, "old", e.Old.Value, 2_000_080, 1e-3)
	near(t, "ratio", e.Ratio.Value, 10_000_800.0/30_001_000, 1e-12)
	near(t, "blocks", e.Blocks, 1_000_010, 0)
	near(t, "deleted blocks", e.DeletedBlocks, 250_000+8, 1e-6)
}

func TestReadingEverythingIsExact(t *testing.T) {
	relation := layouts[0].fill(seeded(1), 90)
	truth := sum(relation)
	sample := Draw(seeded(1), []Partition{{1, 90}}, 90, 10)
	e := sample.Estimate(sample.read(relation, 90))
	for what, i := range map[string]Interval{"total": e.Total, "deleted": e.Deleted, "old": e.Old, "ratio": e.Ratio} {
		near(t, "margin of "+what, i.Margin(), 0, 1e-9)
	}
	near(t, "total", e.Total.Value, float64(truth.Total), 1e-9)
	near(t, "deleted", e.Deleted.Value, float64(truth.Deleted), 1e-9)
	one := Draw(seeded(1), []Partition{{1, 1}}, 9, 3)
	if e := one.Estimate([]Rows{of(5, 2, 1)}); e.Ratio != (Interval{0.4, 0.4, 0.4}) {
		t.Errorf("ratio of the only block is %v", e.Ratio)
	}
	e = EstimateGroups(90, 1, repeat(truth, 5))
	near(t, "margin of all, five times", e.Deleted.Margin(), 0, 1e-6)
}

func TestCountedLeavesAloneAreExact(t *testing.T) {
	got := Draw(seeded(1), nil, 1000, 100).Estimate(nil, Counted{4, of(60, 15, 3)},
		Counted{4, of(40, 5, 0)}, Counted{})
	want := Estimate{
		Total: Exact(100), Deleted: Exact(20), Old: Exact(3), Ratio: Interval{0.2, 0.2, 0.2},
		Blocks: 8, DeletedBlocks: 1.5,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("two counted partitions (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(Estimate{}, Draw(seeded(1), nil, 1000, 100).Estimate(nil)); diff != "" {
		t.Errorf("an empty relation (-want +got):\n%s", diff)
	}
}

func TestNothingReadSaysNothing(t *testing.T) {
	sample := Draw(seeded(1), []Partition{{1, 1000}}, 100, 50)
	for what, read := range map[string][]Rows{"nothing": nil, "half a batch": repeat(of(10, 10, 10), 25),
		"empty blocks": repeat(Rows{}, 50)} {
		e := sample.Estimate(read)
		if e.Ratio != (Interval{0, 0, 1}) {
			t.Errorf("%s: ratio %v; want 0 in [0, 1]", what, e.Ratio)
		}
		if e.Total.Value != 0 || e.Total.High < 15_000 {
			t.Errorf("%s: total %v; want 0 and a high end that 58 full blocks may hold", what, e.Total)
		}
		if e.Reached(0.5) {
			t.Errorf("%s: reached", what)
		}
	}
	e := sample.Estimate(repeat(Rows{}, 50), Counted{5, of(900, 90, 0)})
	near(t, "ratio with a counted partition", e.Ratio.Value, 0.1, 1e-12)
	if !(e.Ratio.Low < 0.02 && e.Ratio.High > 0.9) {
		t.Errorf("ratio with a counted partition: %v; the empty blocks may not be the only ones", e.Ratio)
	}
	if e := EstimateGroups(1000, 0.01, nil); e.Ratio != (Interval{0, 0, 1}) || e.Total.High != 291_000 {
		t.Errorf("no group: ratio %v, total %v", e.Ratio, e.Total)
	}
}

func TestATailShorterThanABatchIsLeftOut(t *testing.T) {
	sample := Draw(seeded(1), []Partition{{1, 10_000}}, 300, 100)
	read := append(repeat(of(50, 10, 1), 200), repeat(of(50, 50, 50), 99)...)
	if diff := cmp.Diff(sample.Estimate(read[:200]), sample.Estimate(read)); diff != "" {
		t.Errorf("299 blocks (-two batches +got):\n%s", diff)
	}
	defer func() {
		if recover() == nil {
			t.Error("301 blocks of a sample of 300 did not panic")
		}
	}()
	sample.Estimate(repeat(Rows{}, 301))
}

func TestNeverCertainOfWhatNoBlockShowed(t *testing.T) {
	sample := Draw(seeded(1), []Partition{{1, 1_000_000}}, 1000, 100)
	none := sample.Estimate(repeat(of(60, 0, 0), 1000))
	near(t, "high end of the ratio, nothing deleted", none.Ratio.High, 0.003, 0.00001)
	near(t, "high end of deleted rows", none.Deleted.High, 180_000, 600)
	near(t, "high end of old rows", none.Old.High, 180_000, 600)
	all := sample.Estimate(repeat(of(60, 60, 60), 1000))
	near(t, "low end of the ratio, all deleted", all.Ratio.Low, 0.997, 0.00001)
	if all.Ratio.High != 1 || none.Ratio.Low != 0 || none.Deleted.Low != 0 {
		t.Errorf("ends outside of the possible: %v, %v, %v", all.Ratio, none.Ratio, none.Deleted)
	}
	// Half of the blocks hold half as many rows: full blocks that were not read weigh more.
	mixed := sample.Estimate(append(repeat(of(30, 0, 0), 500), repeat(of(60, 0, 0), 500)...))
	near(t, "high end where blocks are unequally full", mixed.Ratio.High, 0.004, 0.00001)
}

func TestStrataPayWhereNeighboursAreAlike(t *testing.T) {
	sample := Draw(seeded(1), []Partition{{1, 1_000_000}}, 1000, 1000) // one batch: read in order
	sorted := append(repeat(of(60, 60, 0), 500), repeat(of(60, 0, 0), 500)...)
	mixed := append([]Rows(nil), sorted...)
	seeded(2).Shuffle(len(mixed), func(i, j int) { mixed[i], mixed[j] = mixed[j], mixed[i] })
	inOrder, shuffled := sample.Estimate(sorted).Ratio.Margin(), sample.Estimate(mixed).Ratio.Margin()
	near(t, "margin of shuffled blocks", shuffled, 1.96*0.5/math.Sqrt(1000), 0.002)
	if inOrder > shuffled/10 {
		t.Errorf("margin %.4f where the older half is deleted, %.4f where the same blocks are shuffled", inOrder, shuffled)
	}
}

func TestBatchesAreJudgedInThePlaceOfTheirStrata(t *testing.T) {
	rng := seeded(1)
	relation := layouts[1].fill(rng, 20_000)
	margin := func(batch int) (mean float64) {
		for range 50 {
			sample := Draw(rng, []Partition{{1, 20_000}}, 1000, batch)
			mean += sample.Estimate(sample.read(relation, 1000)).Ratio.Margin() / 50
		}
		return mean
	}
	if one, ten := margin(1000), margin(100); ten > 1.1*one {
		t.Errorf("the margin is %.4f in ten batches, %.4f in one", ten, one)
	}
}

func TestGroupsAreWiderThanStrata(t *testing.T) {
	for _, l := range layouts {
		rng := seeded(3)
		relation := l.fill(rng, 20_000)
		var strata, groups float64
		for range 20 {
			sample := Draw(rng, []Partition{{1, 20_000}}, 1000, 100)
			strata += sample.Estimate(sample.read(relation, 1000)).Ratio.Margin()
			groups += EstimateGroups(20_000, 0.005, tablesample(rng, relation, 0.005, 10)).Ratio.Margin()
		}
		if groups <= strata {
			t.Errorf("%s: margin %.4f of groups, %.4f of strata", l.name, groups/20, strata/20)
		}
	}
}

func TestTheTargetIsReachedByTheMargin(t *testing.T) {
	e := Estimate{Ratio: Interval{0.1, 0.09, 0.12}}
	if !e.Reached(0.0201) || e.Reached(0.0199) {
		t.Error("a margin of 0.02 reaches 0.0201, and not 0.0199")
	}
}

func TestDeletedRowsCountedByAnIndexLeaveTheTotalUncertain(t *testing.T) {
	sampled := Estimate{
		Total: Interval{1000, 800, 1250}, Deleted: Interval{90, 50, 120}, Ratio: Interval{0.09, 0.05, 0.12},
		Blocks: 20, DeletedBlocks: 1.8,
	}
	for _, c := range []struct {
		deleted       int64
		total, ratio  Interval
		deletedBlocks float64
	}{
		{100, sampled.Total, Interval{0.1, 0.08, 0.125}, 2},
		{0, sampled.Total, Interval{}, 0},
		{900, Interval{1000, 900, 1250}, Interval{0.9, 0.72, 1}, 18},
		{1500, Interval{1500, 1500, 1500}, Interval{1, 1, 1}, 20},
	} {
		got := sampled.WithDeleted(c.deleted)
		want := Estimate{Total: c.total, Deleted: Exact(c.deleted), Ratio: c.ratio, Blocks: 20,
			DeletedBlocks: c.deletedBlocks}
		if diff := cmp.Diff(want, got, cmpopts.EquateApprox(1e-12, 0)); diff != "" {
			t.Errorf("%d deleted (-want +got):\n%s", c.deleted, diff)
		}
	}
	unseen := Estimate{Total: Interval{1000, 800, 1250}, Blocks: 20}.WithDeleted(50)
	near(t, "deleted blocks where the sample met no deleted row", unseen.DeletedBlocks, 1, 1e-12)
}

func TestIntervalsStayWithinThePossible(t *testing.T) {
	check := func(what string, e Estimate) {
		t.Helper()
		for name, i := range map[string]Interval{"total": e.Total, "deleted": e.Deleted, "old": e.Old, "ratio": e.Ratio} {
			if !(0 <= i.Low && i.Low <= i.Value && i.Value <= i.High) {
				t.Errorf("%s: %s %v is not in order", what, name, i)
			}
		}
		if e.Ratio.High > 1 || e.Old.High > e.Deleted.High || e.Deleted.High > e.Total.High {
			t.Errorf("%s: more than all: ratio %v, total %v, deleted %v, old %v", what, e.Ratio, e.Total, e.Deleted, e.Old)
		}
	}
	rng := seeded(1)
	for _, l := range layouts {
		relation := l.fill(rng, 2000)
		for _, n := range []int{0, 1, 5, 100} {
			sample := Draw(rng, []Partition{{1, 2000}}, n, 100)
			check(l.name, sample.Estimate(sample.read(relation, n)))
			check(l.name+", and a counted partition",
				sample.Estimate(sample.read(relation, n), Counted{9, of(900, 890, 100)}))
			check(l.name+", groups", EstimateGroups(2000, 0.05, tablesample(rng, relation, 0.05, n)))
		}
	}
	sample := Draw(rng, []Partition{{1, 1_000_000}}, 5, 5)
	check("blocks unlike each other", sample.Estimate([]Rows{of(60, 60, 60), of(60, 0, 0), of(70, 70, 70), of(60, 0, 0),
		of(60, 60, 0)}))
	full := Draw(rng, []Partition{{1, 10}}, 5, 5)
	check("full blocks", full.Estimate(repeat(of(291, 291, 291), 5)))
	check("groups of full blocks, more of them than expected", EstimateGroups(10, 0.1, repeat(of(582, 582, 582), 6)))
	hundred := Draw(rng, []Partition{{1, 1_000_000}}, 100, 100)
	check("one block not deleted", hundred.Estimate(append(repeat(of(60, 60, 60), 99), of(60, 0, 0))))
}

func TestTheIntervalOfACountReachesFromWhatWasCountedToFullBlocks(t *testing.T) {
	sample := Draw(seeded(1), []Partition{{1, 1000}}, 5, 5)
	for _, read := range [][]Rows{
		{{}, {}, of(60, 60, 60), {}, {}},
		{of(60, 60, 60), of(60, 60, 60), {}, of(60, 60, 60), of(60, 60, 60)},
	} {
		e := sample.Estimate(read, Counted{9, of(900, 890, 100)})
		for name, c := range map[string]struct {
			got     Interval
			counted float64
		}{"total": {e.Total, 900}, "deleted": {e.Deleted, 890}, "old": {e.Old, 100}} {
			if c.got.Low < c.counted || c.got.High > c.counted+1000*60 {
				t.Errorf("%s: %v is not within [%g, %g]", name, c.got, c.counted, c.counted+1000*60)
			}
		}
	}
}
