package inspect

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/softdelete-exporter/softdelete_exporter/internal/configtest"
	"github.com/softdelete-exporter/softdelete_exporter/internal/pgserver/pgtest"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// unclearTables are tables for which it is not certain which rows are deleted.
const unclearTables = `
	CREATE TABLE flag (is_deleted boolean DEFAULT true); INSERT INTO flag VALUES (DEFAULT), (false);
	CREATE TABLE inverted (alive boolean DEFAULT false); INSERT INTO inverted VALUES (DEFAULT), (true);
	CREATE TABLE number (is_deleted int DEFAULT 1); INSERT INTO number VALUES (DEFAULT), (2);
	CREATE TABLE letter (del_flag char(1) DEFAULT 'Y'); INSERT INTO letter VALUES (DEFAULT), ('N');
	CREATE TABLE word (is_deleted varchar(9)); INSERT INTO word VALUES ('open'), ('removed');
	CREATE TABLE pair (is_deleted text, deleted_at timestamptz); INSERT INTO pair VALUES ('gone', now()), ('here', NULL);
	CREATE TABLE now (deleted_at timestamptz DEFAULT now()); INSERT INTO now VALUES (DEFAULT), (NULL);
	CREATE TABLE early (deleted_at timestamptz); INSERT INTO early VALUES ('1900-01-01'), (now());
	CREATE TABLE days (deleted_on date DEFAULT '1999-01-01'); INSERT INTO days VALUES (DEFAULT), ('1950-01-01'), (now());
	CREATE TABLE state (status text DEFAULT 'deleted'); INSERT INTO state VALUES (DEFAULT), ('active');`

// An unclear table has no numbers. The setting in its problem makes it certain, once the reader has filled in the
// placeholder: unchanged it does not load.
func TestTheLineThatSettlesAnUnclearMarkerSettlesIt(t *testing.T) {
	t.Parallel()
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	pgtest.Exec(t, dsn, unclearTables)
	const rules = "discovery: {rules: {inverted_flags: {alive: on}, statuses: {status: on}}}\n"
	known := map[string]string{"flag": "flag", "inverted": "flag", "number": "2", "letter": "N", "word": "removed",
		"pair": "gone", "now": "timestamp", "state": "deleted"}
	s := first(t, inspector(t, dsn, rules))
	if n := len(s.Databases[0].Tables); n != 10 {
		t.Errorf("%d tables are watched: %v", n, told(s))
	}
	for _, table := range s.Databases[0].Tables {
		if p := table.Problem; p == nil || p.Reason != softdelete.MarkerUnclear || table.Numbers != nil {
			t.Errorf("%s: %v with the problem %+v", table.Name, table.Numbers, p)
			continue
		}
		remedy := table.Problem.Remedy
		if right, known := known[table.Name]; known {
			if _, err := configtest.Loader(t, rules+remedy)(); err == nil {
				t.Errorf("%s: %s guesses what it cannot know", table.Name, remedy)
			}
			remedy = strings.Replace(remedy, softdelete.FillIn, right, 1)
		}
		after := tableNamed(t, first(t, inspector(t, dsn, rules+remedy)), table.Name)
		if after.Problem != nil || after.Numbers == nil {
			t.Errorf("%s is not settled by %s: %+v", table.Name, remedy, after.Problem)
		}
	}
}

