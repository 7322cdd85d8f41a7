package inspect

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/softdelete-exporter/softdelete_exporter/internal/pgserver/pgtest"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// big creates a table of 11 MB, with a quarter of its rows deleted.
const big = `CREATE TABLE big AS SELECT i AS id, CASE WHEN i % 4 = 0 THEN now() END AS deleted_at, repeat('x',
	500) AS filler FROM generate_series(1, 20000) i;`

// two creates a table with two partitions, the second of 11 MB.
const two = `CREATE TABLE t (id int, part int, deleted_at timestamptz, filler text) PARTITION BY LIST (part);
	CREATE TABLE t_1 PARTITION OF t FOR VALUES IN (1); CREATE TABLE t_2 PARTITION OF t FOR VALUES IN (2);
	INSERT INTO t SELECT i, 2, CASE WHEN i % 4 = 0 THEN now() END, repeat('x', 500) FROM generate_series(1, 20000) i;
	INSERT INTO t SELECT i, 1, now() FROM generate_series(1, 20) i;`

// On some servers not every role may read when the counters were reset. Then no table counts as unchanged, but the
// gate works as before.
func TestTheGateHoldsWithoutAFingerprint(t *testing.T) {
	t.Parallel()
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	name, its := role(t, dsn)
	pgtest.Exec(t, dsn,
		asRole(big+`GRANT SELECT ON big TO watcher;
			REVOKE EXECUTE ON FUNCTION pg_catalog.pg_stat_get_bgwriter_stat_reset_time() FROM PUBLIC`, name))
	i := inspector(t, its, "counting: {exact_max_bytes: 1MB}")
	s := first(t, i)
	before, after := tableNamed(t, s, "big"), tableNamed(t, refreshAfter(t, i, s, nil), "big")
	if m := method(before); m != "sampled" {
		t.Errorf("counted by %s", m)
	}
	if !counted(before, after) {
		t.Error("nothing tells that it did not change, and it was not counted again")
	}
}

func TestTheGateHoldsWhenAPartitionIsDroppedMeanwhile(t *testing.T) {
	t.Parallel()
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	pgtest.Exec(t, dsn, two)
	var drop bool
	i := inspector(t, dsn, "counting: {exact_max_bytes: 1MB}")
	s := refreshAfter(t, i, empty(t, i), func(*softdelete.Snapshot) {
		if !drop {
			drop = true
			pgtest.Exec(t, dsn, "DROP TABLE t_1")
		}
	})
	if m := method(tableNamed(t, s, "t")); m != "sampled" {
		t.Errorf("counted by %s", m)
	}
}

// A partition that cannot be sampled does not reduce the gate of the others: the second has half a megabyte, the
// third has no block.
func TestALeafOfAnotherKindLeavesTheGateOfTheOthersAlone(t *testing.T) {
	t.Parallel()
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	pgtest.Exec(t, dsn, `CREATE ACCESS METHOD other TYPE TABLE HANDLER heap_tableam_handler;
		CREATE TABLE t (id int, part int, deleted_at timestamptz, filler text) PARTITION BY LIST (part);
		CREATE TABLE t_1 PARTITION OF t FOR VALUES IN (1) USING other; CREATE TABLE t_2 PARTITION OF t FOR VALUES IN (2);
			CREATE TABLE t_3 PARTITION OF t FOR VALUES IN (3);
		INSERT INTO t SELECT i, 1, CASE WHEN i % 4 = 0 THEN now() END, repeat('x', 500) FROM generate_series(1, 20000) i;
		INSERT INTO t SELECT i, 2, NULL, repeat('x', 500) FROM generate_series(1, 1000) i`)
	s := first(t, inspector(t, dsn, "counting: {exact_max_bytes: 1MB}"))
	if got, m := told(s)["public.t"], method(tableNamed(t, s, "t")); got != "21000 5000 0" || m != "exact" {
		t.Errorf("it is %q by %s", got, m)
	}
}

// PostgreSQL would scan a partition with one block instead of reading single blocks.
func TestATinyLeafDoesNotKeepTheOthersFromBeingSampled(t *testing.T) {
	t.Parallel()
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	execEach(t, dsn, two+"VACUUM ANALYZE t")
	got := tableNamed(t, first(t, inspector(t, dsn, "counting: {exact_max_bytes: 0B, target_margin: 0, blocks: 200}")),
		"t")
	if got.Kept().Blocks == nil || got.Kept().Blocks.Len() != 200 {
		t.Errorf("by %s; the blocks are %v", method(got), got.Kept().Blocks)
	}
}

