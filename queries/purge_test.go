package queries

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/softdelete-exporter/softdelete_exporter/internal/pgserver/pgtest"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

func stamp(column string) softdelete.Marker {
	return softdelete.Marker{Kind: softdelete.Timestamp, Column: column, Time: &softdelete.Time{Column: column, Type: softdelete.Timestamptz}}
}

// Each case fills a table with 2,500 old deleted rows, 10 younger ones and 10 live
// ones; more than one batch.
func TestPurgeLeavesNothingThatIsOldAndEverythingElse(t *testing.T) {
	const rows = `
		SELECT i, CASE WHEN i <= 2500 THEN now() - interval '91 days' WHEN i <= 2509 THEN now() - interval '89 days' WHEN i = 2510 THEN '-infinity' END
		FROM generate_series(1, 2520) i`
	for _, test := range []struct {
		name, ddl string
		table     softdelete.Table
	}{
		{"a timestamp", `CREATE TABLE t (id int, deleted_at timestamptz); INSERT INTO t` + rows,
			softdelete.Table{Name: "t", Markers: softdelete.Markers{stamp("deleted_at")}}},
		{"a pair, by its flag", `CREATE TABLE t (id int, deleted_at timestamptz, gone bool); INSERT INTO t SELECT *, i <= 2510 FROM (` + rows + `) r (i, d);
			INSERT INTO t SELECT 0, now() - interval '1 year', false FROM generate_series(1, 10)`,
			softdelete.Table{Name: "t", Markers: softdelete.Markers{{Kind: softdelete.Pair, Column: "gone", Time: &softdelete.Time{Column: "deleted_at", Type: softdelete.Timestamptz}}}}},
		{"a local time", `CREATE TABLE t (id int, deleted_at timestamp);
			INSERT INTO t SELECT i, (d AT TIME ZONE 'Asia/Tokyo') FROM (` + rows + `) r (i, d)`,
			softdelete.Table{Name: "t", Policy: softdelete.Policy{TimeZone: "Asia/Tokyo"}, Markers: softdelete.Markers{
				{Kind: softdelete.Timestamp, Column: "deleted_at", Time: &softdelete.Time{Column: "deleted_at", Type: softdelete.LocalTimestamp}}}}},
		{"an epoch, 0 while live", `CREATE TABLE t (id int, deleteat bigint NOT NULL); INSERT INTO t
			SELECT i, CASE WHEN d > '-infinity' THEN extract(epoch FROM d) * 1000 ELSE 0 END FROM (` + rows + `) r (i, d)`,
			softdelete.Table{Name: "t", Markers: softdelete.Markers{{Kind: softdelete.Epoch, Column: "deleteat",
				Time: &softdelete.Time{Column: "deleteat", Type: softdelete.EpochTime, Unit: softdelete.Milliseconds}}}}},
		{"two markers", `CREATE TABLE t (id int, deleted_at timestamptz, removed_at timestamptz); INSERT INTO t
			SELECT i, CASE WHEN i % 2 = 0 THEN d END, CASE WHEN i % 2 = 1 THEN d END FROM (` + rows + `) r (i, d)`,
			softdelete.Table{Name: "t", Markers: softdelete.Markers{stamp("deleted_at"), stamp("removed_at")}}},
		{"by its index", `CREATE TABLE t (id int, deleted_at timestamptz); INSERT INTO t` + rows + `; CREATE INDEX ON t (deleted_at) WHERE deleted_at IS NOT NULL`,
			softdelete.Table{Name: "t", Markers: softdelete.Markers{stamp("deleted_at")}, Indexing: &softdelete.Indexing{Indexes: []softdelete.Index{{
				Valid: true, Method: "btree", Keys: []softdelete.Key{{Column: "deleted_at"}}, Predicate: "(deleted_at IS NOT NULL)"}}}}},
		{"partitions of partitions", `CREATE TABLE t (id int, deleted_at timestamptz) PARTITION BY RANGE (id);
			CREATE SCHEMA parts;
			CREATE TABLE t_low PARTITION OF t FOR VALUES FROM (0) TO (1200);
			CREATE TABLE t_high PARTITION OF t FOR VALUES FROM (1200) TO (9999) PARTITION BY RANGE (id);
			CREATE TABLE parts."Odd 100%$purge_batch$" PARTITION OF t_high FOR VALUES FROM (1200) TO (9999);
			INSERT INTO t` + rows,
			softdelete.Table{Name: "t", Partitioned: true, Markers: softdelete.Markers{stamp("deleted_at")}}},
		{"odd names", `CREATE TABLE "50% $purge$ ""T""" (id int, "deleted 100%$purge_batch$" timestamptz); INSERT INTO "50% $purge$ ""T"""` + rows,
			softdelete.Table{Name: `50% $purge$ "T"`, Markers: softdelete.Markers{stamp("deleted 100%$purge_batch$")}}},
		{"odd names of partitioned tables", `CREATE TABLE "50% $purge$ ""T""" (id int, "deleted 100%$purge_batch$" timestamptz) PARTITION BY RANGE (id);
			CREATE TABLE low PARTITION OF "50% $purge$ ""T""" FOR VALUES FROM (0) TO (9999);
			INSERT INTO "50% $purge$ ""T"""` + rows,
			softdelete.Table{Name: `50% $purge$ "T"`, Partitioned: true, Markers: softdelete.Markers{stamp("deleted 100%$purge_batch$")}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			table := test.table
			table.Schema, table.Policy.Retention = "public", 90*24*time.Hour
			dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
			pgtest.Exec(t, dsn, test.ddl)
			count := strings.TrimPrefix(Relation{Schema: table.Schema, Name: table.Name, Children: table.Partitioned, Table: &table}.Count(math.MaxInt64), lead)
			before := tally(t, dsn, count)
			if got := pgtest.Value[int64](t, dsn, PurgeCount(&table)); got != 2500 {
				t.Errorf("a rehearsal finds %d rows, want 2500", got)
			}
			if before.old != 2500 {
				t.Fatalf("%d rows are old before, want 2500", before.old)
			}
			pgtest.Exec(t, dsn, Purge(&table))
			want := tallied{before.total - 2500, before.deleted - 2500, 0}
			if after := tally(t, dsn, count); after != want {
				t.Errorf("after the purge %+v, want %+v", after, want)
			}
		})
	}
}

