package inspect

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/softdelete-exporter/softdelete_exporter/internal/pgserver/pgtest"
	"github.com/softdelete-exporter/softdelete_exporter/postgres"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// method returns how a table was counted, or its problem.
func method(t softdelete.Table) string {
	switch {
	case t.Problem != nil:
		return string(t.Problem.Reason) + ": " + t.Problem.Message
	case t.Numbers == nil:
		return "pending"
	default:
		return string(t.Numbers.Method)
	}
}

// The size decides, not the statistics: none of these tables has been analyzed.
func TestTheSizeDecidesOnTheMethod(t *testing.T) {
	t.Parallel()
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	for _, name := range []string{"small", "chosen_exact", "chosen_sampled", "chosen_statistics", "big"} {
		rows := 50_000
		if name == "small" {
			rows = 100
		}
		pgtest.Exec(t, dsn,
			fmt.Sprintf(`CREATE TABLE %s (id int, deleted_at timestamptz, filler text) WITH (autovacuum_enabled = off);
			INSERT INTO %[1]s SELECT i, CASE WHEN i %% 4 = 0 THEN now() - interval '1 year' END, repeat('x',
				120) FROM generate_series(1, %d) i`, name, rows))
	}
	pgtest.Exec(t, dsn, "ANALYZE chosen_statistics")
	got := first(t, inspector(t, dsn, `
counting: {exact_max_bytes: 1MB, blocks: 100}
tables:
  - {table: chosen_exact, method: exact}
  - {table: chosen_sampled, method: sampled}
  - {table: chosen_statistics, method: statistics}`))
	for name, want := range map[string]softdelete.Method{
		"small": softdelete.Exact, "big": softdelete.Sampled, "chosen_exact": softdelete.Exact,
		"chosen_sampled": softdelete.Sampled, "chosen_statistics": softdelete.Statistics,
	} {
		if got := method(tableNamed(t, got, name)); got != string(want) {
			t.Errorf("%s was counted by %s, want %s", name, got, want)
		}
	}
	if n := tableNamed(t, got, "chosen_statistics").Numbers; n == nil || n.Total.Value != 50_000 ||
		math.Abs(n.Ratio.Value-0.25) > 0.02 || math.Abs(n.Old.Value-12_500) > 1000 {
		t.Errorf("by statistics %+v old %+v", n, n.Old)
	}
	if n := tableNamed(t, got, "chosen_exact").Numbers; n == nil || n.Deleted.Value != 12_500 || *n.DeletedBytes < 1e6 ||
		n.Oldest.IsZero() || n.Recent.Value != 0 {
		t.Errorf("exactly %+v", n)
	}
}

// A table that is larger than the gate is not read to find that out.
func TestTheGateReadsNothing(t *testing.T) {
	t.Parallel()
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	pgtest.Exec(t, dsn, `CREATE TABLE big AS SELECT i AS id, NULL::timestamptz AS deleted_at, repeat('x',
		500) AS filler FROM generate_series(1, 20000) i`)
	s := newSession(t, dsn, "")
	tab := softdelete.Table{Schema: "public", Name: "big",
		Markers: softdelete.Markers{{Kind: softdelete.Timestamp, Column: "deleted_at",
			Time: &softdelete.Time{Column: "deleted_at", Type: softdelete.Timestamptz}}}}
	c := count{table: &table{Table: tab, began: time.Now()}}
	rows, err := postgres.Query[struct {
		Plan []struct {
			Plan struct {
				Buffers int64 `json:"Shared Hit Blocks"`
				Read    int64 `json:"Shared Read Blocks"`
			}
		} `db:"QUERY PLAN"`
	}](t.Context(), s, "EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) "+
		c.on(partition{Schema: "public", Name: "big"}).Classes(1<<20))
	if err != nil {
		t.Fatal(err)
	}
	if p := rows[0].Plan[0].Plan; p.Buffers+p.Read > 100 {
		t.Errorf("a table of more than 1,000 blocks was read: %+v", p)
	}
}

