package bench

import (
	"fmt"
	"testing"
	"time"

	"github.com/softdelete-exporter/softdelete_exporter/internal/pgserver/pgtest"
)

// The rows of the large table; 32 bytes each make 3.5 GB.
const (
	smallRows = 1_000_000
	largeRows = 100_000_000
	chunk     = 10_000_000
)

// narrow fills a table with the smallest possible rows.
func narrow(b *testing.B, dsn, name string, rows int) {
	b.Helper()
	pgtest.Exec(b, dsn, fmt.Sprintf("CREATE UNLOGGED TABLE %s (deleted_at timestamptz)", name))
	for from := 0; from < rows; from += chunk {
		pgtest.Exec(b, dsn,
			fmt.Sprintf(`INSERT INTO %s SELECT CASE WHEN i %% 10 = 0 THEN now() - i %% 1000 * interval '1 hour' END
			FROM generate_series(%d, %d) i`, name, from+1, min(from+chunk, rows)))
	}
	pgtest.Exec(b, dsn, "VACUUM (FREEZE, ANALYZE) "+name)
}

// BenchmarkFlatCost shows that the cost of a refresh does not grow with the table.
func BenchmarkFlatCost(b *testing.B) {
	s := server(b, map[string]string{"shared_buffers": "1GB"})
	cost := map[int]time.Duration{}
	margin := map[int]float64{}
	var exact time.Duration
	for b.Loop() {
		for _, rows := range []int{smallRows, largeRows} {
			dsn := pgtest.NewDatabase(b, s)
			narrow(b, dsn, "rows", rows)
			w := watch(b, dsn, "counting: {method: sampled, recount_after: 1ms}")
			w.refresh()
			var costs []time.Duration
			for range 9 {
				_, database := w.refresh()
				costs = append(costs, database)
			}
			cost[rows], margin[rows] = median(costs), w.find(b, "rows").Numbers.Ratio.Margin
			if rows == largeRows {
				began := time.Now()
				pgtest.Exec(b, dsn, `SET jit = off; SET max_parallel_workers_per_gather = 0;
					SELECT count(*), count(deleted_at), count(*) FILTER (WHERE deleted_at < now() - interval '90 days') FROM rows`)
				exact = time.Since(began)
			}
			pgtest.Exec(b, dsn, "DROP TABLE rows")
		}
	}
	table("Database time of a refresh, method sampled, warm; median of 9",
		[]string{"rows", "database time", "margin of the ratio"},
		[]string{"1 million", ms(cost[smallRows]), fmt.Sprintf("±%.4f", margin[smallRows])},
		[]string{"100 million", ms(cost[largeRows]), fmt.Sprintf("±%.4f", margin[largeRows])},
		[]string{"100 million, one exact count", ms(exact), "0"})
	if cost[largeRows] > 2*cost[smallRows] {
		b.Errorf("100 times the rows cost %.1f times as much", float64(cost[largeRows])/float64(cost[smallRows]))
	}
	if exact < 100*cost[largeRows] {
		b.Errorf("an exact count costs only %.0f times as much", float64(exact)/float64(cost[largeRows]))
	}
}

// BenchmarkUnchanged shows what a pass over 10,000 unchanged tables costs.
func BenchmarkUnchanged(b *testing.B) {
	s := server(b, nil)
	dsn := pgtest.NewDatabase(b, s)
	const tables = 10_000
	for from := 0; from < tables; from += 500 {
		sql := ""
		for i := from; i < from+500; i++ {
			sql += fmt.Sprintf(
				"CREATE TABLE t_%d (id int, deleted_at timestamptz); INSERT INTO t_%[1]d SELECT i, CASE WHEN i %% 4 = 0 THEN "+
					"now() - interval '1 year' END FROM generate_series(1, 100) i;", i)
		}
		pgtest.Exec(b, dsn, sql)
	}
	time.Sleep(time.Second) // the server updates its counters late
	w := watch(b, dsn, "discovery: {max_tables: 20000}\ncounting: {pass_time: 10m}")
	var first cost
	var took, ours, server []time.Duration
	for b.Loop() {
		first = measured(b, dsn, func() { w.refresh() })
		counted := w.find(b, "t_77").Counted
		for range 5 {
			c := measured(b, dsn, func() { w.refresh() })
			took, ours, server = append(took, c.took), append(ours, c.ours), append(server, c.server)
		}
		if !w.find(b, "t_77").Counted.Equal(counted) {
			b.Error("an unchanged table was counted")
		}
	}
	later := cost{median(took), median(ours), median(server)}
	table("A refresh of 10,000 tables; later ones are the median of 5",
		[]string{"", "took", "our CPU", "the server's CPU"}, append([]string{"first"}, first.cells()...),
		append([]string{"unchanged"}, later.cells()...))
	if later.took*10 > first.took {
		b.Errorf("an unchanged refresh takes %s of %s", later.took, first.took)
	}
}
