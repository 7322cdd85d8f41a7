package inspect

import (
	"runtime"
	"testing"
	"weak"

	"github.com/softdelete-exporter/softdelete_exporter/config"
	"github.com/softdelete-exporter/softdelete_exporter/internal/pgserver/pgtest"
)

// A Snapshot lives long. If it referred to anything of its refresh, all of that would live as long, for each refresh
// that last counted some table.
func TestASnapshotKeepsNothingOfItsRefresh(t *testing.T) {
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	pgtest.Exec(t, dsn, `CREATE TABLE users (id int PRIMARY KEY, deleted_at timestamptz);
		CREATE TABLE orders (id int PRIMARY KEY, is_deleted boolean);
		CREATE TABLE parts (deleted_at date) PARTITION BY RANGE (deleted_at);
		CREATE TABLE part PARTITION OF parts DEFAULT;
		INSERT INTO users SELECT i, CASE WHEN i % 2 = 0 THEN now() - interval '1 year' END FROM generate_series(1, 10) i`)
	i := inspector(t, dsn, "integrity: true")
	sound := i.Config()
	var used []weak.Pointer[config.Config]
	i.Config = func() *config.Config {
		own := *sound
		used = append(used, weak.Make(&own))
		return &own
	}
	s := first(t, i)
	if tableNamed(t, s, "users").Numbers == nil {
		t.Fatal("nothing was counted")
	}
	runtime.GC()
	for _, c := range used {
		if c.Value() != nil {
			t.Error("a refresh lives as long as its Snapshot")
		}
	}
	runtime.KeepAlive(s)
}

// Tables of the same day and retention have the same edges, so they are kept once.
func TestTablesShareTheEdgesOfTheirAges(t *testing.T) {
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	pgtest.Exec(t, dsn, `CREATE TABLE a AS SELECT now() AS deleted_at; CREATE TABLE b AS SELECT now() AS deleted_at;
		CREATE TABLE c AS SELECT now() AS deleted_at`)
	s := first(t, inspector(t, dsn, "tables: [{table: c, retention: 10d}]"))
	a, b, c := tableNamed(t, s, "a").Numbers.Ages, tableNamed(t, s, "b").Numbers.Ages, tableNamed(t, s, "c").Numbers.Ages
	if &a.Edges[0] != &b.Edges[0] && a.Edges[0].Equal(b.Edges[0]) {
		t.Error("two tables keep the same edges")
	}
	if len(c.Edges) == len(a.Edges) {
		t.Error("another retention has the same edges")
	}
}
