package inspect

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/softdelete-exporter/softdelete_exporter/internal/pgserver/pgtest"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// deletedWithin counts in plain SQL the deleted rows of a class.
func deletedWithin(t *testing.T, dsn, name string, c softdelete.AgeClass) float64 {
	t.Helper()
	where := "deleted_at IS NOT NULL"
	if !c.From.IsZero() {
		where += " AND deleted_at >= '" + c.From.Format(time.RFC3339) + "'"
	}
	if !c.To.IsZero() {
		where += " AND deleted_at < '" + c.To.Format(time.RFC3339) + "'"
	}
	return float64(pgtest.Value[int64](t, dsn, "SELECT count(*) FROM "+name+" WHERE "+where))
}

// allEdges keeps all classes apart.
func allEdges(time.Time) bool { return true }

// A sample shows the classes that it knows to within half of their rows, and the oldest deletion that it has.
func TestASampleKnowsAges(t *testing.T) {
	t.Parallel()
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	for name, share := range map[string]string{"many": "0.4", "few": "0.002"} {
		execEach(t, dsn, fmt.Sprintf(`
			CREATE TABLE %s (id int, deleted_at timestamptz, filler text) WITH (autovacuum_enabled = off);
			INSERT INTO %[1]s SELECT i, CASE WHEN random() < %s THEN now() - random() * random() * interval '700 days' END,
				repeat('x', 120) FROM generate_series(1, 100000) i`, name, share))
	}
	execEach(t, dsn, `CREATE TABLE two AS SELECT deleted_at, deleted_at AS trashed_at, filler FROM many;
		CREATE TABLE parted (id int, deleted_at timestamptz, filler text) PARTITION BY RANGE (id);
		CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM (0) TO (6000);
		CREATE TABLE parted_2 PARTITION OF parted FOR VALUES FROM (6000) TO (200000);
		INSERT INTO parted SELECT * FROM many`)
	name, its := role(t, dsn)
	pgtest.Exec(t, dsn, asRole("GRANT SELECT (deleted_at) ON many TO watcher", name))
	sampled := first(t, inspector(t, dsn, "counting: {exact_max_bytes: 1MB, target_margin: 0, blocks: 1000}"))
	system := first(t, inspector(t, its, sampledAlways))

	for what, table := range map[string]softdelete.Table{
		"blocks": tableNamed(t, sampled, "many"), "partitions": tableNamed(t, sampled, "parted"),
		"without ctid": tableNamed(t, system, "many"),
	} {
		n := table.Numbers
		if n == nil || n.Method != softdelete.Sampled || n.Ages == nil {
			t.Errorf("%s: %+v", what, n)
			continue
		}
		classes := n.Ages.Classes(allEdges)
		if least := map[bool]int{true: 2, false: 5}[what == "without ctid"]; len(classes) < least {
			t.Errorf("%s: only %d classes are known", what, len(classes))
		}
		for _, c := range classes {
			truth := deletedWithin(t, dsn, table.Name, c)
			if off := math.Abs(c.Rows.Value - truth); off > 2*c.Rows.Margin || c.Rows.Margin > c.Rows.Value/2 ||
				c.Rows.Margin == 0 {
				t.Errorf("%s: from %s to %s there are %+v rows; want %g", what, c.From, c.To, c.Rows, truth)
			}
		}
		oldest := pgtest.Value[time.Time](t, dsn, "SELECT min(deleted_at) FROM "+table.Name)
		// A sample of a tenth of the rows has one of the oldest percent.
		if seen := n.OldestSeen; seen.Before(oldest.Add(-time.Millisecond)) || seen.After(time.Now().AddDate(0, 0, -500)) ||
			!n.Oldest.IsZero() {
			t.Errorf("%s: the oldest in the sample is %s, known is %s; the oldest is %s", what, seen, n.Oldest, oldest)
		}
	}
	if n := tableNamed(t, sampled, "few").Numbers; n == nil || n.Ages != nil || n.OldestSeen.IsZero() {
		t.Errorf("a few deleted rows: %+v", n)
	}
	if n := tableNamed(t, sampled, "two").Numbers; n == nil || n.Ages != nil || n.OldestSeen.IsZero() {
		t.Errorf("two markers: %+v", n)
	}
}

// Statistics show the shape, without any margin.
func TestStatisticsShowTheShapeOfAges(t *testing.T) {
	t.Parallel()
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	pgtest.Exec(t, dsn, `
		CREATE TABLE orders AS SELECT CASE WHEN i % 4 = 0 THEN now() - random() * interval '700 days' END AS deleted_at
			FROM generate_series(1, 20000) i;
		CREATE TABLE paired AS SELECT deleted_at IS NOT NULL AS is_deleted, deleted_at FROM orders;
		CREATE TABLE live AS SELECT NULL::timestamptz AS deleted_at FROM orders; ANALYZE;
		CREATE TABLE unknown AS SELECT * FROM paired`)
	s := first(t, inspector(t, dsn, "counting: {method: statistics}"))
	n := tableNamed(t, s, "orders").Numbers
	if n == nil || n.Ages == nil {
		t.Fatalf("%+v", n)
	}
	for _, c := range n.Ages.Classes(allEdges) {
		if truth := deletedWithin(t, dsn, "orders", c); math.Abs(c.Rows.Value-truth) > 200 || c.Rows.Bounded() {
			t.Errorf("from %s to %s there are %+v rows; want about %g", c.From, c.To, c.Rows, truth)
		}
	}
	if all := n.Ages.All(); math.Abs(all.Value-n.Deleted.Value) > 1 {
		t.Errorf("all classes have %g rows, deleted are %g", all.Value, n.Deleted.Value)
	}
	for _, name := range []string{"paired", "live"} {
		if table := tableNamed(t, s, name); table.Numbers == nil || table.Numbers.Ages != nil {
			t.Errorf("%s: %+v, %+v", name, table.Numbers, table.Problem)
		}
	}
	if p := tableNamed(t, s, "unknown").Problem; p == nil || !strings.Contains(p.Message, "run ANALYZE") {
		t.Errorf("a pair without statistics: %+v", p)
	}
}
