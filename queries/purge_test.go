package queries

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/softdelete-exporter/softdelete_exporter/internal/pgserver/pgtest"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

func stamp(column string) softdelete.Marker {
	return softdelete.Marker{Kind: softdelete.Timestamp, Column: column,
		Time: &softdelete.Time{Column: column, Type: softdelete.Timestamptz}}
}

// planned marks rows that are live until their deletion time.
func planned(column string) softdelete.Marker {
	m := stamp(column)
	m.Time.Planned = "UTC"
	return m
}

// checked is the result of PurgeCheck.
type checked struct {
	Facts, Owner                        string
	Accepted, Problems                  []string
	Defaulted                           bool
	Schema, Name, Key, Columns          *string
	KeyOID                              *uint32
	Itself, Period, Unindexed, Cascades *bool
}

// check returns what a purge of the table would find, and fills in what the script needs.
func check(t *testing.T, dsn string, p *Purge, accepted ...string) []checked {
	t.Helper()
	p.Table.OID = pgtest.Value[uint32](t, dsn, "SELECT format('%I.%I', $1::text, $2::text)::regclass::oid",
		p.Table.Schema, p.Table.Name)
	p.Database = pgtest.Value[string](t, dsn, "SELECT current_database()")
	p.Minutes = 60
	conn := dial(t, dsn)
	if _, err := conn.Exec(t.Context(), "SET search_path = pg_catalog"); err != nil {
		t.Fatal(err)
	}
	rows, err := conn.Query(t.Context(), PurgeCheck(p.Table, accepted), pgx.QueryExecModeExec)
	if err != nil {
		t.Fatal(err)
	}
	all, err := pgx.CollectRows(rows, pgx.RowToStructByName[checked])
	if err != nil {
		t.Fatal(err)
	}
	p.Table.Purging = &softdelete.Purging{Columns: all[0].Facts, Owner: all[0].Owner, Accepted: all[0].Accepted}
	return all
}

func dial(t *testing.T, dsn string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(t.Context()) })
	return conn
}

// run runs a script and returns its notice.
func run(t *testing.T, dsn, script string) (notice string, err error) {
	t.Helper()
	config, err := pgx.ParseConfig(dsn)
	if err != nil {
		t.Fatal(err)
	}
	config.OnNotice = func(_ *pgconn.PgConn, n *pgconn.Notice) { notice += n.Message }
	conn, err := pgx.ConnectConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	_, err = conn.PgConn().Exec(t.Context(), script).ReadAll()
	return notice, err
}

