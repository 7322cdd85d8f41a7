//go:build unix

package data_test

import (
	"fmt"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/softdelete-exporter/softdelete_exporter/demo/data"
	"github.com/softdelete-exporter/softdelete_exporter/internal/pgserver/pgtest"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

// scale makes ten thousand rows: enough for each story, and quickly loaded.
const scale = 0.01

// load fills a new database with the demo's data, and returns its connection string.
func load(t *testing.T) (dsn string) {
	t.Helper()
	dsn = pgtest.NewDatabase(t, pgtest.Shared(t))
	if err := data.Load(t.Context(), dsn, scale); err != nil {
		t.Fatal(err)
	}
	return dsn
}

// These numbers must not change, in any version of PostgreSQL: golden files elsewhere depend on them.
func TestDataAreTheSameInEveryRun(t *testing.T) {
	type counts struct{ Total, Deleted int }
	want := map[string]counts{
		"UserProfile":            {Total: 600, Deleted: 71},
		"carts":                  {Total: 3000, Deleted: 2164},
		"customers":              {Total: 1500, Deleted: 37},
		"gift_cards":             {},
		"messages":               {Total: 1600, Deleted: 361},
		"newsletter_subscribers": {Total: 600, Deleted: 96},
		"products":               {Total: 300, Deleted: 24},
		"reviews":                {Total: 800, Deleted: 330},
		"sellers":                {Total: 200, Deleted: 32},
		"shipments":              {Total: 1800, Deleted: 118},
	}
	got, total := map[string]counts{}, 0
	dsn := load(t)
	for _, table := range data.Tables {
		deleted := "deleted_at IS NOT NULL"
		switch table.Name {
		case "products":
			deleted = "is_deleted"
		case "UserProfile":
			deleted = `"deletedAt" IS NOT NULL`
		}
		n := pgtest.Value[int](t, dsn, fmt.Sprintf(`SELECT count(*) FROM %q`, table.Name))
		got[table.Name] = counts{n, pgtest.Value[int](t, dsn,
			fmt.Sprintf(`SELECT count(*) FROM %q WHERE %s`, table.Name, deleted))}
		total += n
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	total += pgtest.Value[int](t, dsn, `SELECT count(*) FROM account_deletions`)
	if want := data.Rows(scale); total != want {
		t.Errorf("rows: got %d, Rows says %d", total, want)
	}
}

// Plain SQL finds in each table what the demo says about it.
func TestEachTableTellsItsStory(t *testing.T) {
	dsn := load(t)
	for story, sql := range map[string]string{
		"carts are rotten":           `SELECT avg((deleted_at IS NOT NULL)::int) BETWEEN 0.7 AND 0.75 FROM carts`,
		"carts are within retention": `SELECT min(deleted_at) > now() - interval '90 days' FROM carts`,
		"most deleted messages are " +
			"past retention": `SELECT avg((deleted_at < now() - interval '90 days')::int) > 0.7
			FROM messages WHERE deleted_at IS NOT NULL`,
		"no index helps the purge of messages": `SELECT NOT EXISTS (SELECT FROM pg_indexes
			WHERE tablename = 'messages' AND indexdef ~ 'btree \(deleted_at')`,
		"newsletter has live duplicates": `SELECT count(*) > count(DISTINCT email)
			FROM newsletter_subscribers WHERE deleted_at IS NULL`,
		"reviews are deleted by " +
			"the thousand": `SELECT avg((deleted_at IS NOT NULL)::int) BETWEEN 0.35 AND 0.5 FROM reviews`,
		"reviews have no index " +
			"on live rows": `SELECT NOT EXISTS (SELECT FROM pg_indexes
				WHERE tablename = 'reviews' AND indexdef ~ 'deleted_at IS NULL')`,
		"deleted products lack their time": `SELECT count(*) > 0
			FROM products WHERE is_deleted AND deleted_at IS NULL`,
		"live products have one": `SELECT count(*) > 0
			FROM products WHERE is_deleted = false AND deleted_at IS NOT NULL`,
		"a flag is NULL": `SELECT count(*) > 0 FROM products WHERE is_deleted IS NULL`,
		"shipments have rows in a year of partitions": `SELECT count(DISTINCT tableoid) >= 13 FROM shipments`,
		"shipments can be shipped next month": `SELECT to_regclass(to_char(now() + interval '1 month',
			'"shipments_"YYYY"_"MM')) IS NOT NULL`,
		"no shipment is deleted before " +
			"it is shipped": `SELECT count(*) = 0 FROM shipments WHERE deleted_at < shipped_at`,
		"profiles have a time without zone": `SELECT "deletedAt" IS NULL OR pg_typeof("deletedAt") = 'timestamp'::regtype
			FROM "UserProfile" LIMIT 1`,
		"customers are healthy": `SELECT avg((deleted_at IS NOT NULL)::int) < 0.05 FROM customers`,
		"gift cards are empty":  `SELECT count(*) = 0 FROM gift_cards`,
		"each account deletion has a time, so none is " +
			"a soft delete": `SELECT count(*) > 0 AND count(*) = count(deleted_at) FROM account_deletions`,
	} {
		if !pgtest.Value[bool](t, dsn, sql) {
			t.Errorf("not so: %s", story)
		}
	}
	if back := pgtest.Value[int](t, dsn, `
		WITH back AS (
			INSERT INTO sellers (email) SELECT email FROM sellers WHERE deleted_at IS NOT NULL
			ON CONFLICT DO NOTHING RETURNING 1)
		SELECT count(*) FROM back`); back != 0 {
		t.Errorf("%d sellers who left could come back with their address", back)
	}
}

// If the age of a row were at a limit, the count would depend on the second in which it is made.
func TestNoRowCrossesItsRetentionInTheFirstMinutes(t *testing.T) {
	dsn := load(t)
	for _, days := range []int{30, 90, 365} {
		const sql = `SELECT count(*) FROM messages WHERE deleted_at < now() + interval '%d minutes' - interval '%d days'`
		now := pgtest.Value[int](t, dsn, fmt.Sprintf(sql, 0, days))
		later := pgtest.Value[int](t, dsn, fmt.Sprintf(sql, 25, days))
		if now != later || now == 0 {
			t.Errorf("messages deleted more than %d days ago: %d now, %d in 25 minutes", days, now, later)
		}
	}
}

func TestLoadRefusesANonsensicalScale(t *testing.T) {
	for _, scale := range []float64{0, -1} {
		if err := data.Load(t.Context(), "host=127.0.0.1 port=1", scale); err == nil {
			t.Errorf("scale %g: no error", scale)
		}
	}
}
