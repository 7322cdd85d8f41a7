package sampling

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite the tables of docs/counting.md")

const (
	trials   = 1000
	promised = 0.93 // of the intervals contain the true value, in each layout
	target   = 0.01 // counting.target_margin
)

// score sums up many intervals.
type score struct {
	name string
	// margins is the sum of their margins, as shares of the rows, or of the total; a class's is a share of its value.
	margins float64
	// held is how many of all contain the true value.
	held, all int
}

// add judges one interval.
func (s *score) add(i Interval, truth, unit float64) {
	s.margins += i.Margin() / unit
	s.all++
	if i.Low <= truth && truth <= i.High {
		s.held++
	}
}

// share is the share of the intervals that contain the true value.
func (s *score) share() float64 { return float64(s.held) / float64(s.all) }

// tally compares the estimates of one relation with its true values.
type tally struct {
	truth                               Rows
	ratio, deleted, old, total, classes score
}

func newTally(truth Rows) *tally {
	return &tally{
		truth: truth,
		ratio: score{name: "ratio"}, deleted: score{name: "deleted"}, old: score{name: "old"}, total: score{name: "total"},
		classes: score{name: "classes"},
	}
}

func (t *tally) add(e Estimate) {
	all := max(float64(t.truth.Total), 1)
	t.ratio.add(e.Ratio, float64(t.truth.Deleted)/all, 1)
	t.deleted.add(e.Deleted, float64(t.truth.Deleted), all)
	t.old.add(e.Old, float64(t.truth.Old), all)
	t.total.add(e.Total, float64(t.truth.Total), all)
}

func (t *tally) addClasses(classes []Class) {
	first := 0
	for _, c := range classes {
		var truth int64
		for _, rows := range t.truth.Classes[first : c.Last+1] {
			truth += rows
		}
		t.classes.add(c.Rows, float64(truth), c.Rows.Value)
		first = c.Last + 1
	}
}

// check fails the test if fewer intervals contain the true value than promised.
func (t *tally) check(tb testing.TB, where string) {
	tb.Helper()
	for _, s := range []score{t.ratio, t.deleted, t.old, t.total, t.classes} {
		if s.all > 0 && s.share() < promised {
			tb.Errorf("%s: %d of %d intervals of the %s contained the true value; want at least %.0f%%", where, s.held,
				s.all, s.name, 100*promised)
		}
	}
}

// String is a cell of the table: bold if fewer than 95% of the intervals contain the true value.
func (s score) String() string {
	if s.all == 0 {
		return "none"
	}
	held := fmt.Sprintf("%.1f%%", 100*s.share())
	if s.share() < 0.95 {
		held = "**" + held + "**"
	}
	cell := fmt.Sprintf("±%.4f, %s", s.margins/float64(s.all), held)
	if s.name == "classes" {
		cell = fmt.Sprintf("%.1f of %d, %s", float64(s.all)/trials, MaxClasses, cell)
	}
	return cell
}

// table is a Markdown table below a sentence.
type table struct{ strings.Builder }

func (t *table) start(sentence string, columns ...string) {
	fmt.Fprintf(t, "\n%s\n\n| %s |\n|%s\n", sentence, strings.Join(columns, " | "), strings.Repeat("---|", len(columns)))
}

func (t *table) row(cells ...any) {
	for _, cell := range cells {
		fmt.Fprintf(t, "| %v ", cell)
	}
	t.WriteString("|\n")
}

// read returns the rows of the first n blocks of the sample.
func (s *Sample) read(relation []Rows, n int) []Rows {
	rows := make([]Rows, n)
	for i, position := range s.at[:n] {
		rows[i] = relation[position]
	}
	return rows
}

const small, large = 20_000, 1_000_000 // blocks of a relation

// lines are the rows that one layout adds to each table.
type lines struct{ ratio, deleted, big, system []any }

