package inspect

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/softdelete-exporter/softdelete_exporter/internal/pgserver/pgtest"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// bigint writes a time some days ago as a number of units.
func bigint(perSecond int64, days int) string {
	return fmt.Sprintf("(extract(epoch FROM now() - interval '%d days') * %d)::int8", days, perSecond)
}

// Every count confirms a guessed unit. If a value contradicts it, the table loses its numbers until the value is
// gone.
func TestEveryCountConfirmsAGuessedUnit(t *testing.T) {
	t.Parallel()
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	pgtest.Exec(t, dsn, fmt.Sprintf(`
		CREATE TABLE t (deleted_at bigint, id int); INSERT INTO t VALUES (%s), (NULL), (0);
		CREATE TABLE paired (is_deleted boolean, deleted_at bigint); INSERT INTO paired VALUES (true, %[1]s), (false, 0);
		CREATE TABLE named (deleted_unix bigint); INSERT INTO named VALUES (%[1]s), (0);
		CREATE TABLE parted (id int, deleted_at bigint) PARTITION BY LIST (id);
		CREATE TABLE part_1 PARTITION OF parted FOR VALUES IN (1); CREATE TABLE part_2 PARTITION OF parted FOR VALUES IN (2);
		INSERT INTO parted VALUES (1, %[1]s), (2, NULL);
		CREATE TABLE given (deleted_at bigint); INSERT INTO given VALUES (%[1]s), (0);
		CREATE TABLE placeholder (is_deleted boolean, deleted_at bigint);
		INSERT INTO placeholder VALUES (true, %[1]s), (true, -1)`, bigint(1, 400)))
	i := inspector(t, dsn, countAlways+"\ntables: [{table: given, column: deleted_at, unit: s}]")
	s := first(t, i)
	want := map[string]string{"public.t": "3 1 1", "public.paired": "2 1 1", "public.named": "2 1 1",
		"public.parted": "2 1 1", "public.given": "2 1 1", "public.placeholder": "2 2 1"}
	if diff := cmp.Diff(want, told(s)); diff != "" {
		t.Fatalf("before (-want +got):\n%s", diff)
	}
	for _, name := range []string{"t", "paired", "named", "parted", "given"} {
		pgtest.Exec(t, dsn, fmt.Sprintf(`INSERT INTO %s SELECT (r).* FROM (SELECT
			jsonb_populate_record(NULL::%[1]s, jsonb_build_object('is_deleted', true, 'id', 2, 'deleted_at', %[2]s,
				'deleted_unix', %[2]s)) AS r) AS rows`, name, bigint(1000, 3)))
	}
	s = refreshAfter(t, i, s, nil)
	for name := range want {
		want[name] = "marker_unclear"
	}
	want["public.given"], want["public.placeholder"] = "3 2 1", "2 2 1"
	if diff := cmp.Diff(want, told(s)); diff != "" {
		t.Errorf("milliseconds among seconds (-want +got):\n%s", diff)
	}
	if p := tableNamed(t, s, "t").Problem; p != nil && !strings.Contains(p.Remedy, "unit: "+softdelete.FillIn) {
		t.Errorf("the remedy is %s", p.Remedy)
	}
	pgtest.Exec(t, dsn, "DELETE FROM t WHERE deleted_at > 1e11")
	if got := told(refreshAfter(t, i, s, nil))["public.t"]; got != "3 1 1" {
		t.Errorf("when they are gone: %s", got)
	}
}

