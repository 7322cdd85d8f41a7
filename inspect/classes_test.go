package inspect

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/softdelete-exporter/softdelete_exporter/internal/pgserver/pgtest"
	"github.com/softdelete-exporter/softdelete_exporter/postgres"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// classed is a table whose rows have random deletion times.
type classed struct {
	name, configuration string
	// columns are its columns for a row of instants(id, at): each SQL expression with its name.
	columns string
	// more is what is done with the table then; again inserts its rows once more, if that is not done by columns.
	more, again string
	// deleted says in plain SQL which rows are deleted, and time is the deletion time if it is known.
	deleted, time string
	// instant writes a timestamptz in the type of the time.
	instant string
	// local is true if the time is recent only by an assumed zone, or to the day.
	local bool
}

const (
	sometimes = "CASE WHEN id % 3 > 0 THEN at END"
	finite    = "CASE WHEN isfinite(deleted_at) THEN deleted_at END"
)

var classedTables = []classed{
	{name: "tz", columns: sometimes + " AS deleted_at", deleted: "deleted_at IS NOT NULL", time: finite, instant: "%s"},
	{name: "utc", columns: sometimes + " AT TIME ZONE 'UTC' AS deleted_at", deleted: "deleted_at IS NOT NULL",
		time: finite, instant: "%s AT TIME ZONE 'UTC'", local: true},
	{name: "berlin", configuration: "time_zone: Europe/Berlin",
		columns: "CASE WHEN id % 3 > 0 THEN at AT TIME ZONE 'Europe/Berlin' END AS deleted_at",
		deleted: "deleted_at IS NOT NULL", time: finite, instant: "%s AT TIME ZONE 'Europe/Berlin'"},
	{name: "day", columns: "CASE WHEN id % 3 > 0 THEN (at AT TIME ZONE 'UTC')::date END AS deleted_at",
		deleted: "deleted_at IS NOT NULL", time: finite, instant: "(%s AT TIME ZONE 'UTC')::date", local: true},
	{name: "tokyo", configuration: "time_zone: Asia/Tokyo",
		columns: "CASE WHEN id % 3 > 0 THEN (at AT TIME ZONE 'Asia/Tokyo')::date END AS deleted_at",
		deleted: "deleted_at IS NOT NULL", time: finite, instant: "(%s AT TIME ZONE 'Asia/Tokyo')::date", local: true},
	epochClasses("seconds", "int8", 1), epochClasses("small", "int4", 1), epochClasses("millis", "int8", 1000),
	epochClasses("micros", "int8", 1_000_000), epochClasses("nanos", "int8", 1_000_000_000),
	epochClasses("decimal", "numeric", 1), epochClasses("floating", "float8", 1),
	{name: "sentinel",
		columns: "CASE WHEN id % 3 > 0 AND isfinite(at) THEN at ELSE '1970-01-01 00:00+00' END AS deleted_at",
		more:    "ALTER TABLE sentinel ALTER deleted_at SET NOT NULL, ALTER deleted_at SET DEFAULT '1970-01-01 00:00+00'",
		deleted: "deleted_at <> '1970-01-01 00:00+00'", time: "deleted_at", instant: "%s"},
	{name: "endless", columns: "CASE WHEN id % 3 > 0 THEN at ELSE 'infinity' END AS deleted_at",
		more:    "ALTER TABLE endless ALTER deleted_at SET NOT NULL, ALTER deleted_at SET DEFAULT 'infinity'",
		deleted: "deleted_at <> 'infinity'", time: "deleted_at", instant: "%s"},
	{name: "pair", columns: "id % 3 > 0 AS is_deleted, CASE WHEN id % 5 > 0 THEN at END AS deleted_at",
		// The last time before which no row was deleted, its neighbours, and earlier ones.
		more: `INSERT INTO pair SELECT true, '1970-01-02 12:00+00'::timestamptz + e * interval '1 microsecond'
			FROM generate_series(-2, 2) e; INSERT INTO pair VALUES (true, '-infinity'), (true, '0001-01-01')`,
		deleted: "is_deleted", instant: "%s",
		time: "CASE WHEN isfinite(deleted_at) AND deleted_at > '1970-01-02 12:00+00' THEN deleted_at END"},
	{name: "letter", columns: "substr('NYY', id % 3 + 1, 1)::char AS is_deleted, at AS deleted_at",
		configuration: "column: is_deleted, kind: letter, time_column: deleted_at",
		deleted:       "is_deleted = 'Y'", time: finite, instant: "%s"},
	{name: "defaulted", configuration: "column: is_deleted, time_column: deleted_at",
		columns: "id % 3 > 0 AS is_deleted, CASE WHEN id % 5 > 0 THEN at ELSE '2001-01-01 00:00+00' END AS deleted_at",
		more: "ALTER TABLE defaulted ALTER deleted_at SET NOT NULL, " +
			"ALTER deleted_at SET DEFAULT '2001-01-01 00:00+00'",
		deleted: "is_deleted", instant: "%s",
		time: "CASE WHEN deleted_at <> '2001-01-01 00:00+00' AND isfinite(deleted_at) THEN deleted_at END"},
	{name: "planned", configuration: "column: deleted_at, future: live", columns: sometimes + " AS deleted_at",
		deleted: "deleted_at <= now()", time: finite, instant: "%s"},
	{name: "named", configuration: "column: class, time_column: first, kind: number",
		columns: `id % 3 AS class, at AS first, id AS "deletion class"`, deleted: "class <> 0",
		time: "CASE WHEN isfinite(first) THEN first END", instant: "%s"},
	{name: "parted", columns: "NULL::timestamptz AS deleted_at, 0 AS id WHERE false", deleted: "deleted_at IS NOT NULL",
		time: finite, instant: "%s", again: "INSERT INTO parted SELECT " + sometimes + ", id % 2 FROM instants",
		more: `DROP TABLE parted; CREATE TABLE parted (deleted_at timestamptz, id int) PARTITION BY LIST (id);
			CREATE TABLE part_1 PARTITION OF parted FOR VALUES IN (1); CREATE TABLE part_2 PARTITION OF parted DEFAULT;
			INSERT INTO parted SELECT ` + sometimes + ", id % 2 FROM instants"},
}

