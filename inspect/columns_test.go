package inspect

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/softdelete-exporter/softdelete_exporter/internal/pgserver/pgtest"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// asked returns how many queries a refresh sends.
func asked(t *testing.T, i *Inspector, previous *softdelete.Snapshot) (int64, *softdelete.Snapshot) {
	t.Helper()
	before := spent(i).Queries
	s := refreshAfter(t, i, previous, nil)
	return spent(i).Queries - before, s
}

// read returns how each table of a Snapshot is read.
func read(s *softdelete.Snapshot) map[string]string {
	all := map[string]string{}
	for _, d := range s.Databases {
		for _, t := range d.Tables {
			all[t.Name] = reading(t)
		}
	}
	return all
}

func TestADefaultIsReadOnceAndAgainWhenItChanges(t *testing.T) {
	t.Parallel()
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	pgtest.Exec(t, dsn, `CREATE TABLE t (deleted_at timestamptz NOT NULL DEFAULT 'infinity');
		INSERT INTO t VALUES (DEFAULT), (DEFAULT), (now());
		CREATE TABLE log (deleted_at timestamptz NOT NULL DEFAULT now())`)
	// The way in which the database writes times must not matter.
	pgtest.Exec(t, dsn, `ALTER DATABASE "`+database(t, dsn)+`" SET datestyle = 'SQL, DMY'; ALTER DATABASE "`+
		database(t, dsn)+`" SET timezone = 'Asia/Tokyo'`)
	i := inspector(t, dsn, "")
	many, s := asked(t, i, empty(t, i))
	few, s := asked(t, i, s)
	if many != few+1 { // one more, for a constant
		t.Errorf("the first refresh sent %d queries, the second %d, want 1 less", many, few)
	}
	if diff := cmp.Diff(map[string]string{"t": "sentinel: deleted_at | 3 1 0"}, read(s)); diff != "" {
		t.Error(diff)
	}
	pgtest.Exec(t, dsn, `ALTER TABLE t ALTER deleted_at SET DEFAULT '9999-12-31';
		ALTER TABLE log ALTER deleted_at SET DEFAULT '1970-01-01 00:00:00+00'`)
	_, s = asked(t, i, s)
	if diff := cmp.Diff(map[string]string{"t": "sentinel: deleted_at | marker_unclear",
		"log": "sentinel: deleted_at | 0 0 0"}, read(s)); diff != "" {
		t.Error(diff)
	}
	pgtest.Exec(t, dsn, `ALTER TABLE t ALTER deleted_at DROP DEFAULT`)
	if _, s = asked(t, i, s); len(read(s)) != 1 {
		t.Errorf("without a default: %v", read(s))
	}
	if got := tableNamed(t, s, "log").Markers[0].Live[0]; got != "1970-01-01 00:00:00+00" {
		t.Errorf("live rows hold %s", got)
	}
}

// The values of new rows are read without a lock on their table.
func TestTheDefaultOfALockedTableIsKnown(t *testing.T) {
	t.Parallel()
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	pgtest.Exec(t, dsn, `
		CREATE TABLE t (deleted_at timestamptz NOT NULL DEFAULT 'infinity'); INSERT INTO t VALUES (DEFAULT), (now());
		CREATE TABLE log (deleted_at timestamptz NOT NULL DEFAULT now()); INSERT INTO log VALUES (DEFAULT)`)
	i := inspector(t, dsn, "")
	m := newMigration(t, dsn)
	m.do(`BEGIN; LOCK TABLE t, log IN ACCESS EXCLUSIVE MODE`)
	s := first(t, i)
	if diff := cmp.Diff(map[string]string{"t": "sentinel: deleted_at | locked"}, read(s)); diff != "" {
		t.Errorf("while locked (-want +got):\n%s", diff)
	}
	m.do(`COMMIT`)
	want := map[string]string{"t": "sentinel: deleted_at | 2 1 0"}
	if diff := cmp.Diff(want, read(refreshAfter(t, i, s, nil))); diff != "" {
		t.Errorf("when it is free again (-want +got):\n%s", diff)
	}
}