// If a counted table becomes unclear, its numbers disappear. They return when the cause is gone.
func TestNumbersGoWhenTheirMeaningDoes(t *testing.T) {
	t.Parallel()
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	pgtest.Exec(t, dsn, `CREATE TABLE t (is_deleted text); INSERT INTO t VALUES ('Y'), ('N')`)
	i := inspector(t, dsn, countAlways)
	s := first(t, i)
	pgtest.Exec(t, dsn, `INSERT INTO t VALUES ('maybe')`)
	after := refreshAfter(t, i, s, nil)
	pgtest.Exec(t, dsn, `DELETE FROM t WHERE is_deleted = 'maybe'`)
	again := refreshAfter(t, i, after, nil)
	got := []string{told(s)["public.t"], told(after)["public.t"], told(again)["public.t"]}
	if diff := cmp.Diff([]string{"2 1 -", "marker_unclear", "2 1 -"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if p := tableNamed(t, after, "t").Problem; p != nil && !strings.Contains(p.Message, `"maybe"`) {
		t.Errorf("the value is not named: %s", p.Message)
	}
}

// The zero time of Go's libraries is live once it was seen, and the next refresh remembers it.
func TestTheZeroTimeOfGoIsLive(t *testing.T) {
	t.Parallel()
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	pgtest.Exec(t, dsn, `CREATE TABLE t (deleted_at timestamptz);
		INSERT INTO t VALUES ('0001-01-01 00:00:00Z'), (NULL), (now() - interval '1 year');
		CREATE TABLE parted (id int, deleted_at timestamp) PARTITION BY LIST (id);
		CREATE TABLE part_1 PARTITION OF parted FOR VALUES IN (1); CREATE TABLE part_2 PARTITION OF parted FOR VALUES IN (2);
		INSERT INTO parted VALUES (1, NULL), (2, '0001-01-01'), (2, now())`)
	i := inspector(t, dsn, "")
	s := first(t, i)
	want := map[string]string{"t": "sentinel: deleted_at | 3 1 1", "parted": "sentinel: deleted_at | 3 1 0"}
	if diff := cmp.Diff(want, read(s)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	next := refreshAfter(t, i, s, func(published *softdelete.Snapshot) {
		if diff := cmp.Diff(want, read(published)); diff != "" {
			t.Errorf("during the next refresh (-want +got):\n%s", diff)
		}
	})
	if a, b := tableNamed(t, s, "t"), tableNamed(t, next, "t"); !a.SameSubject(&b) {
		t.Errorf("the marker was %+v and is %+v", a.Markers, b.Markers)
	}
}

// The letters of a column belong to one alphabet, in either case. A blank belongs to none if new rows get another
// value.
func TestTheLettersOfATableAreOfOneAlphabet(t *testing.T) {
	t.Parallel()
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	want := map[string]string{}
	for name, test := range map[string]struct{ typ, values, want string }{
		"on":       {"text", "('on'), ('off'), ('off'), (NULL)", "4 1 -"},
		"capital":  {"varchar(3)", "('On'), ('off'), ('OFF')", "3 1 -"},
		"mixed":    {"text", "('Y'), ('1'), ('0')", "marker_unclear"},
		"one":      {"char(1)", "('0'), ('1'), ('2')", "marker_unclear"},
		"words":    {"text", "('true'), ('T'), ('F')", "marker_unclear"},
		"blank":    {"char(1)", "('Y'), ('N'), (''), (NULL)", "4 1 -"},
		"spanish":  {"char(1)", "('S'), ('N')", "2 1 -"},
		"both":     {"char(1)", "('S'), ('Y'), ('N')", "marker_unclear"},
		"byte":     {`"char"`, "('Y'), ('N')", "2 1 -"},
		"o":        {`"char"`, "('o'), ('N')", "marker_unclear"},
		"large":    {"text", "('Y'), ('1')", "marker_unclear"},
		"analyzed": {"text", "('Y'), ('1'), ('Y'), ('1')", "marker_unclear"},
	} {
		pgtest.Exec(t, dsn, fmt.Sprintf(`CREATE TABLE %q (is_deleted %s); INSERT INTO %[1]q VALUES %[3]s;
			ANALYZE %[1]q`, name, test.typ, test.values))
		want["public."+name] = test.want
	}
	for name, test := range map[string]struct{ values, want string }{
		"alive_yes": {"('Y'), ('N'), (NULL)", "3 1 -"}, "alive_x": {"('X'), ('')", "marker_unclear"},
		"alive_blank": {"('Y'), ('')", "marker_unclear"},
	} {
		pgtest.Exec(t, dsn, fmt.Sprintf(`CREATE TABLE %s (alive text); INSERT INTO %[1]s VALUES %s`, name, test.values))
		want["public."+name] = test.want
	}
	pgtest.Exec(t, dsn, `INSERT INTO large SELECT 'Y' FROM generate_series(1, 9000)`)
	s := first(t, inspector(t, dsn, `
discovery: {rules: {inverted_flags: {alive: on}}}
tables: [{table: large, method: sampled}, {table: analyzed, method: statistics}]
counting: {blocks: 100, exact_max_bytes: 1kB}`))
	if diff := cmp.Diff(want, told(s)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if p := tableNamed(t, s, "mixed").Problem; p == nil || !strings.Contains(p.Message, `"1" and "Y"`) &&
		!strings.Contains(p.Message, `"Y" and "0" and "1"`) || !strings.Contains(p.Remedy, softdelete.FillIn) {
		t.Errorf("the problem is %+v", p)
	}
}

// A configured value that no row has is reported, once every row was read.
func TestAConfiguredValueThatNoRowHasIsTold(t *testing.T) {
	t.Parallel()
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	pgtest.Exec(t, dsn, `CREATE TYPE stage AS ENUM ('new', 'gone', 'lost');
		CREATE TABLE invoices (status text); INSERT INTO invoices VALUES ('open'), ('removed');
		CREATE TABLE right_ones (status char(9)); INSERT INTO right_ones VALUES ('open'), ('removed');
		CREATE TABLE labels (stage stage); INSERT INTO labels VALUES ('new'), ('gone');
		CREATE TABLE numbers (state int, at timestamptz); INSERT INTO numbers VALUES (1, now()), (7, NULL);
		CREATE TABLE nothing (status text);
		CREATE TABLE parted (id int, status text) PARTITION BY LIST (id);
		CREATE TABLE part_1 PARTITION OF parted FOR VALUES IN (1); CREATE TABLE part_2 PARTITION OF parted FOR VALUES IN (2);
		INSERT INTO parted VALUES (1, 'gone'), (2, 'lost')`)
	i := inspector(t, dsn, `
tables:
  - {table: invoices, column: status, deleted_values: [remvoed]}
  - {table: right_ones, column: status, deleted_values: [removed]}
  - {table: labels, column: stage, deleted_values: [gone, lost]}
  - {table: numbers, column: state, live_values: [1, 2], time_column: at}
  - {table: nothing, column: status, deleted_values: [removed]}
  - {table: parted, column: status, deleted_values: [gone, lost, away]}`)
	want := map[string][]string{"invoices": {"remvoed"}, "labels": {"lost"}, "numbers": {"2"}, "parted": {"away"}}
	got := map[string][]string{}
	for _, table := range first(t, i).Databases[0].Tables {
		if table.Problem != nil {
			t.Errorf("%s: %+v", table.Name, table.Problem)
		} else if len(table.Numbers.Unseen) > 0 {
			got[table.Name] = table.Numbers.Unseen
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("counted (-want +got):\n%s", diff)
	}
	explained, err := i.Explain(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	got = map[string][]string{}
	for _, e := range explained.Tables {
		if len(e.Unseen) > 0 {
			got[e.Table] = e.Unseen
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("explained (-want +got):\n%s", diff)
	}
}

// A round instant that many rows share is a former default of live rows. Rows that one statement deleted share an
// instant that is not round.
func TestARoundInstantThatManyRowsShareIsUnclear(t *testing.T) {
	t.Parallel()
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	rows := func(name, columns string, values ...string) string {
		sql := fmt.Sprintf("CREATE TABLE %s (deleted_at %s);", name, columns)
		for _, v := range values {
			sql += fmt.Sprintf("INSERT INTO %s SELECT %s FROM generate_series(1, 30) i;", name, v)
		}
		return sql
	}
	old := "now() - i * interval '11 hours'"
	pgtest.Exec(t, dsn, "SET timezone = 'UTC';"+
		rows("changed", "timestamptz DEFAULT '1970-01-01'", "'1970-01-01'", "'2000-01-01'", old)+
		rows("dropped", "timestamp", "NULL", "'2000-01-01'", old)+
		rows("endless", "timestamptz", "NULL", "'infinity'", old)+
		rows("tokyo", "timestamptz", "NULL", "'1999-12-31 15:00'", old)+
		rows("days", "timestamptz", "NULL", "date_trunc('day', now()) - i * interval '1 day'", old)+
		rows("bulk", "timestamptz", "NULL", "now() - interval '1 year 3 hours'", old)+
		rows("few", "timestamptz", "NULL", "NULL", "NULL", "CASE WHEN i < 6 THEN '2000-01-01'::timestamptz END", old)+
		rows("one", "timestamptz", "CASE WHEN i = 1 THEN '2020-01-01'::timestamptz END")+
		rows("date_only", "date", "NULL", "'2000-01-01'")+
		rows("given", "timestamptz", "NULL", "'2000-01-01'", old)+
		rows("given_live", "timestamptz", "NULL", "'2000-01-01'", old)+
		rows("sampled", "timestamptz", "NULL", "'2000-01-01'", old)+
		rows("analyzed", "timestamptz", "NULL", "'2000-01-01'", old)+
		`INSERT INTO sampled SELECT NULL FROM generate_series(1, 9000); INSERT INTO sampled SELECT '2000-01-01'
			FROM generate_series(1, 3000); ANALYZE sampled; ANALYZE analyzed;
		CREATE TABLE parted (id int, deleted_at timestamptz) PARTITION BY LIST (id);
		CREATE TABLE part_1 PARTITION OF parted FOR VALUES IN (1); CREATE TABLE part_2 PARTITION OF parted FOR VALUES IN (2);
		INSERT INTO parted SELECT 1 + i % 2, CASE WHEN i % 5 = 0 THEN '2000-01-01'::timestamptz END
			FROM generate_series(1, 100) i`)
	s := first(t, inspector(t, dsn, `
counting: {blocks: 100, exact_max_bytes: 1kB}
tables:
  - {table: tokyo, time_zone: Asia/Tokyo}
  - {table: analyzed, method: statistics}
  - {table: sampled, method: sampled}
  - {table: given, column: deleted_at, kind: timestamp}
  - {table: given_live, column: deleted_at, live_values: [2000-01-01]}`))
	const unclear = "marker_unclear"
	want := map[string]string{"changed": unclear, "dropped": unclear, "endless": unclear, "tokyo": unclear,
		"days": "90 60 16", "bulk": "90 60 30", "few": "150 35 5", "one": "30 1 1", "date_only": "60 30 30",
		"given":      "90 60 30",
		"given_live": "90 30 0", "sampled": unclear, "analyzed": unclear, "parted": unclear}
	got := map[string]string{}
	for name, text := range told(s) {
		got[strings.TrimPrefix(name, "public.")] = text
	}
	delete(got, "days") // how many are old depends on the hour
	delete(want, "days")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if n := tableNamed(t, s, "days").Numbers; n == nil || n.Deleted.Value != 60 {
		t.Errorf("midnights of many days: %+v", tableNamed(t, s, "days").Problem)
	}
	p := tableNamed(t, s, "changed").Problem
	if p == nil || !strings.Contains(p.Message, "2000-01-01 00:00:00+00 in 30 rows") ||
		!strings.Contains(p.Remedy, `live_values: ["1970-01-01 00:00:00+00", "<fill in>"]`) {
		t.Errorf("%+v", p)
	}
}