// epochClasses is a table with a number of units since 1970. Infinite times have none.
func epochClasses(name, typ string, perSecond int64) classed {
	value := fmt.Sprintf("(extract(epoch FROM at) * %d)::%s", perSecond, typ)
	if typ == "numeric" || typ == "float8" {
		value = fmt.Sprintf("extract(epoch FROM at)::%s", typ)
	}
	return classed{name: name, columns: "CASE WHEN id % 3 > 0 AND isfinite(at) AND at < '2038-01-01' THEN " + value +
		" ELSE 0 END AS deleted_at", configuration: "column: deleted_at, kind: epoch, unit: " +
		map[int64]string{1: "s", 1000: "ms", 1_000_000: "us", 1_000_000_000: "ns"}[perSecond],
		deleted: "deleted_at <> 0", time: "nullif(deleted_at, 0)",
		instant: fmt.Sprintf("(extract(epoch FROM %%s) * %d)::int8", perSecond)}
}

// writeInstants makes the table instants: times of twenty years, more of the last days, midnights and their neighbours,
// the hours in which clocks change, and times that are not in order of any clock.
func writeInstants(t *testing.T, dsn string) {
	pgtest.Exec(t, dsn, `
		CREATE TABLE instants (id serial, at timestamptz);
		SELECT setseed(0.5);
		INSERT INTO instants (at) SELECT at FROM (
			SELECT now() - random() * interval '20 years' FROM generate_series(1, 1000)
			UNION ALL SELECT now() - random() * random() * interval '400 days' FROM generate_series(1, 3000)
			UNION ALL SELECT now() - interval '2 minutes' - random() * interval '50 minutes' FROM generate_series(1, 50)
			UNION ALL SELECT now() + interval '5 minutes' + random() * interval '30 days' FROM generate_series(1, 50)
			UNION ALL SELECT now() + interval '5 minutes' + random() * interval '5 minutes' FROM generate_series(1, 50)
			UNION ALL SELECT date_trunc('day', now(), 'UTC') - d * interval '24 hours' + e * interval '1 microsecond'
				FROM generate_series(-1, 400) d, generate_series(-1, 1) e
			UNION ALL SELECT '2025-10-26 00:00+00'::timestamptz + m * interval '7 minutes' FROM generate_series(0, 20) m
			UNION ALL SELECT '2026-03-29 00:00+00'::timestamptz + m * interval '7 minutes' FROM generate_series(0, 20) m
			UNION ALL SELECT 'infinity' FROM generate_series(1, 5)
			UNION ALL SELECT '9999-12-31' UNION ALL SELECT '1980-01-01 00:00:01+00' UNION ALL SELECT '1970-01-03'
		) AS times (at) ORDER BY random()`)
}