// measure draws all samples of a layout, and counts how often their intervals contain the true values.
func measure(t *testing.T, rng *rand.Rand, l layout) (out lines) {
	relation := l.fill(rng, small)
	truth := sum(relation)
	at := map[int]*tally{100: newTally(truth), 300: newTally(truth), 1000: newTally(truth)}
	stopped, read := newTally(truth), 0
	for range trials {
		sample := Draw(rng, []Partition{{1, small}}, 1000, 100)
		blocks := sample.read(relation, 1000)
		for n, tally := range at {
			tally.add(sample.Estimate(blocks[:n]))
		}
		for n := 100; ; n += 100 {
			if e := sample.Estimate(blocks[:n]); e.Reached(target) || n == 1000 {
				stopped.add(e)
				stopped.addClasses(sample.Classes(blocks[:n]))
				read += n
				break
			}
		}
	}
	for n, tally := range at {
		tally.check(t, fmt.Sprintf("%d blocks of %d", n, small))
	}
	stopped.check(t, "stopped at the target")
	share := fmt.Sprintf("%.4f", float64(truth.Deleted)/float64(truth.Total))
	out.ratio = []any{l.name, share, at[100].ratio, at[300].ratio, at[1000].ratio, stopped.ratio, read / trials}
	out.deleted = []any{l.name, share, at[100].deleted, at[300].deleted, at[1000].deleted, stopped.deleted,
		stopped.classes}

	groups := newTally(truth)
	for range trials {
		sample := tablesample(rng, relation, 0.005, 10)
		groups.add(EstimateGroups(small, 0.005, sample))
		groups.addClasses(GroupClasses(small, 0.005, sample))
	}
	groups.check(t, "ten groups")
	out.system = []any{l.name, groups.ratio, groups.deleted, groups.old, groups.total, groups.classes}

	relation = l.fill(rng, large)
	many := newTally(sum(relation))
	for range trials {
		sample := Draw(rng, []Partition{{1, large}}, 1000, 100)
		blocks := sample.read(relation, 1000)
		many.add(sample.Estimate(blocks))
		many.addClasses(sample.Classes(blocks))
	}
	many.check(t, fmt.Sprintf("1000 blocks of %d", large))
	out.big = []any{l.name, many.ratio, many.deleted, many.old, many.total, many.classes}
	return out
}

// TestIntervalsHoldTheTruth draws 1,000 samples of each layout and compares the results with docs/counting.md.
func TestIntervalsHoldTheTruth(t *testing.T) {
	measured := make([]lines, len(layouts))
	t.Run("layout", func(t *testing.T) {
		for i, l := range layouts {
			t.Run(l.name, func(t *testing.T) {
				t.Parallel()
				measured[i] = measure(t, rand.New(rand.NewPCG(5, uint64(i))), l)
			})
		}
	})

	var ratio, deleted, big, system table
	ratio.start(
		"**Deletion ratio**, relation of 20,000 blocks: after 100, 300 and 1,000 blocks, and if reading stops after the "+
			"first batch that reaches ±0.01.",
		"layout", "true value", "100", "300", "1,000", "stopped", "blocks read")
	deleted.start(
		"**Deleted rows** in the same samples; margins are shares of all rows. Age classes: how many are left after "+
			"neighbours were joined; their margins are shares of their own values.",
		"layout", "true value", "100", "300", "1,000", "stopped", "age classes, stopped")
	big.start("Relation of **1,000,000 blocks**, 1,000 of them read.",
		"layout", "deletion ratio", "deleted rows", "old deleted rows", "all rows", "age classes")
	system.start("**TABLESAMPLE SYSTEM**, relation of 20,000 blocks, ten groups of about 100 blocks.",
		"layout", "deletion ratio", "deleted rows", "old deleted rows", "all rows", "age classes")
	for _, m := range measured {
		ratio.row(m.ratio...)
		deleted.row(m.deleted...)
		big.row(m.big...)
		system.row(m.system...)
	}
	compare(t,
		"Mean margin, and how many of 1,000 intervals contained the true value. 95% should; fewer are **bold**.\n"+
			"This percentage is itself accurate to ±1.4 points (two standard errors of 1,000 trials).\n"+
			ratio.String()+deleted.String()+big.String()+system.String())
}

