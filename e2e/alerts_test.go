//go:build e2e

package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/softdelete-exporter/softdelete_exporter/internal/pgserver"
	"github.com/softdelete-exporter/softdelete_exporter/internal/pgserver/pgtest"
)

// compressed are the mixin's times, made short; its logic stays.
const compressed = `{
	times+: { bridge: 4, keepFiring: 2, purgePeriod: 4, purgeGrace: 1, recentWindow: 8, responseAverage: 2 },
	alerts+: {
		SoftDeleteDatabaseDown+: { 'for': 1 },
		SoftDeleteDatabaseSlow+: { 'for': 1 },
		SoftDeleteRatioHigh+: { 'for': 1 },
		SoftDeleteRatioElevated+: { 'for': 1 },
		SoftDeleteTableUnreadable+: { 'for': 1 },
		SoftDeleteIndexMissing+: { 'for': 1 },
	},
}`

// trouble is made, must be told of, is mended, and must be told to be over.
type trouble struct {
	alert, severity, relname string
	says                     string
	make, mend               func(*testing.T)
}

func TestEveryTroubleIsDeliveredAndResolved(t *testing.T) {
	server := pgtest.Start(t, pgserver.Options{})
	dsn := pgtest.NewDatabase(t, server)
	datname := pgtest.Value[string](t, dsn, "SELECT current_database()")
	for _, table := range []string{"carts", "messages", "orders", "sessions"} {
		pgtest.Exec(t, dsn, fmt.Sprintf(`
			CREATE TABLE %[1]s (id int PRIMARY KEY, deleted_at timestamptz);
			INSERT INTO %[1]s SELECT i FROM generate_series(1, 40000) i`, table))
	}
	pgtest.Exec(t, dsn, "CREATE ROLE watcher LOGIN; GRANT SELECT ON ALL TABLES IN SCHEMA public TO watcher")
	front := pgtest.NewFront(t, strings.Replace(dsn, "postgres@", "watcher@", 1))
	address := exporter(t, front.DSN, `
ttl: 1s
max_stale: 20s
services: [{name: shop, tables: ['public\..*']}]
`)
	manager, pager := alertmanager(t)
	prom := prometheus(t, "/usr/bin/prometheus", address, manager, compressed)
	// Nothing is wrong yet: what is delivered later is delivered for its trouble.
	within(t, 20*time.Second, "all tables to be counted over a whole recent window", func() bool {
		return query(t, prom, "softdelete_deleted_rows offset 9s") == 4
	})
	if early := pager.names(); early != "" {
		t.Errorf("delivered before there was trouble: %s", early)
	}

	sql := func(statement string) func(*testing.T) {
		return func(t *testing.T) { pgtest.Exec(t, dsn, statement) }
	}
	for _, test := range []trouble{
		{
			"SoftDeleteBulkDelete", "warning", "orders", "15000 rows of public.orders",
			sql("UPDATE orders SET deleted_at = now() WHERE id <= 15000"),
			sql("SELECT"), // it passes by itself, with the window
		},
		{
			"SoftDeleteRatioHigh", "warning", "carts", "At least 60% of the rows of public.carts",
			sql("UPDATE carts SET deleted_at = now() WHERE id <= 24000"),
			sql("DELETE FROM carts WHERE deleted_at IS NOT NULL"),
		},
		{
			"SoftDeleteOldRowsHigh", "warning", "messages", "At least 12000 soft-deleted rows of public.messages",
			sql("UPDATE messages SET deleted_at = now() - interval '100 days' WHERE id <= 12000"),
			sql("DELETE FROM messages WHERE deleted_at IS NOT NULL"),
		},
		{
			"SoftDeleteTableUnreadable", "warning", "sessions", "permission_denied",
			sql("REVOKE SELECT ON sessions FROM watcher"),
			sql("GRANT SELECT ON sessions TO watcher"),
		},
		{
			"SoftDeleteDatabaseSlow", "warning", "", "the limit is 100 ms",
			func(*testing.T) { front.Behave(pgtest.Slow) },
			func(*testing.T) { front.Behave(pgtest.Forwarding) },
		},
		{
			"SoftDeleteDatabaseDown", "critical", "", address,
			func(t *testing.T) {
				if err := server.Halt(); err != nil {
					t.Fatal(err)
				}
			},
			func(t *testing.T) {
				if err := server.Restart(t.Context()); err != nil {
					t.Fatal(err)
				}
			},
		},
	} {
		t.Run(test.alert, func(t *testing.T) { test.run(t, pager, datname) })
	}
}

func (test trouble) run(t *testing.T, pager *pager, datname string) {
	labels := map[string]string{"alertname": test.alert, "severity": test.severity, "job": "softdelete", "cluster": "test"}
	if test.relname != "" {
		labels["datname"], labels["schemaname"], labels["relname"], labels["service"] = datname, "public", test.relname, "shop"
	}
	delivered := func(status string) func() bool {
		return func() bool { return pager.last(labels).Status == status }
	}
	test.make(t)
	within(t, 40*time.Second, "the alert to be delivered; there were: "+pager.names(), delivered("firing"))
	got := pager.last(labels)
	if text := got.Annotations["description"]; !strings.Contains(text, test.says) {
		t.Errorf("the description does not say %q: %s", test.says, text)
	}
	if !strings.HasSuffix(got.Annotations["runbook_url"], "#"+strings.ToLower(test.alert)) {
		t.Errorf("the runbook is %q", got.Annotations["runbook_url"])
	}
	test.mend(t)
	within(t, 40*time.Second, "the alert to be resolved", delivered("resolved"))
}