// A table whose exact count took too long is sampled immediately, and for a day.
func TestAfterATimeoutTheTableIsSampledForADay(t *testing.T) {
	t.Parallel()
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	pgtest.Exec(t, dsn, `CREATE TABLE slow (deleted_at timestamptz);
		INSERT INTO slow SELECT CASE WHEN i % 2 = 0 THEN now() END FROM generate_series(1, 4000000) i`)
	i := inspector(t, dsn,
		"limits: {statement_timeout: 200ms, lock_timeout: 50ms}\ncounting: {exact_max_bytes: 1GB, blocks: 50, batch: 10, "+
			"target_margin: 0}")
	s := discovered(t, i)
	got := tableNamed(t, s, "slow")
	if m := method(got); m != "sampled" {
		t.Fatalf("counted by %s", m)
	}
	if until := time.Until(got.Kept().TooLarge); until < 23*time.Hour || until > 24*time.Hour {
		t.Errorf("it is sampled for another %s", until)
	}
	// A faster server does not change that on the same day.
	calm := inspector(t, dsn,
		"limits: {statement_timeout: 10s}\ncounting: {exact_max_bytes: 1GB, recount_after: 1ms, blocks: 50, batch: 10}")
	s = refreshAfter(t, calm, s, nil)
	if m := method(tableNamed(t, s, "slow")); m != "sampled" {
		t.Errorf("within the day it is counted by %s", m)
	}
	s.Databases[0].Tables[0].Counting.TooLarge = time.Now().Add(-time.Second)
	if m := method(tableNamed(t, refreshAfter(t, calm, s, nil), "slow")); m != "exact" {
		t.Errorf("after the day it is counted by %s", m)
	}
	// If an exact count is configured, there is no estimate.
	pgtest.Exec(t, dsn, "ANALYZE slow")
	strict := inspector(t, dsn, "limits: {statement_timeout: 200ms, lock_timeout: 50ms}\ncounting: {method: exact}")
	if m := method(tableNamed(t, discovered(t, strict), "slow")); !strings.HasPrefix(m, "timeout") {
		t.Errorf("by the method exact it is counted by %s", m)
	}
}

// With an index on the marker, deleted and old rows are exact while the total is sampled, and the recent rows and the
// oldest deletion are known.
func TestAnIndexMakesDeletedRowsExact(t *testing.T) {
	t.Parallel()
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	execEach(t, dsn, `
		CREATE TABLE orders (id int, deleted_at timestamptz, filler text);
		INSERT INTO orders SELECT i, CASE WHEN i % 50 = 0 THEN now() - i * interval '200 seconds' END, repeat('x',
			120) FROM generate_series(1, 100000) i;
		CREATE INDEX ON orders (deleted_at) WHERE deleted_at IS NOT NULL;
		VACUUM ANALYZE orders`)
	i := inspector(t, dsn, "counting: {exact_max_bytes: 1MB, target_margin: 0, blocks: 200}")
	s := first(t, i)
	n := tableNamed(t, s, "orders").Numbers
	total, deleted, old := truth(t, dsn, "orders")
	if n.Method != softdelete.Sampled || n.Total.Margin == 0 || math.Abs(n.Total.Value-total) > 2*n.Total.Margin {
		t.Errorf("the total is %+v by %s, want %g", n.Total, n.Method, total)
	}
	if n.Deleted != softdelete.Exactly(int64(deleted)) || *n.Old != softdelete.Exactly(int64(old)) {
		t.Errorf("deleted %+v, old %+v, want exactly %g and %g", n.Deleted, n.Old, deleted, old)
	}
	if n.Recent == nil || n.Recent.Value != 0 || n.Oldest.IsZero() {
		t.Fatalf("recent %+v, oldest %s", n.Recent, n.Oldest)
	}
	want := pgtest.Value[time.Time](t, dsn, "SELECT min(deleted_at) FROM orders")
	if d := n.Oldest.Sub(want).Abs(); d > time.Millisecond {
		t.Errorf("the oldest deletion is %s, want %s", n.Oldest, want)
	}
	// A bulk deletion is visible.
	pgtest.Exec(t, dsn, "UPDATE orders SET deleted_at = now() WHERE id <= 5000 AND deleted_at IS NULL")
	settled(t, dsn)
	s = refreshAfter(t, i, s, nil)
	if n := tableNamed(t, s, "orders").Numbers; n.Recent == nil || n.Recent.Value != 4900 {
		t.Errorf("recent is %+v, want 4900", n.Recent)
	}
	// Without the index these numbers are absent, and no table is read for them.
	pgtest.Exec(t, dsn, "DROP INDEX orders_deleted_at_idx")
	settled(t, dsn)
	pgtest.Exec(t, dsn, "UPDATE orders SET filler = '' WHERE id = 1")
	settled(t, dsn)
	s = refreshAfter(t, i, s, nil)
	if n := tableNamed(t, s, "orders").Numbers; n.Deleted.Margin == 0 {
		t.Errorf("without an index deleted is %+v", n.Deleted)
	}
}

// A relation that is not an ordinary table cannot be sampled: it is counted, whatever its size.
func TestOnlyOrdinaryTablesAreSampled(t *testing.T) {
	t.Parallel()
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	pgtest.Exec(t, dsn, `
		CREATE ACCESS METHOD other TYPE TABLE HANDLER heap_tableam_handler;
		CREATE TABLE odd (id int, deleted_at timestamptz, filler text) USING other;
		INSERT INTO odd SELECT i, CASE WHEN i % 2 = 0 THEN now() END, repeat('x', 500) FROM generate_series(1, 20000) i;
			ANALYZE odd`)
	if m := method(tableNamed(t, first(t, inspector(t, dsn, sampledAlways)), "odd")); m != "exact" {
		t.Errorf("counted by %s", m)
	}
	got := tableNamed(t, first(t, inspector(t, dsn, "counting: {method: statistics}")), "odd")
	if m := method(got); m != "statistics" || got.Numbers.Total.Value != 20_000 {
		t.Errorf("by %s %+v", m, got.Numbers)
	}
}
