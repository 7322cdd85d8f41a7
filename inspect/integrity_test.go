package inspect

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/softdelete-exporter/softdelete_exporter/config"
	"github.com/softdelete-exporter/softdelete_exporter/internal/pgserver/pgtest"
	"github.com/softdelete-exporter/softdelete_exporter/postgres"
	"github.com/softdelete-exporter/softdelete_exporter/queries"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// facts describes the results of a table's checks, such as "inconsistent 1", or the reason if there is no result.
func facts(t softdelete.Table) string {
	var words []string
	for _, c := range t.Integrity {
		of := ""
		if c.Constraint != "" {
			of = " " + c.Constraint
		}
		if f := c.Found; f != nil {
			for _, fact := range []struct {
				name  string
				value *float64
			}{{"inconsistent", f.Inconsistent}, {"future", f.Future}, {"orphaned", f.Orphaned}} {
				if fact.value != nil {
					words = append(words, fmt.Sprintf("%s%s %g", fact.name, of, *fact.value))
				}
			}
		}
		if c.Problem != nil {
			words = append(words, strings.TrimSpace(string(c.Problem.Reason)+of))
		}
		if c.Waiting {
			words = append(words, "waiting"+of)
		}
	}
	return strings.Join(words, ", ")
}

// shown fails the test unless the statement in the report shows exactly the rows that were found.
func shown(t *testing.T, dsn string, of softdelete.Table) {
	t.Helper()
	for _, c := range of.Contradictions() {
		statement := strings.TrimSuffix(queries.Contradicting(&of, c), ";")
		if got := pgtest.Value[float64](t, dsn, "SELECT count(*) FROM ("+statement+") AS shown"); got != c.Rows {
			t.Errorf("%s: the report's statement shows %g: %s", c, got, statement)
		}
	}
}

