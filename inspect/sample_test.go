package inspect

import (
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/softdelete-exporter/softdelete_exporter/internal/pgserver/pgtest"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// large fills a table with at least 2,000 blocks. A quarter of its rows are deleted, most of them among the oldest
// rows, and half of these are past retention.
func large(name string) string {
	return fmt.Sprintf(`
		CREATE TABLE %[1]s (id int, deleted_at timestamptz, filler text);
		INSERT INTO %[1]s SELECT i,
			CASE WHEN random() < 0.5 - i / 200000.0 THEN now() - interval '180 days' * random() END, repeat('x', 120)
		FROM generate_series(1, 100000) i;
		VACUUM ANALYZE %[1]s;`, name)
}

// sampledAlways samples however small the table is.
const sampledAlways = "counting: {method: sampled, target_margin: 0, blocks: 500}"

// execEach runs statements one by one, as VACUUM requires.
func execEach(t *testing.T, dsn, sql string) {
	t.Helper()
	for _, statement := range strings.Split(sql, ";") {
		if strings.TrimSpace(statement) != "" {
			pgtest.Exec(t, dsn, statement)
		}
	}
}

// within fails the test unless an estimate is near the true value, with a useful margin. It allows twice the margin,
// because one interval in twenty does not contain the true value.
func within(t *testing.T, what string, e softdelete.Estimate, truth, most float64) {
	t.Helper()
	if math.Abs(e.Value-truth) > 2*e.Margin || e.Margin > most || e.Margin == 0 {
		t.Errorf("%s is %g ± %g; want %g, and a margin of at most %g", what, e.Value, e.Margin, truth, most)
	}
}

// truth returns the total, deleted and old rows, counted with plain SQL.
func truth(t *testing.T, dsn, name string) (total, deleted, old float64) {
	t.Helper()
	count := func(where string) float64 {
		return float64(pgtest.Value[int64](t, dsn, "SELECT count(*) FROM "+name+" WHERE "+where))
	}
	return count("true"), count("deleted_at IS NOT NULL"), count("deleted_at < now() - interval '90 days'")
}

func TestALargeTableIsSampled(t *testing.T) {
	t.Parallel()
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	execEach(t, dsn, large("orders"))
	i := inspector(t, dsn, "counting: {exact_max_bytes: 1MB, target_margin: 0}")
	s := first(t, i)
	got := tableNamed(t, s, "orders")
	if got.Problem != nil || got.Numbers.Method != softdelete.Sampled {
		t.Fatalf("%+v %+v", got.Problem, got.Numbers)
	}
	total, deleted, old := truth(t, dsn, "orders")
	n := got.Numbers
	within(t, "total", n.Total, total, total/20)
	within(t, "deleted", n.Deleted, deleted, deleted/5)
	within(t, "ratio", n.Ratio, deleted/total, 0.05)
	within(t, "old", *n.Old, old, old/2)
	bytes := float64(pgtest.Value[int64](t, dsn, "SELECT pg_relation_size('orders')")) * deleted / total
	if math.Abs(*n.DeletedBytes-bytes) > bytes/10 {
		t.Errorf("deleted bytes are %g, want about %g", *n.DeletedBytes, bytes)
	}
	if n.Recent != nil || !n.Oldest.IsZero() {
		t.Errorf("a sample cannot know of recent %v or the oldest %s", n.Recent, n.Oldest)
	}
	if n := got.Kept().Blocks.Len(); n < 300 || n > 1000 { // a fifth of all
		t.Errorf("%d blocks were kept", n)
	}

	// Most blocks are the same in the next refresh. The table must not grow, because that would move the strata.
	pgtest.Exec(t, dsn, "DELETE FROM orders WHERE id = 1")
	settled(t, dsn)
	again := tableNamed(t, refreshAfter(t, i, s, nil), "orders")
	before, after := got.Kept().Blocks.(drawnSample), again.Kept().Blocks.(drawnSample)
	same := 0
	for k := range before.Batches() {
		for j, place := range before.Batch(k) {
			if after.Batch(k)[j] == place {
				same++
			}
		}
	}
	if all := before.Len(); same*100 < all*82 || same*100 > all*95 { // a new draw can give the same block
		t.Errorf("%d of %d blocks are the same, want seven eighths", same, all)
	}
}

// Partitions are sampled in proportion to their sizes; small ones are counted.
func TestPartitionsAreSampledInProportion(t *testing.T) {
	t.Parallel()
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	execEach(t, dsn, `
		CREATE TABLE orders (id int, part int, deleted_at timestamptz, filler text) PARTITION BY LIST (part);
		CREATE TABLE orders_1 PARTITION OF orders FOR VALUES IN (1);
		CREATE TABLE orders_2 PARTITION OF orders FOR VALUES IN (2);
		CREATE TABLE orders_3 PARTITION OF orders FOR VALUES IN (3);
		CREATE TABLE orders_4 PARTITION OF orders FOR VALUES IN (4);
		INSERT INTO orders SELECT i, 1, now() - interval '100 days', repeat('x', 120) FROM generate_series(1, 500) i;
		INSERT INTO orders SELECT i, 2, CASE WHEN random() < 0.8 THEN now() END, repeat('x', 120) FROM generate_series(1,
			20000) i;
		INSERT INTO orders SELECT i, 3, CASE WHEN random() < 0.1 THEN now() END, repeat('x', 40) FROM generate_series(1,
			90000) i`)
	i := inspector(t, dsn, "counting: {exact_max_bytes: 512kB, target_margin: 0, blocks: 400}")
	n := tableNamed(t, first(t, i), "orders").Numbers
	total, deleted, old := truth(t, dsn, "orders")
	if n == nil || n.Method != softdelete.Sampled {
		t.Fatalf("%+v", n)
	}
	within(t, "total", n.Total, total, total/4)
	within(t, "deleted", n.Deleted, deleted, deleted/2)
	if n.Old.Value < old || n.Old.Value-n.Old.Margin > old {
		t.Errorf("old is %+v, want %g, all in the leaf that was counted", n.Old, old)
	}
}

// A role that may not read ctid also gets a sample, with a wider margin.
func TestWithoutCtidTheSampleIsDrawnByTheServer(t *testing.T) {
	t.Parallel()
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	execEach(t, dsn, large("orders"))
	name, its := role(t, dsn)
	pgtest.Exec(t, dsn, asRole("GRANT SELECT (deleted_at) ON orders TO watcher", name))
	got := tableNamed(t, first(t, inspector(t, its, sampledAlways)), "orders")
	if got.Problem != nil || got.Numbers.Method != softdelete.Sampled || got.Kept().Blocks != nil {
		t.Fatalf("%+v %+v", got.Problem, got.Numbers)
	}
	total, deleted, _ := truth(t, dsn, "orders")
	if n := got.Numbers; math.Abs(n.Ratio.Value-deleted/total) > 2*n.Ratio.Margin || n.Ratio.Margin > 0.1 {
		t.Errorf("ratio is %+v, want %g", n.Ratio, deleted/total)
	}
}

// Empty, new and half-empty blocks, and a relation that shrinks, cause no errors.
func TestBloatAndEmptyBlocksAreSampledRight(t *testing.T) {
	t.Parallel()
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	execEach(t, dsn, large("orders")+`DELETE FROM orders WHERE id % 3 = 0 OR id BETWEEN 20000 AND 40000; VACUUM orders`)
	i := inspector(t, dsn, sampledAlways)
	s := first(t, i)
	total, deleted, old := truth(t, dsn, "orders")
	n := tableNamed(t, s, "orders").Numbers
	within(t, "total", n.Total, total, total/3)
	within(t, "deleted", n.Deleted, deleted, deleted/2)
	within(t, "old", *n.Old, old, old)

	execEach(t, dsn, `DELETE FROM orders WHERE id > 50000; VACUUM orders`)
	pgtest.Exec(t, dsn, "TRUNCATE orders; INSERT INTO orders VALUES (1, now())")
	if got := told(refreshAfter(t, i, s, nil))["public.orders"]; got != "1 1 0" {
		t.Errorf("of a relation of one row: %s", got)
	}
}

// The server's statistics show which blocks a sample reads.
func TestASampleReadsNoMoreThanItsBlocks(t *testing.T) {
	t.Parallel()
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	execEach(t, dsn, large("orders"))
	i := inspector(t, dsn, "counting: {method: sampled, target_margin: 0, blocks: 200}")
	first(t, i) // also asks the planner, which reads the last block of a table
	before := blocksRead(t, dsn, "orders")
	first(t, i)
	if read := blocksRead(t, dsn, "orders") - before; read < 150 || read > 260 {
		t.Errorf("a sample of 200 blocks read %d", read)
	}
	// One batch is enough if the margin is always reached.
	content := inspector(t, dsn, "counting: {method: sampled, target_margin: 0.99, blocks: 200, batch: 50}")
	before = blocksRead(t, dsn, "orders")
	first(t, content)
	if read := blocksRead(t, dsn, "orders") - before; read < 40 || read > 80 {
		t.Errorf("a sample of 50 blocks was good enough, and %d were read", read)
	}
}

// blocksRead returns how many blocks of the table were read, when that number no longer changes.
func blocksRead(t *testing.T, dsn, name string) int64 {
	t.Helper()
	return settles(t, dsn, "SELECT (heap_blks_hit + heap_blks_read)::int8 FROM pg_statio_user_tables WHERE relname = '"+
		name+"'")
}

// Intervals of 95% on a real server, with a fixed seed, for rows that are deleted evenly, oldest first, and rarely.
// Package sampling tests how often intervals contain the true value, a thousand times each. A few are enough here to
// check that the right blocks are read. The test does not run in parallel, because it replaces the random source.
func TestIntervalsHoldOnARealServer(t *testing.T) {
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	layouts := map[string]string{"even": "random() < 0.2", "oldest_first": "i < 20000", "rare": "random() < 0.001"}
	for name, deleted := range layouts {
		pgtest.Exec(t, dsn,
			fmt.Sprintf(`SELECT setseed(0.5);
				CREATE TABLE %s (deleted_at timestamptz, filler text) WITH (autovacuum_enabled = off);
			INSERT INTO %[1]s SELECT CASE WHEN %s THEN now() END, repeat('x', 120) FROM generate_series(1, 100000) i`,
				name, deleted))
	}
	fresh, source := newRand, rand.New(rand.NewPCG(5, 5))
	newRand = func() *rand.Rand { return source }
	defer func() { newRand = fresh }()
	i := inspector(t, dsn, "counting: {method: sampled, target_margin: 0, blocks: 200}")
	ratio, held := map[string]float64{}, map[string]int{}
	for name := range layouts {
		total, deleted, _ := truth(t, dsn, name)
		ratio[name] = deleted / total
	}
	const trials = 40
	for range trials {
		s := first(t, i)
		for name, truth := range ratio {
			n := tableNamed(t, s, name).Numbers
			if math.Abs(n.Ratio.Value-truth) <= n.Ratio.Margin {
				held[name]++
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(layouts)) {
		t.Logf("%s: %d of %d intervals held the truth", name, held[name], trials)
		if held[name] < trials*93/100 {
			t.Errorf("%s: only %d of %d intervals held the truth", name, held[name], trials)
		}
	}
}
