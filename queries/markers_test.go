package queries

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/softdelete-exporter/softdelete_exporter/internal/pgserver/pgtest"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

// which returns the ids of the rows of table t for which a predicate is true, in a session whose time zone must not
// matter.
func which(t *testing.T, dsn, predicate string) string {
	t.Helper()
	return pgtest.Value[string](t, dsn, `SELECT COALESCE(string_agg(id::text, ' ' ORDER BY id), '') FROM t WHERE `+
		predicate)
}

// Whatever value is in its column, a row is either live or deleted, as the table of kinds says.
func TestEveryRowIsEitherLiveOrDeleted(t *testing.T) {
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	for _, test := range []struct {
		name   string
		typ    string
		values string // of rows 1, 2, 3 …
		marker softdelete.Marker
		want   string // the deleted rows
	}{
		{"timestamp", "timestamptz", `NULL, '2024-01-01', 'infinity', '-infinity'`,
			softdelete.Marker{Kind: softdelete.Timestamp}, "2 3 4"},
		{"sentinel", "timestamptz NOT NULL", `'1970-01-01 00:00:00+00', '2024-01-01', 'infinity'`,
			softdelete.Marker{Kind: softdelete.Sentinel, Live: []string{"1970-01-01 00:00:00+00"}}, "2 3"},
		{"infinite sentinel", "date NOT NULL", `'infinity', '2024-01-01', '-infinity'`,
			softdelete.Marker{Kind: softdelete.Sentinel, Live: []string{"infinity"}}, "2 3"},
		{"epoch", "bigint", `NULL, 0, 1700000000, -1`, softdelete.Marker{Kind: softdelete.Epoch}, "3 4"},
		{"numeric epoch", "numeric", `NULL, 0.0, 1700000000.5`, softdelete.Marker{Kind: softdelete.Epoch}, "3"},
		{"flag", "boolean", `NULL, false, true`, softdelete.Marker{Kind: softdelete.Flag}, "3"},
		{"inverted flag", "boolean", `NULL, false, true`, softdelete.Marker{Kind: softdelete.InvertedFlag}, "1 2"},
		{"number", "smallint", `NULL, 0, 1, 2, -1, 4711`, softdelete.Marker{Kind: softdelete.Number}, "3 4 5 6"},
		{"number, listed", "int", `NULL, 0, 1, 2`, softdelete.Marker{Kind: softdelete.Number, Deleted: []string{"2"}}, "4"},
		{"number, live listed", "int", `NULL, 0, 1, 2`, softdelete.Marker{Kind: softdelete.Number, Live: []string{"0", "1"}},
			"4"},
		{"letter", "char(1)", `NULL, '', 'N', '0', 'F', 'Y', '1', '2', 'T', 'D'`, softdelete.Marker{Kind: softdelete.Letter},
			"6 7 8 9 10"},
		{"letters", "text", `NULL, 'false', 'true', 'TRUE', 'whatever', 'y'`,
			softdelete.Marker{Kind: softdelete.Letter}, "3 4 6"},
		{"status", "text", `NULL, 'new', 'deleted', 'it''s \gone'`,
			softdelete.Marker{Kind: softdelete.Status, Deleted: []string{"deleted", `it's \gone`}}, "3 4"},
		{"status, live listed", "text", `NULL, 'new', 'deleted'`,
			softdelete.Marker{Kind: softdelete.Status, Live: []string{"new"}}, "3"},
		{"pair by flag", "boolean", `NULL, false, true`, softdelete.Marker{Kind: softdelete.Pair}, "3"},
		{"pair by number", "int", `NULL, 0, 7`, softdelete.Marker{Kind: softdelete.Pair, Flag: softdelete.Number}, "3"},
		{"pair by inverted flag", "boolean", `NULL, false, true`,
			softdelete.Marker{Kind: softdelete.Pair, Flag: softdelete.InvertedFlag}, "1 2"},
	} {
		t.Run(test.name, func(t *testing.T) {
			pgtest.Exec(t, dsn,
				fmt.Sprintf(`DROP TABLE IF EXISTS t; CREATE TABLE t (id serial, "odd ""column" %s);
					INSERT INTO t ("odd ""column") SELECT unnest(ARRAY[%s]::%s[])`,
					test.typ, test.values, strings.TrimSuffix(test.typ, " NOT NULL")))
			test.marker.Column = `odd "column`
			ms := softdelete.Markers{test.marker}
			if diff := cmp.Diff(test.want, which(t, dsn, clock{}.deleted(ms))); diff != "" {
				t.Errorf("deleted (-want +got):\n%s", diff)
			}
			both := fmt.Sprintf("((%s) IS TRUE) = ((%s) IS TRUE)", clock{}.live(ms), clock{}.deleted(ms))
			if got := which(t, dsn, both); got != "" {
				t.Errorf("rows %s are both or neither", got)
			}
		})
	}
}

