package bench

import (
	"fmt"
	"testing"
	"time"

	"github.com/softdelete-exporter/softdelete_exporter/internal/pgserver/pgtest"
)

// fill makes a table with rows of about 170 bytes; a fifth of them are deleted, in runs.
func fill(b *testing.B, dsn, name string, megabytes int) {
	b.Helper()
	pgtest.Exec(b, dsn, fmt.Sprintf(`CREATE TABLE %s (id int, deleted_at timestamptz, filler text);
		INSERT INTO %[1]s SELECT i, CASE WHEN hashint4(i / 200) %% 5 = 0 THEN now() - i %% 1000 * interval '4 hours' END,
			repeat('x', 120)
		FROM generate_series(1, %d) i`, name, megabytes*1024*1024/8192*49))
}

// BenchmarkDefaults measures what justifies the defaults of config.yaml.
func BenchmarkDefaults(b *testing.B) {
	s := server(b, map[string]string{"shared_buffers": "2GB"})
	for b.Loop() {
		b.Run("exact_max_bytes", func(b *testing.B) {
			rows := [][]string{{"size", "first count", "later counts, median of 7"}}
			for _, megabytes := range []int{8, 32, 64, 128, 256} {
				dsn := pgtest.NewDatabase(b, s)
				fill(b, dsn, "rows", megabytes)
				w := watch(b, dsn, "limits: {statement_timeout: 1m}\ncounting: {method: exact, recount_after: 1ms}")
				w.refresh()
				first := w.find(b, "rows").Numbers.Duration
				var later []time.Duration
				for range 7 {
					w.refresh()
					later = append(later, w.find(b, "rows").Numbers.Duration)
				}
				rows = append(rows, []string{fmt.Sprintf("%d MB", megabytes), ms(first), ms(median(later))})
			}
			table("One exact pass", rows...)
		})
		dsn := pgtest.NewDatabase(b, s)
		fill(b, dsn, "rows", 1024)
		pgtest.Exec(b, dsn, "VACUUM ANALYZE rows")
		sample := func(blocks, batch int) (time.Duration, float64) {
			w := watch(b, dsn,
				fmt.Sprintf("counting: {method: sampled, recount_after: 1ms, target_margin: 0, blocks: %d, batch: %d}",
					blocks, batch))
			var took []time.Duration
			var margin float64
			for range 7 {
				w.refresh()
				n := w.find(b, "rows").Numbers
				took, margin = append(took, n.Duration), n.Ratio.Margin
			}
			return median(took), margin
		}
		rows := [][]string{{"blocks", "batch", "time, median of 7", "margin of the ratio"}}
		for _, c := range [][2]int{{100, 100}, {300, 100}, {1000, 100}, {3000, 100}, {1000, 10}, {1000, 1000}} {
			took, margin := sample(c[0], c[1])
			rows = append(rows, []string{fmt.Sprint(c[0]), fmt.Sprint(c[1]), ms(took), fmt.Sprintf("±%.4f", margin)})
		}
		table("Sampling a table of 1 GB, cached", rows...)
	}
}