// Each contradiction is created, together with similar rows that are consistent.
func TestRowsThatContradictTheirMarker(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, sql, config, want string }{
		{"a pair that agrees",
			"CREATE TABLE t (is_deleted bool, deleted_at timestamptz); INSERT INTO t VALUES (false, NULL), (true, now())", "",
			"inconsistent 0, future 0"},
		{"deleted without a time",
			"CREATE TABLE t (is_deleted bool, deleted_at timestamptz); INSERT INTO t VALUES (true, NULL), (true, now())", "",
			"inconsistent 1, future 0"},
		{"a time on a live row",
			"CREATE TABLE t (is_deleted bool, deleted_at timestamptz); INSERT INTO t VALUES (false, now()), (false, NULL)", "",
			"inconsistent 1, future 0"},
		{"a flag that is NULL",
			"CREATE TABLE t (is_deleted bool, deleted_at timestamptz); INSERT INTO t VALUES (NULL, NULL), (false, NULL)", "",
			"inconsistent 1, future 0"},
		{"a live row whose time only stands for none",
			"CREATE TABLE t (is_deleted bool, deleted_at timestamptz); INSERT INTO t VALUES (false, '0001-01-01'), (false, " +
				"'-infinity')", "", "inconsistent 0, future 0"},
		{"a time alone cannot disagree", "CREATE TABLE t (deleted_at timestamptz); INSERT INTO t VALUES (NULL), (now())", "",
			"future 0"},
		{"a flag alone cannot either", "CREATE TABLE t (is_deleted bool); INSERT INTO t VALUES (NULL), (true)", "", ""},
		{"deleted in the future",
			"CREATE TABLE t (deleted_at timestamptz); INSERT INTO t VALUES (now() + interval '1 hour'), (now()), ('infinity')",
			"", "future 1"},
		{"a time of a live row in the future",
			"CREATE TABLE t (is_deleted bool, deleted_at timestamptz); INSERT INTO t VALUES (false, now() + interval '1 hour')",
			"", "inconsistent 1, future 0"},
		{"a clock that nobody knows", "CREATE TABLE t (deleted_at timestamp); INSERT INTO t VALUES ('2100-01-01')", "", ""},
		{"a clock that is configured",
			"CREATE TABLE t (deleted_at timestamp); INSERT INTO t VALUES (now() AT TIME ZONE 'Asia/Tokyo'), (now() AT TIME " +
				"ZONE 'Asia/Tokyo' + interval '1 hour')",
			"tables: [{table: t, time_zone: Asia/Tokyo}]", "future 1"},
		{"a day that may be today somewhere", "CREATE TABLE t (deleted_at date); INSERT INTO t VALUES ('2100-01-01')", "",
			""},
		{"a day of a known zone",
			"CREATE TABLE t (deleted_at date); INSERT INTO t VALUES ((now() AT TIME ZONE 'Asia/Tokyo')::date), ((now() AT " +
				"TIME ZONE 'Asia/Tokyo')::date + 1)",
			"tables: [{table: t, time_zone: Asia/Tokyo}]", "future 1"},
		{"an epoch",
			"CREATE TABLE t (deleted_unix bigint); INSERT INTO t SELECT extract(epoch FROM now())::int8 + i FROM " +
				"unnest(ARRAY[-3600, 3600]) i", "", "future 1"},
		{"the constant of live rows",
			"CREATE TABLE t (deleted_at timestamptz NOT NULL DEFAULT '9999-12-31'); INSERT INTO t VALUES (DEFAULT), (now()), " +
				"('2100-01-01')", "", "future 1"},
		{"partitions are summed", `CREATE TABLE t (id int, is_deleted bool, deleted_at timestamptz) PARTITION BY LIST (id);
			CREATE TABLE t_1 PARTITION OF t FOR VALUES IN (1); CREATE TABLE t_2 PARTITION OF t FOR VALUES IN (2);
			INSERT INTO t VALUES (1, true, NULL), (1, true, now()), (2, true, now() + interval '1 day'), (2, false, now())`, "",
			"inconsistent 2, future 1"},
		{"not opted in", "CREATE TABLE t (is_deleted bool, deleted_at timestamptz); INSERT INTO t VALUES (true, NULL)",
			"tables: [{table: t, integrity: false}]", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
			pgtest.Exec(t, dsn, test.sql)
			got := tableNamed(t, first(t, inspector(t, dsn, "integrity: true\n"+test.config)), "t")
			if diff := cmp.Diff(test.want, facts(got)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			shown(t, dsn, got)
		})
	}
}