// All partitions share one gate.
func TestLeavesShareTheGate(t *testing.T) {
	t.Parallel()
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	pgtest.Exec(t, dsn, two+`CREATE TABLE t_3 PARTITION OF t FOR VALUES IN (3);
		INSERT INTO t SELECT id, 3, deleted_at, filler FROM t WHERE part = 2`)
	for config, want := range map[string]softdelete.Method{"16MB": softdelete.Sampled, "32MB": softdelete.Exact} {
		if m := method(tableNamed(t, first(t, inspector(t, dsn, "counting: {exact_max_bytes: "+config+"}")),
			"t")); m != string(want) {
			t.Errorf("two leaves of 11 MB with %s: counted by %s, want %s", config, m, want)
		}
	}
}

// If other tables hold the rows, neither statistics nor sizes say anything, and 0 would be wrong.
func TestNothingIsSaidOfRowsThatAreElsewhere(t *testing.T) {
	t.Parallel()
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	name, its := role(t, dsn)
	pgtest.Exec(t, dsn, asRole(deletedAt("users")+distributed+likeTimescale+parted(name)+"ANALYZE", name))
	got := tableNamed(t, first(t, inspector(t, its, "tables: [{table: distributed, method: statistics}]")), "distributed")
	if got.Numbers != nil || got.Problem == nil || got.Problem.Reason != softdelete.Unsupported {
		t.Errorf("by statistics %+v, problem %+v", got.Numbers, got.Problem)
	}
	s := first(t, inspector(t, its, ""))
	for _, name := range []string{"distributed", "parted"} {
		if n := tableNamed(t, s, name).Numbers; n == nil || n.Deleted.Value == 0 || n.DeletedBytes != nil {
			t.Errorf("%s: %+v", name, n)
		}
	}
}

// Numbers of a sampled table that change with time alone are updated through an index, together with its counted
// partitions. The total stays.
func TestASampledTableAgesByItsIndex(t *testing.T) {
	t.Parallel()
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	execEach(t, dsn,
		two+`CREATE INDEX ON t (deleted_at) WHERE deleted_at IS NOT NULL;
			UPDATE t SET deleted_at = now() - interval '1 day' WHERE deleted_at IS NOT NULL AND part = 2; VACUUM ANALYZE t`)
	settled(t, dsn)
	i := inspector(t, dsn,
		"defaults: {retention: 80m}\ncounting: {exact_max_bytes: 8MB, target_margin: 0, blocks: 200, recent_window: 90m}")
	s := first(t, i)
	before := tableNamed(t, s, "t")
	if n := before.Numbers; n.Method != softdelete.Sampled || n.Old.Value != 5000 || n.Recent == nil ||
		n.Recent.Value != 20 {
		t.Fatalf("at first %+v, old %+v, recent %+v", n, n.Old, n.Recent)
	}
	after := tableNamed(t, refreshAfter(t, i, later(t, dsn, s, 100*time.Minute, "t"), nil), "t")
	if n := after.Numbers; n.Old.Value != 5020 || n.Recent == nil || n.Recent.Value != 0 ||
		n.Total != before.Numbers.Total || counted(before, after) {
		t.Errorf("later %+v, old %+v, recent %+v", n, n.Old, n.Recent)
	}
	if !after.Checked.After(before.Checked) || after.Kept().Proofs == nil {
		t.Errorf("checked %s, then %s", before.Checked, after.Checked)
	}
}

// Times near a limit: the end of a day, a deletion in the near future, and a time beyond every limit. None of them
// makes a table be counted again and again.
func TestTimesThatAreNear(t *testing.T) {
	t.Parallel()
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	pgtest.Exec(t, dsn, `CREATE TABLE today AS SELECT (now() AT TIME ZONE 'UTC')::date - 90 AS deleted_at;
		CREATE TABLE far AS SELECT '294276-12-31'::timestamptz AS deleted_at;
		CREATE TABLE far_day AS SELECT '5874897-12-31'::date AS deleted_at;
		CREATE TABLE far_number AS SELECT 9223372036854775807 AS deleted_at UNION ALL SELECT 1700000000;
		CREATE TABLE soon AS SELECT now() + interval '80 minutes' AS deleted_at;
		CREATE TABLE fresh AS SELECT now() AS deleted_at; ANALYZE`)
	settled(t, dsn)
	i := inspector(t, dsn, "counting: {recent_window: 80m}\ntables: [{table: far_number, column: deleted_at, unit: s}]")
	s := first(t, i)
	next := refreshAfter(t, i, later(t, dsn, s, 90*time.Minute, "soon", "fresh"), nil)
	for name, again := range map[string]bool{"today": false, "far": false, "far_day": false, "far_number": false,
		"soon": true, "fresh": true} {
		before, after := tableNamed(t, s, name), tableNamed(t, next, name)
		if after.Problem != nil || counted(before, after) != again {
			t.Errorf("%s: counted again: %t, want %t; problem %+v, next change %s", name, !again, again, after.Problem,
				before.Kept().NextChange)
		}
	}
	if n := tableNamed(t, next, "soon").Numbers; n.Recent == nil || n.Recent.Value != 1 {
		t.Errorf("what was the future is recent %+v", n.Recent)
	}
	if n := tableNamed(t, next, "fresh").Numbers; n.Recent == nil || n.Recent.Value != 0 {
		t.Errorf("what was recent is %+v", n.Recent)
	}
	for _, name := range []string{"far", "far_day"} {
		if n := tableNamed(t, next, name).Numbers; n.Deleted.Value != 1 || n.Old.Value != 0 || !n.Oldest.IsZero() {
			t.Errorf("%s: %+v, old %+v", name, n, n.Old)
		}
	}
}

