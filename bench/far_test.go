package bench

import (
	"fmt"
	"testing"
	"time"

	"github.com/softdelete-exporter/softdelete_exporter/internal/pgserver/pgtest"
)

// BenchmarkFarServer measures the first refresh of 1,000 tables of 1,000 rows, by the time to the server and back.
func BenchmarkFarServer(b *testing.B) {
	dsn := pgtest.NewDatabase(b, server(b, map[string]string{"max_locks_per_transaction": "256"}))
	const tables = 1000
	pgtest.Exec(b, dsn, fmt.Sprintf(`DO $$ BEGIN FOR n IN 1..%d LOOP EXECUTE format('CREATE TABLE t%%s AS SELECT i AS id,
		CASE WHEN mod(i, 10) = 0 THEN now() - i * interval ''1 hour'' END AS deleted_at FROM generate_series(1, 1000) i', n);
		END LOOP; END $$`, tables))
	pgtest.Exec(b, dsn, "VACUUM ANALYZE")
	front := pgtest.NewFront(b, dsn)
	rows := [][]string{{"round trip", "first refresh", "database time"}}
	for _, way := range []time.Duration{0, 5 * time.Millisecond, 30 * time.Millisecond} {
		front.Delay(way / 2)
		var took, database []time.Duration
		for range 3 {
			w := watch(b, front.DSN, "limits: {statement_timeout: 10s}")
			t, d := w.refresh()
			took, database = append(took, t), append(database, d)
			w.find(b, fmt.Sprintf("t%d", tables))
		}
		rows = append(rows, []string{way.String(), ms(median(took)), ms(median(database))})
	}
	table(fmt.Sprintf("The first refresh of %d tables, by the distance of the server", tables), rows...)
}