// Each case fills a table with 2,500 old deleted rows, 10 newer deleted ones and 10 live ones.
func TestPurgeLeavesNothingThatIsOldAndEverythingElse(t *testing.T) {
	const rows = `
		SELECT i,
			CASE WHEN i <= 2500 THEN now() - interval '91 days'
			WHEN i <= 2509 THEN now() - interval '89 days' WHEN i = 2510 THEN '-infinity' END
		FROM generate_series(1, 2520) i`
	const odd = "50% $purge$ \"T\"\n\\! touch x"
	quoted := identifier(odd)
	for _, test := range []struct {
		name, ddl string
		table     softdelete.Table
	}{
		{"a timestamp", `CREATE TABLE t (id int, deleted_at timestamptz); INSERT INTO t` + rows,
			softdelete.Table{Name: "t", Markers: softdelete.Markers{stamp("deleted_at")}}},
		{"a pair, by its flag",
			`CREATE TABLE t (id int, deleted_at timestamptz, gone bool); INSERT INTO t SELECT *, i <= 2510 FROM (` + rows +
				`) r (i, d);
			INSERT INTO t SELECT 0, now() - interval '1 year', false FROM generate_series(1, 10)`,
			softdelete.Table{Name: "t",
				Markers: softdelete.Markers{{Kind: softdelete.Pair, Column: "gone",
					Time: &softdelete.Time{Column: "deleted_at", Type: softdelete.Timestamptz}}}}},
		{"a local time", `CREATE TABLE t (id int, deleted_at timestamp);
			INSERT INTO t SELECT i, (d AT TIME ZONE 'Asia/Tokyo') FROM (` + rows + `) r (i, d)`,
			softdelete.Table{Name: "t", Policy: softdelete.Policy{TimeZone: "Asia/Tokyo"}, Markers: softdelete.Markers{
				{Kind: softdelete.Timestamp, Column: "deleted_at",
					Time: &softdelete.Time{Column: "deleted_at", Type: softdelete.LocalTimestamp}}}}},
		{"an epoch, 0 while live", `CREATE TABLE t (id int, deleteat bigint NOT NULL DEFAULT 0); INSERT INTO t
			SELECT i, CASE WHEN d > '-infinity' THEN extract(epoch FROM d) * 1000 ELSE 0 END FROM (` + rows + `) r (i, d)`,
			softdelete.Table{Name: "t", Markers: softdelete.Markers{{Kind: softdelete.Epoch, Column: "deleteat",
				Time: &softdelete.Time{Column: "deleteat", Type: softdelete.EpochTime, Unit: softdelete.Milliseconds}}}}},
		{"plans, live until then", `CREATE TABLE t (id int, deleted_at timestamptz); INSERT INTO t` + rows +
			`; INSERT INTO t SELECT 0, now() + i * interval '1 hour' FROM generate_series(1, 2000) i;
			INSERT INTO t VALUES (0, 'infinity')`,
			softdelete.Table{Name: "t", Markers: softdelete.Markers{planned("deleted_at")}}},
		{"plans of a flag", `CREATE TABLE t (id int, deleted_at timestamptz, gone bool); INSERT INTO t
			SELECT *, d IS NOT NULL FROM (` + rows + `) r (i, d);
			INSERT INTO t SELECT 0, now() + i * interval '1 hour', true FROM generate_series(1, 2000) i`,
			softdelete.Table{Name: "t", Markers: softdelete.Markers{{Kind: softdelete.Pair, Column: "gone",
				Time: planned("deleted_at").Time}}}},
		{"two markers", `CREATE TABLE t (id int, deleted_at timestamptz, removed_at timestamptz); INSERT INTO t
			SELECT i, CASE WHEN i % 2 = 0 THEN d END, CASE WHEN i % 2 = 1 THEN d END FROM (` + rows + `) r (i, d)`,
			softdelete.Table{Name: "t", Markers: softdelete.Markers{stamp("deleted_at"), stamp("removed_at")}}},
		{"partitions of partitions", `CREATE TABLE t (id int, deleted_at timestamptz) PARTITION BY RANGE (id);
			CREATE SCHEMA parts;
			CREATE TABLE t_low PARTITION OF t FOR VALUES FROM (0) TO (1200);
			CREATE TABLE t_high PARTITION OF t FOR VALUES FROM (1200) TO (9999) PARTITION BY RANGE (id);
			CREATE TABLE parts."Odd 100%$purge_old$" PARTITION OF t_high FOR VALUES FROM (1200) TO (9999);
			INSERT INTO t` + rows,
			softdelete.Table{Name: "t", Partitioned: true, Markers: softdelete.Markers{stamp("deleted_at")}}},
		{"odd names", `CREATE TABLE ` + quoted + ` (id int, ` + identifier("deleted\t100%$purge_old$") +
			` timestamptz); INSERT INTO ` + quoted + rows,
			softdelete.Table{Name: odd, Markers: softdelete.Markers{stamp("deleted\t100%$purge_old$")}}},
		{"odd names of partitioned tables", `CREATE TABLE ` + quoted +
			` (id int, "deleted ""100%" timestamptz) PARTITION BY RANGE (id);
			CREATE TABLE "Low $1 %s" PARTITION OF ` + quoted + ` FOR VALUES FROM (0) TO (9999);
			INSERT INTO ` + quoted + rows,
			softdelete.Table{Name: odd, Partitioned: true, Markers: softdelete.Markers{stamp(`deleted "100%`)}}},
	} {
		for _, byIndex := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, by index %v", test.name, byIndex), func(t *testing.T) {
				table := test.table
				table.Schema, table.Policy.Retention = "public", 90*24*time.Hour
				dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
				pgtest.Exec(t, dsn, test.ddl)
				count := strings.TrimPrefix(Relation{Now: time.Now(), Schema: table.Schema, Name: table.Name,
					Children: table.Partitioned, Table: &table}.Count(math.MaxInt64), lead)
				before := tally(t, dsn, count)
				if before.old != 2500 {
					t.Fatalf("%d rows are old before, want 2500", before.old)
				}
				purge := &Purge{Table: &table, Rehearsal: true}
				script := func() string {
					return strings.Replace(purge.SQL(), "by_index constant boolean := false",
						fmt.Sprintf("by_index constant boolean := %v", byIndex), 1)
				}
				if found := check(t, dsn, purge)[0]; len(found.Problems) > 0 {
					t.Fatal(found.Problems)
				}
				for _, r := range purge.SQL() {
					if r != '\n' && strings.ContainsRune("\t\r\\", r) && !strings.Contains(purge.SQL(), `\`) {
						t.Fatalf("%q stands in the script", r)
					}
				}
				said, err := run(t, dsn, script())
				if err != nil {
					t.Fatal(err)
				}
				if !strings.Contains(said, "it would remove 2500 rows.") {
					t.Errorf("the rehearsal says %q", said)
				}
				if after := tally(t, dsn, count); after != before {
					t.Errorf("after the rehearsal %+v, want %+v", after, before)
				}
				purge.Rehearsal = false
				for n, want := range []string{": removed 2500 rows.", ": removed 0 rows."} {
					if said, err = run(t, dsn, script()); err != nil || !strings.Contains(said, want) {
						t.Errorf("run %d says %q and %v, want %q", n, said, err, want)
					}
				}
				want := tallied{before.total - 2500, before.deleted - 2500, 0}
				if after := tally(t, dsn, count); after != want {
					t.Errorf("after the purge %+v, want %+v", after, want)
				}
			})
		}
	}
}

type tallied struct{ total, deleted, old int64 }

func tally(t *testing.T, dsn, sql string) (n tallied) {
	t.Helper()
	conn := dial(t, dsn)
	if err := conn.QueryRow(t.Context(), "SELECT total, deleted, old FROM ("+sql+") AS counted").Scan(&n.total,
		&n.deleted, &n.old); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestPurgePassesByWhatOthersHold(t *testing.T) {
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	pgtest.Exec(t, dsn, `
		CREATE TABLE t (id int PRIMARY KEY, deleted_at timestamptz);
		CREATE TABLE child () INHERITS (t);
		INSERT INTO t SELECT i, now() - interval '1 year' FROM generate_series(1, 2500) i;
		INSERT INTO child SELECT i, now() - interval '1 year' FROM generate_series(1, 10) i`)
	other := dial(t, dsn)
	if _, err := other.Exec(t.Context(),
		`BEGIN; UPDATE t SET deleted_at = NULL WHERE id = 7; SELECT FROM t WHERE id = 8 FOR UPDATE`); err != nil {
		t.Fatal(err)
	}
	purge := &Purge{Table: &softdelete.Table{Schema: "public", Name: "t",
		Markers: softdelete.Markers{stamp("deleted_at")}, Policy: softdelete.Policy{Retention: 90 * 24 * time.Hour}}}
	check(t, dsn, purge)
	if _, err := run(t, dsn, purge.SQL()); err != nil {
		t.Fatal(err)
	}
	if got := pgtest.Value[string](t, dsn, `SELECT string_agg(id::text, ' ' ORDER BY id) FROM ONLY t`); got != "7 8" {
		t.Errorf("rows %s are left, want those that are held: 7 8", got)
	}
	if got := pgtest.Value[int64](t, dsn, `SELECT count(*) FROM child`); got != 10 {
		t.Errorf("%d rows of the inheritance child are left, want all 10", got)
	}
	if _, err := other.Exec(t.Context(), "COMMIT"); err != nil {
		t.Fatal(err)
	}
	if _, err := run(t, dsn, purge.SQL()); err != nil {
		t.Fatal(err)
	}
	if got := pgtest.Value[string](t, dsn, `SELECT string_agg(id::text, ' ') FROM ONLY t`); got != "7" {
		t.Errorf("rows %s are left, want the restored one alone: 7", got)
	}
}

func TestPurgeInsideATransactionDoesNothing(t *testing.T) {
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	pgtest.Exec(t, dsn,
		`CREATE TABLE t (id int PRIMARY KEY, deleted_at timestamptz); INSERT INTO t VALUES (1, '2000-01-01')`)
	purge := &Purge{Table: &softdelete.Table{Schema: "public", Name: "t",
		Markers: softdelete.Markers{stamp("deleted_at")}, Policy: softdelete.Policy{Retention: time.Hour}}}
	check(t, dsn, purge)
	var failed *pgconn.PgError
	if _, err := run(t, dsn, "BEGIN; "+purge.SQL()+"; COMMIT"); !errors.As(err, &failed) || failed.Code != "2D000" {
		t.Errorf("it ends with %v, want that a transaction may not end here", err)
	}
	if n := pgtest.Value[int64](t, dsn, "SELECT count(*) FROM t"); n != 1 {
		t.Errorf("%d rows are left", n)
	}
}
