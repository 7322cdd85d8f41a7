package inspect

import (
	"testing"
	"time"

	"github.com/softdelete-exporter/softdelete_exporter/internal/pgserver"
	"github.com/softdelete-exporter/softdelete_exporter/internal/pgserver/pgtest"
)

// The exporter's costs agree with the server's own statistics: no statement is missing, and the network adds little.
func TestDatabaseSecondsAreTheServersOwn(t *testing.T) {
	t.Parallel()
	server := pgtest.Start(t,
		pgserver.Options{Settings: map[string]string{"shared_preload_libraries": "pg_stat_statements",
			"pg_stat_statements.track_planning": "on"}})
	dsn := server.DSN("postgres", superuser)
	pgtest.Exec(t, dsn, `CREATE EXTENSION pg_stat_statements;
		CREATE TABLE counted AS SELECT CASE WHEN i % 3 = 0 THEN now() END AS deleted_at FROM generate_series(1, 1000000) i;
		CREATE TABLE sampled AS SELECT CASE WHEN i % 3 = 0 THEN now() END AS deleted_at, repeat('x',
			300) FROM generate_series(1, 100000) i`)
	// On a busy machine the exporter waits longer than the server works, but not in every refresh.
	for range 10 {
		pgtest.Exec(t, dsn, "SELECT pg_stat_statements_reset()")
		i := inspector(t, dsn,
			"limits: {statement_timeout: 30s}\ncounting: {exact_max_bytes: 1GB, target_margin: 0}\ntables: [{table: sampled, "+
				"method: sampled, column: deleted_at}]")
		s := first(t, i)
		if a, b := method(tableNamed(t, s, "counted")), method(tableNamed(t, s, "sampled")); a != "exact" || b != "sampled" {
			t.Fatalf("counted by %s, sampled by %s", a, b)
		}
		said, queries := spent(i).Database, spent(i).Queries
		seen := time.Duration(pgtest.Value[float64](t, dsn,
			`SELECT sum(total_exec_time + total_plan_time) FROM pg_stat_statements
			WHERE query LIKE '/* softdelete_exporter */%'`) * float64(time.Millisecond))
		t.Logf("%d queries: we say %s, the server %s", queries, said, seen)
		if said < seen {
			t.Fatal("that is less than the server's")
		}
		if said <= 2*seen+time.Duration(queries)*10*time.Millisecond {
			return
		}
	}
	t.Error("each time that is far more than the server's")
}
