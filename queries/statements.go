package queries

import (
	"fmt"
	"time"

	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// Begin opens the short read-only transaction of one question.
func Begin() string { return statement("begin.sql", nil) }

// Settings bounds what the transaction may cost, until its end.
func Settings(lockTimeout, statementTimeout time.Duration) string {
	ms := func(d time.Duration) string { return fmt.Sprintf("%dms", d.Milliseconds()) }
	return statement("settings.sql", vars{"lock_timeout": ms(lockTimeout), "statement_timeout": ms(statementTimeout)})
}

// Commit ends the transaction.
func Commit() string { return statement("commit.sql", nil) }

// Rollback ends a transaction that failed.
func Rollback() string { return statement("rollback.sql", nil) }

// Ping is the shortest question.
func Ping() string { return statement("ping.sql", nil) }

// Server asks what a new connection must know about the server.
func Server() string { return statement("server.sql", nil) }

// Columns asks for the columns whose folded name is in names, and for all columns
// of the given tables (schemas and relnames in parallel).
func Columns(names, schemas, relnames []string) string {
	return statement("columns.sql", vars{"names": array(names), "schemas": array(schemas), "relnames": array(relnames)})
}

// Leaves asks for the leaves of the given partitioned tables.
func Leaves(roots []uint32) string {
	return statement("leaves.sql", vars{"roots": array(roots)})
}

// Count counts one relation in one pass: total, deleted and old rows. The relation
// is the table itself or one of its leaves.
func Count(schema, name string, table *softdelete.Table) string {
	old := "false"
	if table.HasAges() {
		old = deletedBefore(table.Markers, table.Policy.TimeZone, table.Policy.Retention)
	}
	return statement("count.sql", vars{
		"schemaname": schema, "relname": name,
		"deleted": deleted(table.Markers),
		"old":     old,
	})
}