// There are no numbers either if units are mixed from the beginning.
func TestMixedUnitsAreUnclear(t *testing.T) {
	t.Parallel()
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	pgtest.Exec(t, dsn, fmt.Sprintf(`
		CREATE TABLE mixed (deleted_at bigint); INSERT INTO mixed VALUES (0), (%s), (%s); ANALYZE mixed;
		CREATE TABLE ids (deleted_at bigint); INSERT INTO ids VALUES (0), (4711), (4712); ANALYZE ids;
		CREATE TABLE states (is_deleted int); INSERT INTO states VALUES (0), (1), (2), (-1); ANALYZE states`,
		bigint(1, 9), bigint(1000, 9)))
	want := map[string]string{"public.mixed": "marker_unclear", "public.ids": "3 2 -", "public.states": "4 3 -"}
	if diff := cmp.Diff(want, told(first(t, inspector(t, dsn, "")))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// If the role may read the key, a marker that contains the row's own key is a number, even if the keys look like
// times.
func TestTheRowsOwnKeyIsNoTime(t *testing.T) {
	t.Parallel()
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	const start = 1_600_000_000
	pgtest.Exec(t, dsn, fmt.Sprintf(`
		CREATE TABLE keyed (id bigint GENERATED ALWAYS AS IDENTITY (START %d) PRIMARY KEY, is_deleted bigint DEFAULT 0);
		INSERT INTO keyed (is_deleted) SELECT 0 FROM generate_series(1, 20);
		UPDATE keyed SET is_deleted = id WHERE id %% 5 = 0;
		CREATE TABLE called_time (id int PRIMARY KEY, deleted_at bigint);
		INSERT INTO called_time SELECT %[1]d + i, CASE WHEN i < 4 THEN %[1]d + i END FROM generate_series(1, 9) i;
		CREATE TABLE live_too (id int PRIMARY KEY, deleted_at bigint DEFAULT -1);
		INSERT INTO live_too SELECT %[1]d + i, CASE WHEN i < 4 THEN %[1]d + i ELSE -1 END FROM generate_series(1, 9) i;
		CREATE TABLE a_time (id int PRIMARY KEY, deleted_at bigint);
		INSERT INTO a_time SELECT %[1]d + i, CASE WHEN i < 4 THEN %[1]d + 2 * i END FROM generate_series(1, 9) i`, start))
	i := inspector(t, dsn, countAlways)
	s := first(t, i)
	want := map[string]string{"keyed": "number: is_deleted | 20 4 -", "called_time": "number: deleted_at | 9 3 -",
		"live_too": "epoch: deleted_at s | marker_unclear", "a_time": "epoch: deleted_at s | 9 3 3"}
	if diff := cmp.Diff(want, read(s)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(want, read(refreshAfter(t, i, s, nil))); diff != "" {
		t.Errorf("at the next refresh (-want +got):\n%s", diff)
	}

	name, its := role(t, dsn)
	pgtest.Exec(t, dsn, asRole(`GRANT SELECT (is_deleted, ctid, tableoid) ON keyed TO watcher`, name))
	s = first(t, inspector(t, its, "discovery: {include: [public.keyed]}"))
	if got := read(s)["keyed"]; got != "epoch: is_deleted s | 20 4 4" {
		t.Errorf("a role that may not read the key is told %q", got)
	}
}

// If a configured unit does not fit the values, check-config and the table report an error.
func TestAConfiguredUnitThatDoesNotFitIsAnError(t *testing.T) {
	t.Parallel()
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	pgtest.Exec(t, dsn, fmt.Sprintf(`
		CREATE TABLE millis (deleted_at bigint); INSERT INTO millis VALUES (0), (%s);
		CREATE TABLE seconds (deleted_at bigint); INSERT INTO seconds VALUES (0), (%s);
		CREATE TABLE paired (gone boolean, at bigint); INSERT INTO paired VALUES (true, %[1]s);
		CREATE TABLE named (deleted_unix bigint); INSERT INTO named VALUES (%[1]s);
		CREATE TABLE fits (deleted_at bigint); INSERT INTO fits VALUES (%[1]s);
		CREATE TABLE unknown (deleted_at bigint)`, bigint(1000, 9), bigint(1, 9)))
	i := inspector(t, dsn, `
tables:
  - {table: millis, column: deleted_at, unit: s}
  - {table: seconds, column: deleted_at, unit: ms}
  - {table: paired, column: gone, time_column: at, unit: s}
  - {table: named, column: deleted_unix, unit: s}
  - {table: fits, column: deleted_at, unit: ms}
  - {table: unknown, column: deleted_at, unit: s}`)
	want := map[string]string{"public.millis": "unsupported", "public.seconds": "unsupported",
		"public.paired": "unsupported", "public.named": "unsupported", "public.fits": "1 1 0", "public.unknown": "0 0 0"}
	if diff := cmp.Diff(want, told(first(t, i))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	err := i.Check(t.Context())
	for _, part := range []string{"public.millis: ", "public.seconds: ", "public.paired: ",
		"about the year 5", "year 1970",
		"they are times in ms"} {
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("check-config does not say %q: %v", part, err)
		}
	}
}
