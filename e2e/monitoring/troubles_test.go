//go:build e2e

package monitoring

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/softdelete-exporter/softdelete_exporter/internal/pgserver/pgtest"
)

// trouble is a fault of a table of the shop.
type trouble struct {
	table string
	// setup makes a healthy table, make causes the fault, and heal ends it.
	setup      string
	make, heal func(t *testing.T, dsn string)
	alerts     []alert
}

func sql(text string) func(*testing.T, string) {
	return func(t *testing.T, dsn string) { pgtest.Exec(t, dsn, text) }
}

// troubles returns the faults of all tables. about is the part of a description that names the table, and labelled
// returns its labels.
func troubles(about func(table string) string, labelled func(table, service string,
	more ...string) map[string]string) []trouble {
	lock := make(chan func())
	return []trouble{{
		table: "carts",
		setup: `CREATE TABLE carts AS SELECT i AS id,
			CASE WHEN i <= 300 THEN now() END AS deleted_at FROM generate_series(1, 3000) i`,
		make: sql(`UPDATE carts SET deleted_at = now() WHERE id <= 1800`),
		heal: sql(`DELETE FROM carts WHERE deleted_at IS NOT NULL`),
		alerts: []alert{{
			"SoftDeleteRatioHigh", "warning", "shop", labelled("carts", "shop"),
			"At least 60% of the rows of " + about("carts") + " are soft-deleted; the limit is 50%.",
		}},
	}, {
		table: "messages",
		setup: `CREATE TABLE messages AS SELECT i AS id,
			CASE WHEN i <= 12000 THEN now() - interval '80 days' END AS deleted_at FROM generate_series(1, 60000) i`,
		make: sql(`UPDATE messages SET deleted_at = deleted_at - interval '80 days'`),
		heal: sql(`DELETE FROM messages WHERE deleted_at < now() - interval '90 days'`),
		alerts: []alert{{
			"SoftDeletePurgeOverdue", "warning", "accounts", labelled("messages", "accounts"),
			"Soft-deleted rows of " + about("messages") +
				" have been past their retention for 70d …, and a purge has 4s to remove them.",
		}},
	}, {
		table: "orders",
		setup: `CREATE TABLE orders AS SELECT i AS id, CAST(NULL AS timestamptz) AS deleted_at FROM generate_series(1,
			60000) i`,
		make: sql(`UPDATE orders SET deleted_at = now() WHERE id <= 12000`),
		heal: func(*testing.T, string) {}, // the recent window passes
		alerts: []alert{{
			"SoftDeleteBulkDelete", "warning", "shop", labelled("orders", "shop"),
			"12000 rows of " + about("orders") +
				" were soft-deleted within 20s, more than is usual there; the limit is 10000.",
		}},
	}, {
		table: "products", // the time is unknown, so the number itself is compared with earlier ones
		setup: `CREATE TABLE products AS SELECT i AS id, i <= 5 AS is_deleted FROM generate_series(1, 60000) i`,
		make:  sql(`UPDATE products SET is_deleted = true WHERE id > 45000 AND id <= 57000`),
		heal:  func(*testing.T, string) {},
		alerts: []alert{{
			"SoftDeleteBulkDelete", "warning", "shop", labelled("products", "catalogue"),
			"12000 rows of " + about("products") +
				" were soft-deleted within 20s, more than is usual there; the limit is 10000.",
		}},
	}, {
		// With a retention of an hour there is much to purge, and each batch reads the table.
		table: "reviews",
		setup: `CREATE TABLE reviews AS SELECT i AS id, repeat('It wobbles. ', 10) AS body,
			CASE WHEN i <= 5000 THEN now() END AS deleted_at FROM generate_series(1, 25000) i;
			CREATE INDEX reviews_purge_idx ON reviews (deleted_at) WHERE deleted_at IS NOT NULL`,
		make: sql(`DROP INDEX reviews_purge_idx`),
		heal: sql(`CREATE INDEX reviews_purge_idx ON reviews (deleted_at) WHERE deleted_at IS NOT NULL`),
		alerts: []alert{{
			"SoftDeleteIndexMissing", "info", "shop", labelled("reviews", "catalogue", "purpose", "purge"),
			about("reviews") +
				" has no index for the purge of old deleted rows, and one would help. The report of that server " +
				"(`softdelete_exporter report`) has the statement.",
		}},
	}, {
		table: "sessions",
		setup: `CREATE TABLE sessions AS SELECT i AS id, CAST(NULL AS timestamptz) AS deleted_at FROM generate_series(1,
			10) i`,
		make: func(t *testing.T, dsn string) {
			holder, err := pgx.Connect(t.Context(), dsn)
			if err != nil {
				t.Fatal(err)
			}
			release := func() { _ = holder.Close(context.Background()) } // the lock is released in any case
			t.Cleanup(release)
			if _, err := holder.Exec(t.Context(), "BEGIN; LOCK TABLE sessions"); err != nil {
				t.Fatal(err)
			}
			go func() { lock <- release }()
		},
		heal: func(*testing.T, string) { (<-lock)() },
		alerts: []alert{{
			"SoftDeleteTableUnreadable", "warning", "accounts", labelled("sessions", "accounts", "reason", "locked"),
			"The exporter cannot count " + about("sessions") + " (locked): another session holds a lock on it.",
		}},
	}}
}