// wanted are the numbers of a table by plain SQL.
type wanted struct {
	Total, Deleted, Old, Recent float64
	Oldest                      float64
	Classes                     []float64
}

// plain counts a table in plain SQL.
func (c classed) plain(t *testing.T, dsn string, edges []time.Time) (w wanted) {
	t.Helper()
	at := func(instant string) string { return fmt.Sprintf(c.instant, instant) }
	rows := func(condition string) string {
		return "count(*) FILTER (WHERE (" + c.deleted + ") AND " + condition + ")"
	}
	var classes []string
	for i := range len(edges) + 1 {
		condition := "(" + c.time + ") IS NOT NULL"
		if i > 0 {
			condition += " AND (" + c.time + ") >= " + at("'"+edges[i-1].Format(time.RFC3339)+"'::timestamptz")
		}
		if i < len(edges) {
			condition += " AND (" + c.time + ") < " + at("'"+edges[i].Format(time.RFC3339)+"'::timestamptz")
		}
		classes = append(classes, rows(condition))
	}
	recent, oldest := "0", "extract(epoch FROM min("+c.time+") FILTER (WHERE "+c.deleted+"))"
	switch {
	case strings.HasPrefix(c.instant, "(extract"):
		_, unit, _ := strings.Cut(c.instant, "* ")
		oldest = "min(" + c.time + ")::numeric / " + strings.TrimSuffix(unit, ")::int8")
	case c.local || strings.Contains(c.instant, "AT TIME"):
		oldest = "extract(epoch FROM min(" + c.time + ")::timestamp AT TIME ZONE '" + c.zone() + "')"
	}
	if !c.local {
		recent = rows("(" + c.time + ") >= " + at("(now() - interval '1 hour')") + " AND (" + c.time + ") <= " +
			at("now()"))
	}
	text := pgtest.Value[string](t, dsn, fmt.Sprintf(`SELECT json_build_object('Total', count(*),
		'Deleted', count(*) FILTER (WHERE %s), 'Old', %s, 'Recent', %s, 'Oldest', %s, 'Classes', ARRAY[%s]) FROM %s`,
		c.deleted, rows("("+c.time+") < "+at("(now() - interval '90 days')")), recent, oldest,
		strings.Join(classes, ", "), c.name))
	if err := json.Unmarshal([]byte(text), &w); err != nil {
		t.Fatal(err)
	}
	return w
}

func (c classed) zone() string {
	if _, zone, given := strings.Cut(c.configuration, "time_zone: "); given {
		return zone
	}
	return "UTC"
}

// All numbers of an exact count, the classes of deletion times among them, are those of plain SQL. A table without
// deleted rows is next asked whether that is still so.
func TestClassesEqualPlainSQL(t *testing.T) {
	t.Parallel()
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	writeInstants(t, dsn)
	configuration := "counting: {recount_after: 1ms}\ntables:\n"
	purge, live, again := "", "", ""
	for _, c := range classedTables {
		pgtest.Exec(t, dsn, fmt.Sprintf("CREATE TABLE %s AS SELECT %s %s; %s", c.name, c.columns,
			map[bool]string{true: "", false: "FROM instants"}[strings.Contains(c.columns, "WHERE")], c.more))
		if c.configuration != "" {
			configuration += fmt.Sprintf("  - {table: %s, %s}\n", c.name, c.configuration)
		}
		purge += fmt.Sprintf("DELETE FROM %s WHERE %s;", c.name, c.deleted)
		live += fmt.Sprintf("INSERT INTO %s SELECT * FROM %[1]s LIMIT 10;", c.name)
		again += cmp.Or(c.again, fmt.Sprintf("INSERT INTO %s SELECT %s FROM instants", c.name, c.columns)) + ";"
	}
	i := inspector(t, dsn, configuration)
	s := first(t, i)
	compareWithPlainSQL(t, dsn, s)
	for _, step := range []struct {
		sql string
		// marksOnly is true if only the marked rows are counted first.
		marksOnly bool
	}{{purge, false}, {live, true}, {again, true}, {live, false}} {
		for _, c := range classedTables {
			tab := tableNamed(t, s, c.name)
			if got := (&count{table: &table{Table: tab}}).marksAnswer(1); got != step.marksOnly {
				t.Errorf("%s: with %v deleted rows only the marked rows are counted: %t", c.name, tab.Numbers.Deleted, got)
			}
		}
		pgtest.Exec(t, dsn, step.sql)
		s = refreshAfter(t, i, s, nil)
		compareWithPlainSQL(t, dsn, s)
	}
}

