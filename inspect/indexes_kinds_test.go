package inspect

import (
	"fmt"
	"strings"
	"testing"

	"github.com/softdelete-exporter/softdelete_exporter/indexes"
	"github.com/softdelete-exporter/softdelete_exporter/internal/pgserver/pgtest"
	"github.com/softdelete-exporter/softdelete_exporter/predicate"
	"github.com/softdelete-exporter/softdelete_exporter/queries"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// An advised index is useless if the application's own queries do not use it, and the advice would be repeated if the
// exporter did not recognize the index.
func TestForEveryKindTheAdvisedIndexIsUsedAndKnown(t *testing.T) {
	t.Parallel()
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	pgtest.Exec(t, dsn, `CREATE TYPE stage AS ENUM ('draft', 'active', 'deleted')`)
	at := &softdelete.Time{Column: "at", Type: softdelete.Timestamptz}
	for name, test := range map[string]struct {
		marker softdelete.Marker
		ddl    string
		// live and purge are WHERE clauses as applications write them.
		live, purge []string
	}{
		"timestamp": {softdelete.Marker{Kind: softdelete.Timestamp, Column: "m",
			Time: &softdelete.Time{Column: "m", Type: softdelete.Timestamptz}}, "m timestamptz",
			[]string{"m IS NULL"}, []string{"m < now() - interval '90 days'", "m IS NOT NULL AND m < now()"}},
		"sentinel": {softdelete.Marker{Kind: softdelete.Sentinel, Column: "m", Live: []string{"infinity"},
			Time: &softdelete.Time{Column: "m", Type: softdelete.Timestamptz}}, "m timestamptz NOT NULL DEFAULT 'infinity'",
			[]string{"m = 'infinity'"}, []string{"m <> 'infinity' AND m < now()"}},
		"epoch": {softdelete.Marker{Kind: softdelete.Epoch, Column: "m",
			Time: &softdelete.Time{Column: "m", Type: softdelete.EpochTime, Unit: softdelete.Milliseconds}}, "m bigint",
			[]string{"m = 0", "m IS NULL"}, []string{"m > 0 AND m < 1700000000000", "m <> 0 AND m < 1700000000000"}},
		"flag": {softdelete.Marker{Kind: softdelete.Flag, Column: "m"}, "m boolean",
			[]string{"NOT m", "m = false"}, nil},
		"pair": {softdelete.Marker{Kind: softdelete.Pair, Column: "m", Time: at}, "m boolean, at timestamptz",
			[]string{"NOT m", "m = false"}, []string{"m AND at < now()", "m = true AND at < now()"}},
		"inverted flag": {softdelete.Marker{Kind: softdelete.InvertedFlag, Column: "m"}, "m boolean",
			[]string{"m", "m = true"}, nil},
		"number": {softdelete.Marker{Kind: softdelete.Pair, Flag: softdelete.Number, Column: "m", Time: at},
			"m smallint, at timestamptz",
			[]string{"m = 0"}, []string{"m = 1 AND at < now()"}},
		"letter": {softdelete.Marker{Kind: softdelete.Pair, Flag: softdelete.Letter, Column: "m", Time: at},
			"m char(1), at timestamptz",
			[]string{"m = '0'", "m = 'N'"}, []string{"m = '2' AND at < now()", "m = 'Y' AND at < now()"}},
		"status": {softdelete.Marker{Kind: softdelete.Pair, Flag: softdelete.Status, Column: "m",
			Deleted: []string{"deleted"}, Time: at}, "m stage, at timestamptz",
			[]string{"m = 'active'", "m <> 'deleted'"}, []string{"m = 'deleted' AND at < now()"}},
		"listed live": {softdelete.Marker{Kind: softdelete.Status, Column: "m", Live: []string{"draft", "active"}}, "m text",
			[]string{"m = 'active'", "m IN ('active', 'draft')"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			markers := softdelete.Markers{test.marker}
			for rows, wheres := range map[indexes.Purpose][]string{indexes.LiveRows: test.live, indexes.Purge: test.purge} {
				if wheres == nil {
					continue
				}
				key := "id"
				if rows == indexes.Purge {
					key = test.marker.Time.Column
				}
				pgtest.Exec(t, dsn, fmt.Sprintf(`DROP TABLE IF EXISTS rows; CREATE TABLE rows (id int, %s)`, test.ddl))
				table := softdelete.Table{Schema: "public", Name: "rows", Markers: markers}
				pgtest.Exec(t, dsn, queries.Steps(&table, []indexes.Step{{Action: indexes.CreateIndex, New: &indexes.NewIndex{
					Name: "advised", Method: "btree", Keys: []softdelete.Key{{Column: key}}, Rows: rows, Markers: markers}}})[0])
				text := pgtest.Value[string](t, dsn,
					`SELECT pg_get_expr(indpred, indrelid) FROM pg_index WHERE indexrelid = 'advised'::regclass`)
				scope := predicate.ScopeOf(markers, text)
				if rows == indexes.LiveRows && (!scope.LiveOnly() || scope.Live != softdelete.All) ||
					rows == indexes.Purge && scope.Deleted != softdelete.All {
					t.Errorf("%s: %s is read as %+v", rows, text, scope)
				}
				for _, where := range wheres {
					if plan := planned(t, dsn, where); !strings.Contains(plan, "advised") {
						t.Errorf("%s does not lead to the index WHERE %s: %s", where, text, plan)
					}
				}
			}
		})
	}
}

// planned returns the plan of a query if reading the whole table is forbidden.
func planned(t *testing.T, dsn, where string) string {
	t.Helper()
	return pgtest.Value[string](t, dsn+"&options=-c%20enable_seqscan%3Doff",
		`EXPLAIN (FORMAT JSON) SELECT id FROM rows WHERE `+where)
}

// Predicates of real schemas, as PostgreSQL writes them, for the kinds other than times and flags.
func TestPredicatesOfOtherKindsAreReadAsPostgreSQLWritesThem(t *testing.T) {
	t.Parallel()
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	pgtest.Exec(t, dsn, `CREATE TYPE stage AS ENUM ('draft', 'active', 'deleted', 'trashed');
		CREATE TABLE rows (id int, e bigint, n numeric, s smallint, c char(1), v varchar(10), st stage, alive boolean,
			d timestamptz NOT NULL DEFAULT '1970-01-01 00:00:00Z')`)
	stage := softdelete.Marker{Kind: softdelete.Status, Column: "st", Deleted: []string{"deleted", "trashed"}}
	live := softdelete.Scope{Mentions: true, Live: softdelete.All, Deleted: softdelete.None}
	deleted := softdelete.Scope{Mentions: true, Live: softdelete.None, Deleted: softdelete.All}
	for number, test := range []struct {
		marker    softdelete.Marker
		predicate string
		want      softdelete.Scope
	}{
		{softdelete.Marker{Kind: softdelete.Epoch, Column: "e"}, `e = 0`, live},
		{softdelete.Marker{Kind: softdelete.Epoch, Column: "e"}, `coalesce(e, 0) = 0`, live},
		{softdelete.Marker{Kind: softdelete.Epoch, Column: "e"}, `e > 0`, deleted},
		{softdelete.Marker{Kind: softdelete.Epoch, Column: "n"}, `n = 0`, live},
		{softdelete.Marker{Kind: softdelete.Number, Column: "s"}, `s = 0`, live},
		{softdelete.Marker{Kind: softdelete.Number, Column: "s"}, `s != 0`, deleted},
		{softdelete.Marker{Kind: softdelete.Number, Column: "s"}, `s = -1`,
			softdelete.Scope{Mentions: true, Live: softdelete.None}},
		{softdelete.Marker{Kind: softdelete.Letter, Column: "c"}, `c = '0'`, live},
		{softdelete.Marker{Kind: softdelete.Letter, Column: "v"}, `v = 'N'`, live},
		{softdelete.Marker{Kind: softdelete.Letter, Column: "v"}, `v <> 'Y'`, live},
		{stage, `st NOT IN ('deleted', 'trashed')`, live},
		{stage, `st in ('deleted', 'trashed')`, deleted},
		{stage, `st = 'active'`, softdelete.Scope{Mentions: true, Deleted: softdelete.None}},
		{softdelete.Marker{Kind: softdelete.Status, Column: "v", Deleted: []string{"deleted", "trashed"}},
			`v NOT IN ('deleted', 'trashed')`, live},
		{softdelete.Marker{Kind: softdelete.Status, Column: "v", Deleted: []string{"deleted"}}, `v <> 'deleted'`, live},
		{softdelete.Marker{Kind: softdelete.InvertedFlag, Column: "alive"}, `alive`, live},
		{softdelete.Marker{Kind: softdelete.InvertedFlag, Column: "alive"}, `NOT alive`, deleted},
	} {
		name := fmt.Sprintf("i%d", number)
		pgtest.Exec(t, dsn, fmt.Sprintf(`CREATE INDEX %s ON rows (id) WHERE %s`, name, test.predicate))
		text := pgtest.Value[string](t, dsn,
			`SELECT pg_get_expr(indpred, indrelid) FROM pg_index WHERE indexrelid = $1::regclass`, name)
		if got := predicate.ScopeOf(softdelete.Markers{test.marker}, text); got != test.want {
			t.Errorf("%s is read as %+v, want %+v", text, got, test.want)
		}
	}
}

// What is said of an expression in live and in deleted rows must hold in each of them.
func TestTheServerAgreesOnWhatExpressionsCanBe(t *testing.T) {
	t.Parallel()
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	pgtest.Exec(t, dsn, `CREATE FUNCTION own(timestamp) RETURNS int IMMUTABLE LANGUAGE sql RETURN 7;
		CREATE TABLE rows (id int, email text, at timestamp, gone boolean NOT NULL, until timestamp NOT NULL);
		INSERT INTO rows SELECT i, nullif('e' || i, 'e3'),
			CASE WHEN i > 5 THEN '2020-01-01'::timestamp + i * interval '1 h' END,
			i > 5, CASE WHEN i > 5 THEN '2020-01-01'::timestamp + i * interval '1 h' ELSE 'infinity' END
			FROM generate_series(1, 10) i`)
	local := softdelete.LocalTimestamp
	markers := map[string]softdelete.Marker{
		"at":   {Kind: softdelete.Timestamp, Column: "at", Time: &softdelete.Time{Column: "at", Type: local}},
		"gone": {Kind: softdelete.Flag, Column: "gone"},
		"until": {Kind: softdelete.Sentinel, Column: "until", Live: []string{"infinity"},
			Time: &softdelete.Time{Column: "until", Type: local, NotNull: true}},
	}
	certain := 0
	for n, expression := range []string{
		"CASE WHEN at IS NULL THEN true END", "CASE WHEN at IS NULL THEN 1 ELSE id END", "CASE WHEN NOT gone THEN email END",
		"CASE at WHEN '2020-01-01 06:00' THEN 1 ELSE 2 END", "CASE WHEN id > 3 THEN CASE WHEN gone THEN 1 END ELSE 2 END",
		"date_trunc('day', at)", "at::date", "extract(epoch FROM at)", "at + interval '1 day'",
		"at AT TIME ZONE 'UTC'", "own(at)",
		"coalesce(at, 'infinity')", "coalesce(at, until)", "coalesce(email, 'x')", "nullif(gone, true)",
		"nullif(until, 'infinity')",
		"nullif(until, '-infinity')", "nullif(at IS NULL, false)", "gone::int", "(at IS NULL)::text", "gone AND id > 3",
		"gone OR at IS NULL", "until = 'infinity'", "lower(email)", "upper((id + 1)::text || 'x')", "id * 0 + 1",
		"gone IS NOT TRUE",
	} {
		name := fmt.Sprintf("i%d", n)
		pgtest.Exec(t, dsn, fmt.Sprintf("CREATE INDEX %s ON rows ((%s))", name, expression))
		text := pgtest.Value[string](t, dsn, "SELECT pg_get_indexdef('"+name+"'::regclass, 1, false)")
		for column, m := range markers {
			live, deleted := predicate.OutcomesOf(softdelete.Markers{m}, text)
			for _, of := range []struct {
				rows string
				said predicate.Outcomes
			}{{"NOT gone", live}, {"gone", deleted}} {
				nulls, values := pgtest.Value[int64](t, dsn,
					fmt.Sprintf("SELECT count(*) FILTER (WHERE (%s) IS NULL) FROM rows WHERE %s",
						expression, of.rows)), pgtest.Value[int64](t, dsn,
					fmt.Sprintf("SELECT count(DISTINCT (%s)) FROM rows WHERE %s", expression,
						of.rows))
				if of.said.Null != softdelete.Some || of.said.Values != nil {
					certain++
				}
				if of.said.Null == softdelete.All && nulls < 5 || of.said.Null == softdelete.None && nulls > 0 ||
					of.said.Values != nil && values > int64(len(of.said.Values)) {
					t.Errorf("%s with marker %s is said to be %+v WHERE %s: %d of 5 are NULL, %d values", text, column,
						of.said, of.rows,
						nulls, values)
				}
			}
		}
	}
	if certain < 50 {
		t.Errorf("only %d answers are certain", certain)
	}
	t.Logf("%d answers are certain", certain)
}