// If a default could not be evaluated, its table remains undecided and says so. The next refresh tries again.
func TestADefaultThatTakesTooLongLeavesATableUndecided(t *testing.T) {
	t.Parallel()
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	slow := "to_timestamp((0" + strings.Repeat(" * factorial(32000)", 20) + ")::float8)"
	pgtest.Exec(t, dsn, `CREATE TABLE t (deleted_at timestamptz NOT NULL DEFAULT `+slow+`);
		CREATE TABLE named (gone timestamptz DEFAULT `+slow+`)`)
	i := inspector(t, dsn, "limits: {statement_timeout: 500ms}\ntables: [{table: named, column: gone}]")
	s := discovered(t, i)
	for _, name := range []string{"t", "named"} {
		if p := tableNamed(t, s, name).Problem; p == nil || p.Reason != softdelete.Locked ||
			!strings.Contains(p.Message, "default") {
			t.Errorf("%s has the problem %+v", name, p)
		}
	}
	explained, err := i.Explain(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if why := explained.Tables[1].Decision.Decisions[0].Why; !strings.HasPrefix(why, "undecided: ") {
		t.Errorf("the decision is explained by %q", why)
	}
	pgtest.Exec(t, dsn, `ALTER TABLE t ALTER deleted_at SET DEFAULT 'infinity'; INSERT INTO t VALUES (DEFAULT), (now())`)
	pgtest.WaitFor(t, "the table to be counted", func() bool {
		s = refreshAfter(t, i, s, nil)
		return read(s)["t"] == "sentinel: deleted_at | 2 1 0"
	})
}

// countAlways makes every refresh count every table, so that only queries about columns change the number of queries.
const countAlways = "counting: {recount_after: 1ms}"

// The meaning of an integer is read from the statistics if possible, without reading its table, even if that is
// locked. Otherwise the table is queried when it is not locked.
func TestIntegersAreSettledByStatisticsThenByAProbe(t *testing.T) {
	t.Parallel()
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	pgtest.Exec(t, dsn, `
		CREATE TABLE analyzed (deleted_at bigint);
			INSERT INTO analyzed SELECT CASE WHEN i % 2 = 0 THEN 1700000000000 + i ELSE 0 END FROM generate_series(1, 1000) i;
		CREATE TABLE flags (deleted int); INSERT INTO flags SELECT i % 2 FROM generate_series(1, 1000) i;
		CREATE TABLE parted (id int, deleted_at bigint) PARTITION BY LIST (id);
		CREATE TABLE parted_1 PARTITION OF parted FOR VALUES IN (1);
			CREATE TABLE parted_2 PARTITION OF parted FOR VALUES IN (2);
		INSERT INTO parted VALUES (1, 0), (2, 1700000000);
		ANALYZE;
		CREATE TABLE fresh (deleted_at bigint) WITH (autovacuum_enabled = false);
			INSERT INTO fresh VALUES (0), (1700000000000000);
		CREATE TABLE fresh_parted (id int, deleted_at bigint) PARTITION BY LIST (id);
		CREATE TABLE fresh_1 PARTITION OF fresh_parted FOR VALUES IN (1) WITH (autovacuum_enabled = false);
		CREATE TABLE fresh_2 PARTITION OF fresh_parted FOR VALUES IN (2) WITH (autovacuum_enabled = false);
		INSERT INTO fresh_parted VALUES (1, 0), (2, 1700000000)`)
	i := inspector(t, dsn, countAlways)
	m := newMigration(t, dsn)
	m.do(`BEGIN; LOCK TABLE analyzed, flags, parted, fresh, fresh_parted IN ACCESS EXCLUSIVE MODE`)
	s := first(t, i)
	want := map[string]string{
		"analyzed": "epoch: deleted_at ms | locked", "flags": "number: deleted | locked",
		"parted": "epoch: deleted_at s | locked",
		"fresh":  "epoch: deleted_at | locked", "fresh_parted": "epoch: deleted_at | locked",
	}
	if diff := cmp.Diff(want, read(s)); diff != "" {
		t.Errorf("while locked (-want +got):\n%s", diff)
	}
	m.do(`COMMIT`)
	s = refreshAfter(t, i, s, nil)
	want = map[string]string{
		"analyzed": "epoch: deleted_at ms | 1000 500 500", "flags": "number: deleted | 1000 500 -",
		"parted": "epoch: deleted_at s | 2 1 1",
		"fresh":  "epoch: deleted_at us | 2 1 1", "fresh_parted": "epoch: deleted_at s | 2 1 1",
	}
	if diff := cmp.Diff(want, read(s)); diff != "" {
		t.Errorf("when they are free (-want +got):\n%s", diff)
	}
	// Once known, it is kept whatever happens to the rows, and no query is sent.
	pgtest.Exec(t, dsn, `TRUNCATE analyzed, flags, fresh, parted, fresh_parted;
		INSERT INTO fresh VALUES (1600000000000000); ANALYZE`)
	sent, s := asked(t, i, s)
	if got := read(s)["fresh"]; got != "epoch: deleted_at us | 1 1 1" {
		t.Errorf("after a purge: %s", got)
	}
	if again, _ := asked(t, i, s); again != sent {
		t.Errorf("%d queries, then %d", sent, again)
	}
}

// A search that finds no deleted row is not repeated in each refresh.
func TestAProbeThatFindsNothingIsNotRepeated(t *testing.T) {
	t.Parallel()
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	pgtest.Exec(t, dsn, `CREATE TABLE t (deleted_at bigint); INSERT INTO t VALUES (0)`)
	i := inspector(t, dsn, countAlways)
	first, s := asked(t, i, empty(t, i))
	second, s := asked(t, i, s)
	if first != second+1 {
		t.Errorf("%d queries, then %d, want 1 less", first, second)
	}
	// Statistics cost no read of the table, so they are queried each time.
	pgtest.Exec(t, dsn, `INSERT INTO t VALUES (1700000000); ANALYZE t`)
	_, s = asked(t, i, s)
	if got := read(s)["t"]; got != "epoch: deleted_at s | 2 1 1" {
		t.Errorf("after a deletion: %s", got)
	}
}
