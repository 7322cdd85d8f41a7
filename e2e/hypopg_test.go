//go:build e2e

package e2e

import (
	"math"
	"testing"

	"github.com/softdelete-exporter/softdelete_exporter/indexes"
	"github.com/softdelete-exporter/softdelete_exporter/inspect"
	"github.com/softdelete-exporter/softdelete_exporter/internal/exportertest"
	"github.com/softdelete-exporter/softdelete_exporter/internal/pgserver"
	"github.com/softdelete-exporter/softdelete_exporter/internal/pgserver/pgtest"
	"github.com/softdelete-exporter/softdelete_exporter/queries"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// advised runs a refresh and returns its only advice, with the table.
func advised(t *testing.T, i *inspect.Inspector) (*softdelete.Table, indexes.Advice) {
	t.Helper()
	var last *softdelete.Snapshot
	i.Refresh(t.Context(), softdelete.Empty("none"), func(s *softdelete.Snapshot) { last = s })
	table := &last.Databases[0].Tables[0]
	all := indexes.Advise(table)
	if len(all) != 1 {
		t.Fatalf("%d pieces of advice, want one", len(all))
	}
	return table, all[0]
}

// The pooler has one connection, which the exporter and the test share, so the test would see a hypothetical index
// that was left there.
func TestTheGainIsProvedOnAHypotheticalIndexThatIsForgotten(t *testing.T) {
	server := pgtest.Start(t, pgserver.Options{})
	direct := pgtest.NewDatabase(t, server)
	name := exportertest.Database(t, direct)
	pgtest.Exec(t, direct, `CREATE SCHEMA "odd schema"; CREATE EXTENSION hypopg SCHEMA "odd schema";
		CREATE TABLE users AS SELECT i AS id, i || repeat('x', 300) AS name,
			CASE WHEN i % 10 < 6 THEN now() END AS deleted_at FROM generate_series(1, 20000) i;
		CREATE INDEX users_name ON users (name); ANALYZE users`)
	through := pgbouncer(t, server, 1)(name)
	left := func() int {
		return pgtest.Value[int](t, through+"&default_query_exec_mode=simple_protocol",
			`SELECT count(*) FROM "odd schema".hypopg()`)
	}
	i := exportertest.NewInspector(t, through, "limits: {statement_timeout: 10s}")
	table, a := advised(t, i)
	if !a.Proved || a.Index.Trial == nil {
		t.Fatalf("the gain is an estimate: %+v", a)
	}
	if n := left(); n != 0 {
		t.Errorf("%d hypothetical indexes are left in the pooler's connection", n)
	}
	pgtest.Exec(t, direct, queries.Steps(table, a.Do)[0])
	real := pgtest.Value[float64](t, direct, `SELECT pg_relation_size($1::regclass)::float8`, a.Do[0].New.Name)
	if got := float64(a.Index.Trial.Bytes); math.Abs(got-real) > 0.25*real {
		t.Errorf("the hypothetical index has %g bytes, the real one %g", got, real)
	}

	// Make hypopg fail after it has created the index.
	pgtest.Exec(t, direct, `DROP INDEX users_name_live;
		CREATE OR REPLACE FUNCTION "odd schema".hypopg_relation_size(indexid oid) RETURNS bigint
			LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION $$no$$; END'`)
	if _, a := advised(t, i); a.Proved {
		t.Error("the failed question proved the gain")
	}
	if n := left(); n != 0 {
		t.Errorf("after a failed question %d hypothetical indexes are left in the pooler's connection", n)
	}
}