// Every type of time column can be compared with instants and read as a time. Values that only stand for a time are
// left out.
func TestTimesOfEveryTypeHaveAges(t *testing.T) {
	const zone = "Asia/Tokyo"
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	pgtest.Exec(t, dsn, fmt.Sprintf(`ALTER DATABASE %q SET timezone = 'America/Los_Angeles'`,
		pgtest.Value[string](t, dsn, "SELECT current_database()")))
	// Rows: not deleted, long ago, an hour ago, in an hour, and values that are not times.
	const local = `NULL, (now() - interval '1 year') AT TIME ZONE 'Asia/Tokyo',
			(now() - interval '1 hour') AT TIME ZONE 'Asia/Tokyo',
			(now() + interval '2 days') AT TIME ZONE 'Asia/Tokyo',
			'infinity', '-infinity', '0001-01-01', '1970-01-01', '1900-01-01'`
	epoch := func(perSecond string) string {
		return `0, (extract(epoch FROM now() - interval '1 year') * ` + perSecond +
			`)::int8, (extract(epoch FROM now() - interval '1 hour') * ` + perSecond + `)::int8,
			(extract(epoch FROM now() + interval '2 days') * ` + perSecond + `)::int8, -1`
	}
	for _, test := range []struct {
		name, typ, values string
		time              softdelete.Time
	}{
		{"timestamptz", "timestamptz", strings.ReplaceAll(local, " AT TIME ZONE 'Asia/Tokyo'", ""),
			softdelete.Time{Type: softdelete.Timestamptz}},
		{"timestamp", "timestamp", local, softdelete.Time{Type: softdelete.LocalTimestamp}},
		{"date", "date", local, softdelete.Time{Type: softdelete.Date}},
		{"seconds", "int", epoch("1"), softdelete.Time{Type: softdelete.EpochTime, Unit: softdelete.Seconds}},
		{"milliseconds", "bigint", epoch("1e3"), softdelete.Time{Type: softdelete.EpochTime, Unit: softdelete.Milliseconds}},
		{"microseconds", "numeric", epoch("1e6"),
			softdelete.Time{Type: softdelete.EpochTime, Unit: softdelete.Microseconds}},
		{"nanoseconds", "bigint", epoch("1e9"), softdelete.Time{Type: softdelete.EpochTime, Unit: softdelete.Nanoseconds}},
	} {
		t.Run(test.name, func(t *testing.T) {
			pgtest.Exec(t, dsn,
				fmt.Sprintf(`DROP TABLE IF EXISTS t; CREATE TABLE t (id serial, at %s);
					INSERT INTO t (at) SELECT unnest(ARRAY[%s]::%[1]s[]);
				CREATE INDEX ON t (at); INSERT INTO t (at) SELECT NULL FROM generate_series(1, 10000); ANALYZE t`, test.typ,
					test.values))
			test.time.Column = "at"
			m := softdelete.Marker{Kind: softdelete.Timestamp, Column: "at", Time: &test.time}
			if test.time.Type == softdelete.EpochTime {
				m.Kind = softdelete.Epoch
			}
			ms := softdelete.Markers{m}
			at, once := clock{zone: zone}, clock{zone: zone, once: true}
			for question, want := range map[string]string{
				at.deletedBefore(ms, 90*24*time.Hour):   "2",
				once.deletedBefore(ms, 90*24*time.Hour): "2",
				at.deletedInFuture(ms):                  "4",
				once.deletedInFuture(ms):                "4",
				fmt.Sprintf(`abs(%s - extract(epoch FROM now() - interval '1 year')) < %d`, secondsOf(&test.time, zone),
					600+day(test.time)): "2",
			} {
				if got := which(t, dsn, question); got != want {
					t.Errorf("%s is true for rows %q, want %q", question, got, want)
				}
			}
			plan := pgtest.Value[string](t, dsn,
				`EXPLAIN (FORMAT JSON) SELECT FROM t WHERE `+at.deletedBefore(ms, 90*24*time.Hour))
			if !strings.Contains(plan, `"Index Cond"`) {
				t.Errorf("the index on the column is not used:\n%s", plan)
			}
		})
	}
}

