package queries

import (
	"fmt"
	"slices"
	"strings"
)

// GrantColumns lets a role count a relation by the given columns.
func GrantColumns(schema, name string, columns []string, role string) string {
	quoted := make([]string, 0, len(columns)+2)
	for _, c := range slices.Concat(columns, []string{"ctid", "tableoid"}) {
		quoted = append(quoted, identifier(c))
	}
	return advice("grant.sql", vars{"columns": strings.Join(quoted, ", "), "schemaname": schema, "relname": name,
		"role": role})
}

// GrantUsage lets a role use the objects of a schema.
func GrantUsage(schema, role string) string {
	return advice("usage.sql", vars{"schemaname": schema, "role": role})
}

// Connect returns psql's command to connect to a database. psql could take a bare name for a connection string, which
// may lead elsewhere. It has no escapes for control characters, so names that contain any are refused.
func Connect(database string) (string, error) {
	if !plain(database) {
		return "", fmt.Errorf("psql cannot be told to connect to database %q: its name holds control characters", database)
	}
	return `\connect -reuse-previous=on "dbname='` +
		strings.NewReplacer(`\`, `\\`, `'`, `\'`, `"`, `""`).Replace(database) + `'"`, nil
}

// GrantConnect lets a role connect to a database.
func GrantConnect(database, role string) string {
	return advice("connect.sql", vars{"database": database, "role": role})
}

// LimitConnections lets a role have the two connections of one exporter.
func LimitConnections(role string) string { return advice("limit_role.sql", vars{"role": role}) }

// GrantUntracked lets a role leave its own statements out of pg_stat_statements.
func GrantUntracked(role string) string {
	return advice("untracked_grant.sql", vars{"role": role})
}

// RenameTable gives a relation a new name, without writing the current name.
func RenameTable(oid uint32) string { return rename("rename_table.sql", oid) }

// RenameSchema gives the schema of a relation a new name in the same way.
func RenameSchema(oid uint32) string { return rename("rename_schema.sql", oid) }

func rename(body string, oid uint32) string {
	return advice("rename.sql", vars{"body": advice(body, vars{"relation": fmt.Sprint(oid)})})
}

// ShowAllRows lets a role read every row of a relation, or, in a comment, of all relations: a policy
// can be restricted by others.
func ShowAllRows(schema, name, role string) string {
	return advice("policy.sql", vars{"schemaname": schema, "relname": name, "role": role}) +
		" -- or, if another policy restricts that: " + BypassRowSecurity(role)
}

// BypassRowSecurity lets a role see all rows.
func BypassRowSecurity(role string) string {
	return advice("bypassrls.sql", vars{"role": role})
}