// A newly configured method is tried immediately, whatever the result of the last one was.
func TestAnotherMethodEndsThePause(t *testing.T) {
	t.Parallel()
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	pgtest.Exec(t, dsn, big)
	s := first(t, inspector(t, dsn, ""))
	s.Databases[0].Tables[0].RetryAt = time.Now().Add(time.Hour)
	s.Databases[0].Tables[0].Failures = 5
	s.Databases[0].Tables[0].Problem = &softdelete.Problem{Reason: softdelete.TimedOut}
	if m := method(tableNamed(t, refreshAfter(t, inspector(t, dsn, ""), s, nil), "big")); m != "timeout: " {
		t.Fatalf("the test makes no pause: %s", m)
	}
	if m := method(tableNamed(t, refreshAfter(t, inspector(t, dsn, "counting: {method: sampled, blocks: 200}"), s, nil),
		"big")); m != "sampled" {
		t.Errorf("by %s", m)
	}
}

// The planner's answers about a partition are dropped some time after the partition.
func TestProofsAreForgotten(t *testing.T) {
	old := map[softdelete.Asked]softdelete.Proof{
		{Relation: 1}: {At: time.Now().Add(-provedFor - time.Minute)}, {Relation: 2}: {At: time.Now().Add(-time.Hour)},
	}
	d := &databaseRefresh{refresh: &refresh{began: time.Now()}}
	r := &table{}
	r.Counting = &softdelete.Counting{Proofs: old}
	if kept := d.newCount(r).kept.Proofs; len(kept) != 1 || kept[softdelete.Asked{Relation: 2}].At.IsZero() ||
		len(old) != 2 {
		t.Errorf("kept %v of %v", kept, old)
	}
}

// The batches before a failed one already give an estimate. A migration locks the table after half of the queries, in
// the middle of ten batches.
func TestWhatWasReadCountsWhenTheNextBatchFails(t *testing.T) {
	t.Parallel()
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	execEach(t, dsn, large("orders"))
	const config = "limits: {lock_timeout: 50ms, statement_timeout: 10s}\n" +
		"counting: {method: sampled, target_margin: 0, blocks: 500, batch: 50}"
	whole := inspector(t, dsn, config)
	if m := method(tableNamed(t, first(t, whole), "orders")); m != "sampled" {
		t.Fatalf("counted by %s", m)
	}
	total, deleted, _ := truth(t, dsn, "orders")
	front := pgtest.NewFront(t, dsn)
	front.Behave(pgtest.Slow) // so that the moment is not missed
	i := inspector(t, front.DSN, config)
	made := behind(t, i, empty(t, i))
	pgtest.WaitFor(t, "half of the queries", func() bool { return spent(i).Queries >= spent(whole).Queries/2 })
	m := newMigration(t, dsn)
	m.do("BEGIN; LOCK TABLE orders IN ACCESS EXCLUSIVE MODE")
	got := tableNamed(t, <-made, "orders")
	m.do("COMMIT")
	if got.Problem != nil || got.Numbers == nil || spent(i).Queries >= spent(whole).Queries {
		t.Fatalf("%+v, problem %+v, %d queries of %d", got.Numbers, got.Problem, spent(i).Queries, spent(whole).Queries)
	}
	within(t, "total", got.Numbers.Total, total, total/10)
	within(t, "deleted", got.Numbers.Deleted, deleted, deleted/2)
}

