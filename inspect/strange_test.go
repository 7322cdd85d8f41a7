package inspect

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/softdelete-exporter/softdelete_exporter/internal/configtest"
	"github.com/softdelete-exporter/softdelete_exporter/internal/pgserver/pgtest"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// unclearTables are tables of which it is not certain which rows are deleted.
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

// A table that is unclear has no numbers. The line that its problem prints settles it, once the
// reader has filled in what only the reader knows: as it is printed it does not load.
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

// What makes a table unclear after it was counted takes its numbers away; when it is gone they
// come back.
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

// The zero time of Go's libraries is live, once it was seen, and the next refresh knows it.
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
