package queries

import (
	"slices"
	"strings"
)

// GrantColumns lets a role count a relation by the given columns.
func GrantColumns(schema, name string, columns []string, role string) string {
	quoted := make([]string, 0, len(columns)+2)
	for _, c := range slices.Concat(columns, []string{"ctid", "tableoid"}) {
		quoted = append(quoted, identifier(c))
	}
	return advice("grant.sql", vars{"columns": strings.Join(quoted, ", "), "schemaname": schema, "relname": name, "role": role})
}

// GrantUsage lets a role look into a schema.
func GrantUsage(schema, role string) string {
	return advice("usage.sql", vars{"schemaname": schema, "role": role})
}

// Connect is psql's command to connect to a database.
func Connect(database string) string { return `\connect ` + identifier(database) }

// GrantConnect lets a role connect to a database.
func GrantConnect(database, role string) string {
	return advice("connect.sql", vars{"database": database, "role": role})
}

// BypassRowSecurity lets a role see every row.
func BypassRowSecurity(role string) string {
	return advice("bypassrls.sql", vars{"role": role})
}