type tallied struct{ total, deleted, old int64 }

func tally(t *testing.T, dsn, sql string) (n tallied) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	if err := conn.QueryRow(t.Context(), "SELECT total, deleted, old FROM ("+sql+") AS counted").Scan(&n.total, &n.deleted, &n.old); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestPurgeWorksInBatchesAndPassesByWhatOthersHold(t *testing.T) {
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	pgtest.Exec(t, dsn, `
		CREATE TABLE t (id int PRIMARY KEY, deleted_at timestamptz);
		CREATE TABLE child () INHERITS (t);
		INSERT INTO t SELECT i, now() - interval '1 year' FROM generate_series(1, 2500) i;
		INSERT INTO child SELECT i, now() - interval '1 year' FROM generate_series(1, 10) i;
		CREATE TABLE log (transaction xid8);
		CREATE FUNCTION log() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN INSERT INTO log VALUES (pg_current_xact_id()); RETURN old; END';
		CREATE TRIGGER log BEFORE DELETE ON t FOR EACH ROW EXECUTE FUNCTION log()`)
	other, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close(t.Context())
	if _, err := other.Exec(t.Context(), `BEGIN; UPDATE t SET deleted_at = NULL WHERE id = 7; SELECT FROM t WHERE id = 8 FOR UPDATE`); err != nil {
		t.Fatal(err)
	}
	purge := Purge(&softdelete.Table{Schema: "public", Name: "t", Markers: softdelete.Markers{stamp("deleted_at")}, Policy: softdelete.Policy{Retention: 90 * 24 * time.Hour}})
	pgtest.Exec(t, dsn, purge)
	if got := pgtest.Value[string](t, dsn, `SELECT string_agg(id::text, ' ' ORDER BY id) FROM ONLY t`); got != "7 8" {
		t.Errorf("rows %s are left, want those that are held: 7 8", got)
	}
	if got := pgtest.Value[string](t, dsn, `SELECT string_agg(n::text, ' ' ORDER BY n DESC) FROM (SELECT count(*) n FROM log GROUP BY transaction) x`); got != "1000 1000 498" {
		t.Errorf("transactions removed %s rows, want 1000 1000 498", got)
	}
	if got := pgtest.Value[int64](t, dsn, `SELECT count(*) FROM child`); got != 10 {
		t.Errorf("%d rows of the inheritance child are left, want all 10", got)
	}
	if _, err := other.Exec(t.Context(), "COMMIT"); err != nil {
		t.Fatal(err)
	}
	pgtest.Exec(t, dsn, purge)
	if got := pgtest.Value[string](t, dsn, `SELECT string_agg(id::text, ' ') FROM ONLY t`); got != "7" {
		t.Errorf("rows %s are left, want the restored one alone: 7", got)
	}
}

// A batch must not read again what was purged before it, even where the planner thinks
// that a scan of the table would find enough rows soon.
func TestPurgeFindsItsRowsByTheIndexAndByTheirPlace(t *testing.T) {
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	pgtest.Exec(t, dsn, `
		CREATE TABLE t (id int, deleted_at timestamptz);
		INSERT INTO t SELECT i, CASE WHEN i <= 40000 THEN now() - interval '1 year' * (1 + random()) END FROM generate_series(1, 200000) i;
		CREATE INDEX t_purge ON t (deleted_at) WHERE deleted_at IS NOT NULL;
		ANALYZE t`)
	table := &softdelete.Table{Schema: "public", Name: "t", Markers: softdelete.Markers{stamp("deleted_at")}, Policy: softdelete.Policy{Retention: 90 * 24 * time.Hour},
		Indexing: &softdelete.Indexing{Indexes: []softdelete.Index{{
			Valid: true, Method: "btree", Keys: []softdelete.Key{{Column: "deleted_at"}}, Predicate: "(deleted_at IS NOT NULL)"}}}}
	_, batch, _ := strings.Cut(Purge(table), "DELETE")
	batch, _, _ = strings.Cut(batch, ";")
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	rows, err := conn.Query(t.Context(), "EXPLAIN DELETE"+batch)
	if err != nil {
		t.Fatal(err)
	}
	lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	plan := strings.Join(lines, "\n")
	for _, want := range []string{"Tid Scan on t", "Index Scan using t_purge on t"} {
		if !strings.Contains(plan, want) {
			t.Errorf("the plan has no %s:\n%s", want, plan)
		}
	}
}