// An index that would not answer quickly is not asked again for a day, and the counted numbers stay. This one seems
// to find a deleted row soon, but does not contain any.
func TestAnIndexThatDoesNotAnswerAtOnceIsLeftAlone(t *testing.T) {
	t.Parallel()
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	execEach(t, dsn, `CREATE TABLE t (is_deleted bool NOT NULL, deleted_at timestamptz) WITH (autovacuum_enabled = off);
		INSERT INTO t SELECT true, now() - random() * interval '1 year' FROM generate_series(1, 1000) i; ANALYZE t;
		INSERT INTO t SELECT false, now() - (1 + random()) * interval '1 year' FROM generate_series(1, 1000000) i;
			CREATE INDEX ON t (deleted_at)`)
	i := inspector(t, dsn, "counting: {method: sampled, blocks: 200, recent_window: 1s}")
	s := first(t, i)
	oldest := softdelete.Asked{Relation: pgtest.Value[uint32](t, dsn, "SELECT 't'::regclass::oid"), Question: byOldest}
	for range 2 {
		got := tableNamed(t, s, "t")
		if proof, found := got.Kept().Proofs[oldest]; !found || proof.Sound || got.Numbers == nil ||
			!got.Numbers.Oldest.IsZero() {
			t.Errorf("%+v, problem %+v, proofs %+v", got.Numbers, got.Problem, got.Kept().Proofs)
		}
		var failed int64
		for key, cost := range i.Costs.All() {
			if key.Result == softdelete.Failure {
				failed += cost.Queries
			}
		}
		if failed != 1 {
			t.Errorf("%d queries failed, want the one", failed)
		}
		s = refreshAfter(t, i, s, nil)
	}
}

// For many large partitions the index of each would have to be asked, which is not cheap.
func TestIndexesOfManyPartitionsAreNotAsked(t *testing.T) {
	t.Parallel()
	for leaves, known := range map[int]bool{fewPartitions: true, fewPartitions + 1: false} {
		dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
		var sql strings.Builder
		sql.WriteString("CREATE TABLE t (part int, deleted_at timestamptz, filler text) PARTITION BY LIST (part);")
		for l := range leaves {
			fmt.Fprintf(&sql, "CREATE TABLE t_%d PARTITION OF t FOR VALUES IN (%[1]d);", l)
		}
		fmt.Fprintf(&sql, `INSERT INTO t SELECT i %% %d, CASE WHEN i %% 10 = 0 THEN now() - interval '1 hour' END,
			repeat('x', 500) FROM generate_series(1, 25000) i;
			CREATE INDEX ON t (deleted_at) WHERE deleted_at IS NOT NULL; VACUUM ANALYZE t`, leaves)
		execEach(t, dsn, sql.String())
		n := tableNamed(t, first(t, inspector(t, dsn, "counting: {exact_max_bytes: 0B, blocks: 200}")), "t").Numbers
		if n.Method != softdelete.Sampled || !n.Oldest.IsZero() != known {
			t.Errorf("%d partitions: by %s, oldest %s", leaves, n.Method, n.Oldest)
		}
	}
}

// If a relation is not an ordinary table and counting it takes too long, only the statistics remain. They are not
// kept: the next refresh tries again.
func TestTheStatisticsAreTheLastResort(t *testing.T) {
	t.Parallel()
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	pgtest.Exec(t, dsn, `CREATE ACCESS METHOD other TYPE TABLE HANDLER heap_tableam_handler;
		CREATE TABLE odd (deleted_at timestamptz) USING other;
		INSERT INTO odd SELECT CASE WHEN i % 2 = 0 THEN now() - interval '1 year' END FROM generate_series(1, 4000000) i;
			ANALYZE odd`)
	settled(t, dsn)
	s := discovered(t, inspector(t, dsn, "limits: {statement_timeout: 200ms, lock_timeout: 50ms}"))
	n := tableNamed(t, s, "odd").Numbers
	if m := method(tableNamed(t, s, "odd")); m != "statistics" || n.Deleted.Bounded() {
		t.Fatalf("by %s: %+v", m, n)
	}
	if m := method(tableNamed(t, refreshAfter(t, inspector(t, dsn, "limits: {statement_timeout: 20s}"), s, nil),
		"odd")); m != "exact" {
		t.Errorf("at the next refresh by %s", m)
	}
}

// Numbers that can no longer be confirmed expire, even those of a table that was waiting for its turn when the
// catalogs could last be read.
func TestNobodyWaitsWhereNothingCanBeDiscovered(t *testing.T) {
	t.Parallel()
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	name, its := role(t, dsn)
	pgtest.Exec(t, dsn, asRole(deletedAt("users")+"GRANT SELECT ON users TO watcher", name))
	i := inspector(t, its, "")
	s := first(t, i)
	waiting := &s.Databases[0].Tables[0]
	waiting.Waiting = true
	waiting.Integrity = []softdelete.Check{{Waiting: true}}
	pgtest.Exec(t, dsn, "REVOKE SELECT ON pg_catalog.pg_description FROM PUBLIC")
	next := refreshAfter(t, i, s, nil).Databases[0]
	if next.Checks.Discovery || next.Tables[0].Waiting || next.Tables[0].Integrity[0].Waiting {
		t.Errorf("it still waits: %+v", next)
	}
	if !waiting.Waiting || !waiting.Integrity[0].Waiting {
		t.Error("the Snapshot before was changed")
	}
}