// compareWithPlainSQL compares the numbers of a Snapshot with those of the tables.
func compareWithPlainSQL(t *testing.T, dsn string, s *softdelete.Snapshot) {
	t.Helper()
	for _, c := range classedTables {
		table := tableNamed(t, s, c.name)
		n := table.Numbers
		if n == nil || n.Ages == nil || n.Old == nil {
			t.Errorf("%s: %+v, %+v", c.name, n, table.Problem)
			continue
		}
		if want := softdelete.AgeEdges(table.Counted, table.Policy.Retention); !slices.EqualFunc(n.Ages.Edges, want,
			time.Time.Equal) {
			t.Errorf("%s: the edges are %v, want %v", c.name, n.Ages.Edges, want)
		}
		got := wanted{Total: n.Total.Value, Deleted: n.Deleted.Value, Old: n.Old.Value}
		if !n.Oldest.IsZero() {
			got.Oldest = float64(n.Oldest.UnixMicro()) / 1e6
		}
		if n.Recent != nil {
			got.Recent = n.Recent.Value
		}
		for _, class := range n.Ages.Rows {
			got.Classes = append(got.Classes, class.Value)
		}
		want := c.plain(t, dsn, n.Ages.Edges)
		if math.Abs(want.Oldest-got.Oldest) < 1e-3 {
			want.Oldest = got.Oldest
		}
		if diff := gocmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
		if n.Recent == nil != c.local {
			t.Errorf("%s: recent is %v", c.name, n.Recent)
		}
		if c.name == "planned" && table.Kept().NextChange.Before(table.Counted) {
			t.Errorf("the next planned deletion is at %v", table.Kept().NextChange)
		}
	}
}

// A count needs memory for its classes only. With as many groups as times, as the statistics of the column suggest, the
// planner would rather sort all rows.
func TestACountInClassesSortsNoRows(t *testing.T) {
	t.Parallel()
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	pgtest.Exec(t, dsn, `CREATE TABLE orders AS SELECT now() - i * interval '1 second' AS deleted_at
		FROM generate_series(1, 50000) i; ANALYZE orders;
		ALTER DATABASE "`+database(t, dsn)+`" SET enable_hashagg = off; ALTER DATABASE "`+database(t, dsn)+
		`" SET work_mem = '64kB'`)
	s := newSession(t, dsn, "")
	at := softdelete.Time{Column: "deleted_at", Type: softdelete.Timestamptz}
	c := count{table: &table{Table: softdelete.Table{Schema: "public", Name: "orders", Markers: softdelete.Markers{
		{Kind: softdelete.Timestamp, Column: "deleted_at", Time: &at}}}, began: time.Now()}}
	lines, err := postgres.Query[struct {
		Line string `db:"QUERY PLAN"`
	}](t.Context(), s, "EXPLAIN "+c.on(partition{Schema: "public", Name: "orders"}).Classes(1<<30))
	if err != nil {
		t.Fatal(err)
	}
	plan := fmt.Sprint(lines)
	if _, rows, _ := strings.Cut(plan, "HashAggregate"); !strings.Contains(rows, "Seq Scan on orders") ||
		strings.Contains(rows, "Sort") {
		t.Errorf("the plan is %s", plan)
	}
}