// day is how much less precise a date is.
func day(t softdelete.Time) int {
	if t.Type == softdelete.Date {
		return 24 * 60 * 60
	}
	return 0
}

// A pair finds its own contradictions.
func TestAPairIsHeldAgainstItself(t *testing.T) {
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	pgtest.Exec(t, dsn, `CREATE TABLE t (id serial, gone boolean, at timestamptz NOT NULL DEFAULT '2000-01-01',
		number int, epoch bigint, note text)`)
	pgtest.Exec(t, dsn, `INSERT INTO t (gone, at, number, epoch, note) VALUES
		(false, DEFAULT, 0, 0, 'live'), (true, '2024-01-01', 1, 1700000000, 'deleted'),
		(true, DEFAULT, 1, NULL, 'deleted without a time'), (false, '2024-01-01', 0, 1700000000, 'a time on a live row'),
		(NULL, DEFAULT, NULL, 0, 'a flag that is NULL'), (true, '0001-01-01', 2, 0, 'deleted without a time'),
		(true, 'infinity', -1, 0, 'deleted at no time')`)
	for _, m := range []softdelete.Marker{
		{Kind: softdelete.Pair, Column: "gone",
			Time: &softdelete.Time{Column: "at", Type: softdelete.Timestamptz, Live: []string{"2000-01-01"}}},
		{Kind: softdelete.Pair, Flag: softdelete.Number, Column: "number",
			Time: &softdelete.Time{Column: "epoch", Type: softdelete.EpochTime, Unit: softdelete.Seconds}},
		{Kind: softdelete.Pair, Flag: softdelete.Number, Column: "number",
			Time: &softdelete.Time{Column: "epoch", Type: softdelete.EpochTime}},
	} {
		if got := which(t, dsn, clock{zone: "UTC"}.inconsistent(m)); got != "3 4 5 6 7" {
			t.Errorf("%s and %s contradict each other in rows %s", m.Column, m.Time.Column, got)
		}
	}
}

// A row is deleted if any marker says so, and old only if one of those markers also says so.
func TestMarkersOfOneTableAreOred(t *testing.T) {
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	pgtest.Exec(t, dsn, `CREATE TABLE t (id serial, a boolean, b timestamptz);
		INSERT INTO t (a, b) VALUES (NULL, NULL), (true, NULL), (false, '2000-01-01'), (true, now())`)
	ms := softdelete.Markers{{Kind: softdelete.Flag, Column: "a"},
		{Kind: softdelete.Timestamp, Column: "b", Time: &softdelete.Time{Column: "b", Type: softdelete.Timestamptz}}}
	if got := which(t, dsn, clock{}.deleted(ms)) + "; " + which(t, dsn, clock{}.live(ms)); got != "2 3 4; 1" {
		t.Errorf("deleted; live: %s", got)
	}
}