// What is larger than the gate is not read, and is not reported as 0.
func TestTheGateHoldsForBothSidesOfAKey(t *testing.T) {
	t.Parallel()
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	pgtest.Exec(t, dsn, family+`INSERT INTO parents SELECT i FROM generate_series(10, 20000) i;
		CREATE TABLE alone (id int CONSTRAINT alone_key REFERENCES parents, is_deleted bool, deleted_at timestamptz);
			INSERT INTO alone SELECT i, true FROM generate_series(10, 20000) i;
		CREATE TABLE parted (id int, is_deleted bool, deleted_at timestamptz) PARTITION BY LIST (id);
		CREATE TABLE parted_1 PARTITION OF parted FOR VALUES IN (1);
			CREATE TABLE parted_2 PARTITION OF parted FOR VALUES IN (2);
		INSERT INTO parted SELECT 1 + i % 2, true FROM generate_series(1, 20000) i`)
	s := first(t, inspector(t, dsn, "integrity: true\ncounting: {exact_max_bytes: 512kB, blocks: 50, batch: 10}"))
	for name, want := range map[string]string{"children": "future 0, too_large parent_key", "parents": "too_large",
		"alone": "too_large, too_large alone_key", "parted": "too_large"} {
		if diff := cmp.Diff(want, facts(tableNamed(t, s, name))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}

	session := newSession(t, dsn, "")
	keys := survey(t, inspector(t, dsn, "integrity: true"))[0].keys
	key := keys[slices.IndexFunc(keys, func(k foreignKey) bool { return k.Name == "alone_key" })]
	on := func(r *table) queries.Relation { return (&count{table: r}).on(r.partitions[0]) }
	for name, question := range map[string]string{
		"rows":    on(key.child).Contradictions(512 << 10),
		"orphans": on(key.child).Orphans(on(key.parent), key.reference(), 512<<10),
	} {
		rows, err := postgres.Query[struct {
			Plan []struct {
				Plan struct {
					Buffers int64 `json:"Shared Hit Blocks"`
					Read    int64 `json:"Shared Read Blocks"`
				}
			} `db:"QUERY PLAN"`
		}](t.Context(), session, "EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) "+question)
		if err != nil {
			t.Fatal(err)
		}
		if p := rows[0].Plan[0].Plan; p.Buffers+p.Read > 50 {
			t.Errorf("%s: a table of 80 blocks was read: %+v", name, p)
		}
	}
}

// If only the sum of the partitions is too large, none of them is read.
func TestPartitionsAreMeasuredBeforeTheyAreRead(t *testing.T) {
	t.Parallel()
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	pgtest.Exec(t, dsn, `CREATE TABLE parted (id int, is_deleted bool) PARTITION BY LIST (id);
		CREATE TABLE parted_1 PARTITION OF parted FOR VALUES IN (1);
			CREATE TABLE parted_2 PARTITION OF parted FOR VALUES IN (2);
		CREATE TABLE keys (id int PRIMARY KEY, is_deleted bool); INSERT INTO keys VALUES (1), (2);
		ALTER TABLE parted ADD CONSTRAINT key FOREIGN KEY (id) REFERENCES keys;
		INSERT INTO parted SELECT 1 + i % 2, true FROM generate_series(1, 20000) i; ANALYZE`)
	const read = "SELECT sum(seq_tup_read)::int8 FROM pg_stat_user_tables WHERE relname ~ '^parted_'"
	settled(t, dsn)
	before := pgtest.Value[int64](t, dsn, read)
	s := first(t, inspector(t, dsn, "integrity: true\ncounting: {method: statistics, exact_max_bytes: 512kB}"))
	if got := facts(tableNamed(t, s, "parted")); got != "too_large key" {
		t.Errorf("the key: %s", got)
	}
	settled(t, dsn)
	if now := pgtest.Value[int64](t, dsn, read); now != before {
		t.Errorf("%d rows of partitions were read", now-before)
	}
}

// A check that took too long is absent for a day; the numbers of its table are not affected.
func TestAfterATimeoutTheCheckIsLeftAloneForADay(t *testing.T) {
	t.Parallel()
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	pgtest.Exec(t, dsn, `CREATE TABLE t (is_deleted bool, deleted_at timestamptz) WITH (autovacuum_enabled = off);
		INSERT INTO t SELECT true FROM generate_series(1, 5000000) i`)
	const small = "integrity: true\ncounting: {method: sampled, blocks: 50, batch: 10, exact_max_bytes: 1GB, " +
		"recount_after: 1ms}\n"
	s := discovered(t, inspector(t, dsn, small+"limits: {statement_timeout: 300ms, lock_timeout: 50ms}"))
	got := tableNamed(t, s, "t")
	if diff := cmp.Diff("timeout", facts(got)); diff != "" || got.Problem != nil || got.Numbers == nil {
		t.Fatalf("%s (-want +got); the table: %v", diff, method(got))
	}
	if until := time.Until(got.Integrity[0].RetryAt); until < 23*time.Hour || until > 24*time.Hour {
		t.Errorf("it is left alone for another %s", until)
	}
	calm := inspector(t, dsn, small)
	s = refreshAfter(t, calm, s, nil)
	if diff := cmp.Diff("timeout", facts(tableNamed(t, s, "t"))); diff != "" {
		t.Errorf("within the day (-want +got):\n%s", diff)
	}
	s.Databases[0].Tables[0].Integrity[0].RetryAt = time.Now().Add(-time.Second)
	if diff := cmp.Diff("inconsistent 5e+06, future 0",
		facts(tableNamed(t, refreshAfter(t, calm, s, nil), "t"))); diff != "" {
		t.Errorf("after the day (-want +got):\n%s", diff)
	}
}

// A check is not repeated if neither side of its key has changed; otherwise it is.
func TestUnchangedRowsAreNotCheckedAgain(t *testing.T) {
	t.Parallel()
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	pgtest.Exec(t, dsn, family)
	settled(t, dsn)
	i := inspector(t, dsn, "integrity: true")
	s := first(t, i)
	asked := func(s *softdelete.Snapshot) (times []time.Time) {
		for _, c := range append(tableNamed(t, s, "children").Integrity, tableNamed(t, s, "parents").Integrity...) {
			times = append(times, c.Asked)
		}
		return times
	}
	again := refreshAfter(t, i, s, nil)
	if diff := cmp.Diff(asked(s), asked(again)); diff != "" {
		t.Errorf("unchanged tables were checked again:\n%s", diff)
	}
	if before, now := tableNamed(t, s, "children").Integrity[1].At, tableNamed(t, again,
		"children").Integrity[1].At; !now.After(before) {
		t.Errorf("what was found is known true since %s, before %s", now, before)
	}
	pgtest.Exec(t, dsn, "UPDATE parents SET deleted_at = now() WHERE id = 1")
	settled(t, dsn)
	if got := facts(tableNamed(t, refreshAfter(t, i, again, nil), "children")); got != "future 0, orphaned parent_key 2" {
		t.Errorf("after the parent changed: %s", got)
	}
}

// A deletion in the future becomes due without any change of its table.
func TestTheFutureIsAskedForAgain(t *testing.T) {
	t.Parallel()
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	pgtest.Exec(t, dsn, `CREATE TABLE t (deleted_at timestamptz); INSERT INTO t SELECT now() + interval '1 hour'`)
	settled(t, dsn)
	i := inspector(t, dsn, "integrity: true")
	s := first(t, i)
	if got := facts(tableNamed(t, s, "t")); got != "future 1" {
		t.Fatalf("at first: %s", got)
	}
	if got := facts(tableNamed(t, refreshAfter(t, i, later(t, dsn, s, 2*time.Hour, "t"), nil), "t")); got != "future 0" {
		t.Errorf("when it has come: %s", got)
	}
}

// If a reload switches the checks off, their results are dropped, and the numbers of the table stay.
func TestOptingOutTakesTheFactsAway(t *testing.T) {
	t.Parallel()
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	pgtest.Exec(t, dsn, family)
	i := inspector(t, dsn, "integrity: true")
	s := first(t, i)
	i.Config().Integrity = false
	refreshAfter(t, i, s, func(s *softdelete.Snapshot) {
		if got := tableNamed(t, s, "children"); facts(got) != "" || got.Numbers == nil {
			t.Errorf("facts %q, numbers %v", facts(got), got.Numbers)
		}
	})
}

// If counting uses all of its budget, the checks still have a small one of their own. Checks that do not fit wait,
// which is not a problem.
func TestChecksHaveTheirTurnWhenCountingSpendsAll(t *testing.T) {
	t.Parallel()
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	pgtest.Exec(t, dsn, family)
	i := inspector(t, dsn, "integrity: true")
	s := empty(t, i)
	pass := func(passTime time.Duration) string {
		i.Config().Counting.PassTime = config.Duration(passTime)
		r := i.newRefresh(s, func(next *softdelete.Snapshot) { s = next })
		r.budget.deadline = r.began
		r.run(t.Context())
		return facts(tableNamed(t, s, "children"))
	}
	if got := pass(time.Nanosecond); got != "waiting, waiting parent_key" {
		t.Errorf("without time for anything: %s", got)
	}
	if got := pass(time.Minute); got != "future 0, orphaned parent_key 1" {
		t.Errorf("when counting has spent all: %s", got)
	}
	if got := told(s)["public.children"]; got != "pending" {
		t.Errorf("counting had time for %s", got)
	}
}
