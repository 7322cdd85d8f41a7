package inspect

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/softdelete-exporter/softdelete_exporter/demo/data"
	"github.com/softdelete-exporter/softdelete_exporter/indexes"
	"github.com/softdelete-exporter/softdelete_exporter/internal/pgserver"
	"github.com/softdelete-exporter/softdelete_exporter/internal/pgserver/pgtest"
	"github.com/softdelete-exporter/softdelete_exporter/predicate"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

func TestOnTheDemoTheAdviceIsWhatAnExpertWouldSay(t *testing.T) {
	t.Parallel()
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	if err := data.Load(t.Context(), dsn, 1); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, table := range first(t, inspector(t, dsn, patient)).Databases[0].Tables {
		for _, a := range indexes.Advise(&table) {
			got = append(got, fmt.Sprintf("%s: %s%s", table.Name, a.Problem, a.Purpose))
		}
	}
	want := []string{
		"messages: purge",
		"newsletter_subscribers: unique_allows_live_duplicates",
		"reviews: live_rows",
		"sellers: unique_ignores_deleted",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// PostgreSQL writes predicates of real schemas in its own form. ScopeOf must agree with the rows that it then
// includes.
func TestPredicatesAreReadAsPostgreSQLWritesThem(t *testing.T) {
	t.Parallel()
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	pgtest.Exec(t, dsn, `
		CREATE TABLE at (id int, parent_id int, deleted_at timestamptz);
		INSERT INTO at VALUES (1, NULL, NULL), (2, NULL, now()), (3, 1, NULL), (4, 1, now());
		CREATE TABLE flag (id int, email text, is_deleted boolean);
		INSERT INTO flag VALUES (1, 'a', true), (2, 'a', false), (3, NULL, true), (4, NULL, false)`)
	live, deleted := softdelete.None, softdelete.None
	for _, test := range []struct {
		table, predicate    string
		liveRows, deletedOf softdelete.Cover
	}{
		{"at", `deleted_at IS NULL`, softdelete.All, live},
		{"at", `"deleted_at" is null and parent_id is null`, softdelete.Some, live},
		{"at", `deleted_at IS NOT NULL`, deleted, softdelete.All},
		{"at", `not (deleted_at is not null)`, softdelete.All, live},
		{"at", `deleted_at > '2020-01-01'`, deleted, softdelete.Some},
		{"at", `id > 2`, softdelete.Some, softdelete.Some},
		{"at", `coalesce(deleted_at, 'infinity') = 'infinity'`, softdelete.All, softdelete.Some},
		// a row may be deleted at infinity
		{"at", `case when deleted_at is null then id > 2 else false end`, softdelete.Some, softdelete.Some},
		{"flag", `is_deleted = false`, softdelete.All, live},
		{"flag", `NOT is_deleted`, softdelete.All, live},
		{"flag", `is_deleted IS FALSE`, softdelete.All, live},
		{"flag", `is_deleted IS NOT TRUE`, softdelete.All, live},
		{"flag", `is_deleted <> true`, softdelete.All, live},
		{"flag", `is_deleted != 't'`, softdelete.All, live},
		{"flag", `COALESCE(is_deleted, false) = false`, softdelete.All, live},
		{"flag", `is_deleted`, deleted, softdelete.All},
		{"flag", `is_deleted = true`, deleted, softdelete.All},
		{"flag", `is_deleted IN (true)`, deleted, softdelete.All},
		{"flag", `is_deleted = false AND email <> ''`, softdelete.Some, live},
	} {
		t.Run(test.table+" "+test.predicate, func(t *testing.T) {
			name := fmt.Sprintf("%s_%d", test.table, time.Now().UnixNano())
			pgtest.Exec(t, dsn, fmt.Sprintf(`CREATE INDEX %s ON %s (id) WHERE %s`, name, test.table, test.predicate))
			text := pgtest.Value[string](t, dsn,
				`SELECT pg_get_expr(indpred, indrelid) FROM pg_index WHERE indexrelid = $1::regclass`, name)
			marker := softdelete.Marker{Kind: softdelete.Timestamp, Column: "deleted_at"}
			is := "deleted_at IS NOT NULL"
			if test.table == "flag" {
				marker, is = softdelete.Marker{Kind: softdelete.Flag, Column: "is_deleted"}, "is_deleted IS TRUE"
			}
			got := predicate.ScopeOf(softdelete.Markers{marker}, text)
			if got.Live != test.liveRows || got.Deleted != test.deletedOf {
				t.Errorf("%s is read as %+v", text, got)
			}
			counts := map[softdelete.Cover]string{softdelete.All: "n = m", softdelete.None: "n = 0", softdelete.Some: "true"}
			for side, cover := range map[string]softdelete.Cover{"IS NOT TRUE": got.Live, "IS TRUE": got.Deleted} {
				if !pgtest.Value[bool](t, dsn,
					fmt.Sprintf(`SELECT %s FROM (SELECT count(*) FILTER (WHERE %s) AS n, count(*) AS m FROM %s WHERE (%s) %s) c`,
						counts[cover], text, test.table, is, side)) {
					t.Errorf("%s is read as %+v, but lets other rows in", text, got)
				}
			}
		})
	}
}

// Only the planner can decide these; if it cannot either, they remain undecided.
func TestThePlannerProvesWhatTheTextDoesNotSay(t *testing.T) {
	t.Parallel()
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	pgtest.Exec(t, dsn, `
		CREATE FUNCTION dead(timestamptz) RETURNS boolean IMMUTABLE LANGUAGE plpgsql AS 'BEGIN RETURN $1 IS NOT NULL; END';
		CREATE TABLE users (id int, deleted_at timestamptz, archived_at timestamptz);
		CREATE INDEX live ON users (id) WHERE (deleted_at = archived_at) IS NULL AND deleted_at IS NULL;
		CREATE INDEX equal ON users (id) WHERE deleted_at = archived_at;
		CREATE INDEX hidden ON users (id) WHERE NOT dead(deleted_at);
		CREATE TABLE parts (id int, deleted_at timestamptz, archived_at timestamptz) PARTITION BY RANGE (id);
		CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (1) TO (9);
		CREATE INDEX parts_equal ON parts (id) WHERE deleted_at = archived_at;
		CREATE INDEX parts_hidden ON parts (id) WHERE NOT dead(deleted_at)`)
	s := first(t, inspector(t, dsn, patient))
	for _, test := range []struct {
		table, index string
		want         softdelete.Scope
	}{
		{"users", "live", softdelete.Scope{Mentions: true, Deleted: softdelete.None}},
		{"users", "equal", softdelete.Scope{Mentions: true, Live: softdelete.None}},
		{"users", "hidden", softdelete.Scope{Mentions: true}},
		{"parts", "parts_equal", softdelete.Scope{Mentions: true, Live: softdelete.None}},
		{"parts", "parts_hidden", softdelete.Scope{Mentions: true}},
	} {
		if got := index(t, tableNamed(t, s, test.table), test.index).Scope; got != test.want {
			t.Errorf("%s: %+v, want %+v", test.index, got, test.want)
		}
	}
}

// index returns an index of a table by name.
func index(t *testing.T, table softdelete.Table, name string) softdelete.Index {
	t.Helper()
	if table.Indexing == nil {
		t.Fatalf("nothing is known of the indexes of %s", table.Name)
	}
	for _, i := range table.Indexing.Indexes {
		if i.Name == name {
			return i
		}
	}
	t.Fatalf("%s has no index %s", table.Name, name)
	return softdelete.Index{}
}

// partitioned creates a table with two levels of partitions.
const partitioned = `
	CREATE TABLE events (id bigint NOT NULL, region int NOT NULL, tag text,
		deleted_at timestamptz) PARTITION BY LIST (region);
	CREATE TABLE events_1 PARTITION OF events FOR VALUES IN (1);
	CREATE TABLE events_2 PARTITION OF events FOR VALUES IN (2) PARTITION BY RANGE (id);
	CREATE TABLE events_2_a PARTITION OF events_2 FOR VALUES FROM (0) TO (10000);
	CREATE SCHEMA elsewhere;
	CREATE TABLE elsewhere.events_2_b PARTITION OF events_2 FOR VALUES FROM (10000) TO (20000);
	INSERT INTO events SELECT i, 1 + i % 2, repeat('x', 300) || i,
		CASE WHEN i % 10 < 6 THEN now() - interval '1 year' END FROM generate_series(1, 19999) i;`

func TestPartitionedIndexesAreJudgedAsOne(t *testing.T) {
	t.Parallel()
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	pgtest.Exec(t, dsn, partitioned+`CREATE INDEX events_tag ON events (tag); ANALYZE events`)
	i := inspector(t, dsn, patient)
	s := first(t, i)
	events := tableNamed(t, s, "events")
	if diff := cmp.Diff([]string{"events_tag holds_deleted", "live_rows=false"}, said(events)); diff != "" {
		t.Fatalf("(-want +got):\n%s", diff)
	}
	size := pgtest.Value[int64](t, dsn, `SELECT sum(pg_relation_size(relid)) FROM pg_partition_tree('events_tag')`)
	if got := index(t, events, "events_tag").Bytes; got != size {
		t.Errorf("the index is taken for %d bytes, it has %d", got, size)
	}
	indexCase{}.follow(t, dsn, events)
	s = refreshAfter(t, i, s, nil)
	if diff := cmp.Diff([]string{"live_rows=true"}, said(tableNamed(t, s, "events"))); diff != "" {
		t.Errorf("after the advice was followed (-want +got):\n%s", diff)
	}
}

func TestAPartitionedIndexThatLacksPartsIsCompleted(t *testing.T) {
	t.Parallel()
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	pgtest.Exec(t, dsn, partitioned+`
		CREATE INDEX events_live ON ONLY events (id, tag) WHERE deleted_at IS NULL;
		CREATE INDEX events_1_live ON events_1 (id, tag) WHERE deleted_at IS NULL;
		ALTER INDEX events_live ATTACH PARTITION events_1_live;
		CREATE INDEX events_whole ON events (region)`)
	i := inspector(t, dsn, patient)
	s := first(t, i)
	events := tableNamed(t, s, "events")
	if diff := cmp.Diff([]string{"events_live invalid"}, said(events)); diff != "" {
		t.Fatalf("(-want +got):\n%s", diff)
	}
	indexCase{}.follow(t, dsn, events)
	if !pgtest.Value[bool](t, dsn, `SELECT indisvalid FROM pg_index WHERE indexrelid = 'events_live'::regclass`) {
		t.Error("the index is still invalid")
	}
	if got := said(tableNamed(t, refreshAfter(t, i, s, nil), "events")); slices.Contains(got, "events_live invalid") {
		t.Errorf("after the advice was followed: %v", got)
	}
}

func TestAnInvalidIndexOfOnePartitionIsFound(t *testing.T) {
	t.Parallel()
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	pgtest.Exec(t, dsn, partitioned+`INSERT INTO events SELECT * FROM events_1 LIMIT 1`)
	conn := pgtest.Connect(t, dsn)
	if _, err := conn.Exec(t.Context(), `CREATE UNIQUE INDEX CONCURRENTLY events_1_id ON events_1 (id)`); err == nil {
		t.Fatal("the build did not fail")
	}
	i := inspector(t, dsn, patient)
	s := first(t, i)
	events := tableNamed(t, s, "events")
	if diff := cmp.Diff([]string{"events_1_id invalid"}, said(events)); diff != "" {
		t.Fatalf("(-want +got):\n%s", diff)
	}
	indexCase{mend: `DELETE FROM events_1 WHERE ctid = (SELECT max(ctid) FROM events_1)`}.follow(t, dsn, events)
	if got := said(tableNamed(t, refreshAfter(t, i, s, nil), "events")); len(got) != 0 {
		t.Errorf("after the advice was followed: %v", got)
	}
}

// A long name, and names that exist already.
func TestTheNameOfANewIndexIsLegalAndUnused(t *testing.T) {
	t.Parallel()
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	long := strings.Repeat("ä", 31)
	pgtest.Exec(t, dsn, fmt.Sprintf(`
		CREATE TABLE users (email text, deleted_at timestamptz, UNIQUE (email, deleted_at));
		CREATE TABLE users_email_live (id int);
		CREATE TABLE users_email_live1 (id int);
		CREATE TABLE %[1]s (email text, deleted_at timestamptz, UNIQUE (email, deleted_at));
		CREATE TABLE %[1]s_ (email text, deleted_at timestamptz, UNIQUE (email, deleted_at));
		INSERT INTO users VALUES ('a'); INSERT INTO %[1]s VALUES ('a'); INSERT INTO %[1]s_ VALUES ('a')`, long[:60]))
	i := inspector(t, dsn, patient)
	s := first(t, i)
	names := map[string]bool{}
	for n := range s.Databases[0].Tables {
		x := &s.Databases[0].Tables[n]
		for _, a := range indexes.Advise(x) {
			name := a.Do[1].New.Name
			if len(name) > 63 || names[name] {
				t.Errorf("the name %s has %d bytes, or is there twice", name, len(name))
			}
			names[name] = true
		}
		indexCase{}.follow(t, dsn, *x)
	}
	if !names["users_email_live2"] || len(names) != 3 {
		t.Errorf("the names are %v", names)
	}
	for _, table := range refreshAfter(t, i, s, nil).Databases[0].Tables {
		if left := indexes.Advise(&table); len(left) != 0 {
			t.Errorf("after the advice was followed: %v", left)
		}
	}
}

func TestATableInMigrationDoesNotHideTheIndexesOfOthers(t *testing.T) {
	t.Parallel()
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	pgtest.Exec(t, dsn, `
		CREATE TABLE calm (id int, deleted_at timestamptz); CREATE INDEX calm_a ON calm (id) WHERE deleted_at IS NULL;
		CREATE TABLE locked (id int, deleted_at timestamptz); CREATE INDEX locked_a ON locked (id) WHERE deleted_at IS NULL`)
	i := inspector(t, dsn, patient)
	conn := pgtest.Connect(t, dsn)
	if _, err := conn.Exec(t.Context(), `BEGIN; LOCK TABLE locked`); err != nil {
		t.Fatal(err)
	}
	s := first(t, i)
	if got := index(t, tableNamed(t, s, "calm"), "calm_a"); !got.Scope.LiveOnly() {
		t.Errorf("%+v", got)
	}
	if tableNamed(t, s, "locked").Indexing != nil {
		t.Error("half of what is known of the locked table is given out for all of it")
	}
	if !s.Databases[0].Checks.Indexes {
		t.Error("one locked table made the check fail")
	}
	if _, err := conn.Exec(t.Context(), `COMMIT`); err != nil {
		t.Fatal(err)
	}
	s = refreshAfter(t, i, s, nil)
	index(t, tableNamed(t, s, "locked"), "locked_a")
	// An unchanged index needs no lock.
	if _, err := conn.Exec(t.Context(),
		`BEGIN; LOCK TABLE locked; CREATE INDEX locked_b ON locked (id); COMMIT; BEGIN; LOCK TABLE locked`); err != nil {
		t.Fatal(err)
	}
	s = refreshAfter(t, i, s, nil)
	index(t, tableNamed(t, s, "locked"), "locked_b")
	if _, err := conn.Exec(t.Context(), `COMMIT`); err != nil {
		t.Fatal(err)
	}
}

func TestWhatDidNotChangeIsNotDeparsedAgain(t *testing.T) {
	t.Parallel()
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	for n := range 20 {
		pgtest.Exec(t, dsn,
			fmt.Sprintf(`CREATE TABLE t%[1]d (id int, other int, deleted_at timestamptz);
				CREATE INDEX t%[1]d_i ON t%[1]d (id) WHERE deleted_at IS NULL AND other > 0`, n))
	}
	i := inspector(t, dsn, patient)
	s := first(t, i)
	begun := spent(i).Queries
	s = refreshAfter(t, i, s, nil)
	unchanged := spent(i).Queries - begun
	if unchanged > 20+12 { // the counts, and some queries about all tables
		t.Errorf("%d questions for an unchanged catalog", unchanged)
	}
	pgtest.Exec(t, dsn, `ALTER TABLE t3 RENAME other TO another; DROP INDEX t4_i; CREATE INDEX t4_i ON t4 (other)`)
	begun = spent(i).Queries
	s = refreshAfter(t, i, s, nil)
	if got := spent(i).Queries - begun - unchanged; got != 2 {
		t.Errorf(
			"%d more questions after one index changed its words and one was replaced, want one for the details and "+
				"one to deparse", got)
	}
	if got := index(t, tableNamed(t, s, "t3"), "t3_i").Predicate; got != `((deleted_at IS NULL) AND (another > 0))` {
		t.Errorf("after the column was renamed: %s", got)
	}
	if got := index(t, tableNamed(t, s, "t4"), "t4_i"); got.Seen.IsZero() || got.Predicate != "" {
		t.Errorf("the new index is taken for the old one: %+v", got)
	}
	if got := index(t, tableNamed(t, s, "t5"), "t5_i"); !got.Seen.IsZero() {
		t.Errorf("an index that was there before us appeared at %s", got.Seen)
	}
}

// The age of the counters decides whether an index may be called unused.
func TestTheAgeOfTheStatisticsIsThatOfTheLastCrashOrReset(t *testing.T) {
	t.Parallel()
	server := pgtest.Start(t, pgserver.Options{})
	dsn := pgtest.NewDatabase(t, server)
	pgtest.Exec(t, dsn, `CREATE TABLE users (id int, deleted_at timestamptz)`)
	i := inspector(t, dsn, patient)
	since := func() time.Time {
		x := tableNamed(t, first(t, i), "users")
		if x.Indexing == nil {
			t.Fatal("nothing is known of the indexes")
		}
		return x.Indexing.Since
	}
	began := since()
	if began.IsZero() || time.Since(began) > time.Hour {
		t.Fatalf("the statistics of a new server are of %s", began)
	}
	before := time.Now()
	pgtest.Exec(t, dsn, `SELECT pg_stat_reset()`)
	if got := since(); got.Before(before.Add(-time.Second)) {
		t.Errorf("after a reset the statistics are of %s", got)
	}
	before = time.Now()
	if err := server.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := server.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := since(); got.Before(before.Add(-time.Second)) {
		t.Errorf("after a crash the statistics are of %s", got)
	}
	pgtest.Exec(t, dsn, `ALTER SYSTEM SET track_counts = off`)
	pgtest.Exec(t, dsn, `SELECT pg_reload_conf()`)
	pgtest.WaitFor(t, "the setting",
		func() bool { return pgtest.Value[string](t, dsn, `SELECT current_setting('track_counts')`) == "off" })
	if got := since(); !got.IsZero() {
		t.Errorf("while nothing is counted the statistics are of %s", got)
	}
}

func TestALeastPrivilegedRoleSeesAllOfTheIndexes(t *testing.T) {
	t.Parallel()
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	pgtest.Exec(t, dsn, `CREATE TABLE users (id int, email text, deleted_at timestamptz);
		CREATE INDEX users_live ON users (lower(email)) WHERE deleted_at IS NULL;
		CREATE INDEX users_undecided ON users (id) WHERE deleted_at = to_timestamp(id)`)
	name, its := role(t, dsn)
	pgtest.Exec(t, dsn, fmt.Sprintf(`GRANT SELECT (deleted_at, ctid, tableoid) ON users TO %q`, name))
	users := tableNamed(t, first(t, inspector(t, its, patient)), "users")
	if got := index(t, users, "users_live"); !got.Scope.LiveOnly() || got.Keys[0].Expression != "lower(email)" {
		t.Errorf("%+v", got)
	}
	if got := index(t, users, "users_undecided").Scope; got.Live != softdelete.Some || got.Deleted != softdelete.Some {
		t.Errorf("%+v is more than we may prove", got)
	}
}