// compare fails the test if the tables in docs/counting.md differ from got; with -update it writes them.
func compare(t *testing.T, got string) {
	t.Helper()
	const file, begin, end = "../docs/counting.md", "<!-- coverage:begin -->\n\n", "\n<!-- coverage:end -->"
	page, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, begins := strings.Cut(string(page), begin)
	want, after, ends := strings.Cut(rest, end)
	if !begins || !ends {
		t.Fatalf("%s has no place for the tables", file)
	}
	if *update {
		if err := os.WriteFile(file, []byte(before+begin+got+end+after), 0o644); err != nil {
			t.Fatal(err)
		}
		want = got
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf(
			"%s is not what the intervals do: look at the difference, then run go test ./sampling -update (-want +got):\n%s",
			file, diff)
	}
}

func TestIntervalsHoldTheTruthOfPartitions(t *testing.T) {
	// Partitions by month, of unequal sizes; older ones have more deleted rows. The smallest is counted exactly, and
	// so is one of the largest.
	rng := rand.New(rand.NewPCG(5, 100))
	var relation []Rows
	var truth Rows
	var partitions []Partition
	var exact []Counted
	for i, blocks := range []int{2500, 40, 3100, 900, 0, 2200, 5000, 700, 1300, 260, 3000, 1} {
		partition := layout{share: constant(0.5 - 0.04*float64(i))}.fill(rng, blocks)
		rows := sum(partition)
		truth = truth.Plus(rows)
		if blocks == 1 || blocks == 2500 {
			exact = append(exact, Counted{int64(blocks), rows})
			continue
		}
		partitions = append(partitions, Partition{uint32(i), int64(blocks)})
		relation = append(relation, partition...)
	}
	for _, n := range []int{50, 100, 400} {
		tally := newTally(truth)
		for range trials {
			sample := Draw(rng, partitions, 400, 50)
			tally.add(sample.Estimate(sample.read(relation, n), exact...))
			tally.addClasses(sample.Classes(sample.read(relation, n), exact...))
		}
		tally.check(t, fmt.Sprintf("%d blocks of twelve partitions", n))
	}
}

// If much of the relation is read, a stratum is hardly wider than a block.
func TestIntervalsHoldTheTruthOfSmallRelations(t *testing.T) {
	for i, l := range layouts {
		rng := rand.New(rand.NewPCG(5, 300+uint64(i)))
		for _, blocks := range []int{1001, 1100, 1724, 2500, 5000} {
			relation := l.fill(rng, blocks)
			all, half := newTally(sum(relation)), newTally(sum(relation))
			for range trials {
				sample := Draw(rng, []Partition{{1, int64(blocks)}}, 1000, 100)
				all.add(sample.Estimate(sample.read(relation, sample.Len())))
				half.add(sample.Estimate(sample.read(relation, (sample.Len()+1)/2)))
			}
			all.check(t, fmt.Sprintf("%s, sample of %d", l.name, blocks))
			half.check(t, fmt.Sprintf("%s, half of the sample of %d", l.name, blocks))
		}
	}
}

func TestIntervalsHoldTheTruthOfTinySamples(t *testing.T) {
	for i, l := range layouts {
		rng := rand.New(rand.NewPCG(5, 200+uint64(i)))
		relation := l.fill(rng, 2000)
		for _, n := range []int{1, 2, 4, 5, 10, 30} {
			tally := newTally(sum(relation))
			for range trials {
				sample := Draw(rng, []Partition{{1, 2000}}, n, 100)
				tally.add(sample.Estimate(sample.read(relation, n)))
				tally.addClasses(sample.Classes(sample.read(relation, n)))
			}
			tally.check(t, fmt.Sprintf("%s, %d blocks", l.name, n))
		}
		for _, n := range []int{4, 5} {
			tally := newTally(sum(relation))
			for range trials {
				tally.add(EstimateGroups(2000, 0.02, tablesample(rng, relation, 0.02, n)))
			}
			tally.check(t, fmt.Sprintf("%s, %d groups", l.name, n))
		}
	}
}
