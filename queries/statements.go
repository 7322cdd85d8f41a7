package queries

import (
	"fmt"
	"strings"
	"time"
)

// Begin opens the short read-only transaction of one query.
func Begin() string { return statement("begin.sql", nil) }

// Limits are what the settings of a transaction depend on.
type Limits struct {
	LockTimeout, StatementTimeout time.Duration
	// Contradictions lets the planner see that predicates contradict each other. It then also evaluates CHECK
	// constraints and their functions.
	Contradictions bool
	// Encoding is that of the database, and Version that of the server; zero as long as it is not known.
	Encoding string
	Version  int
	// Untracked leaves the transaction out of pg_stat_statements. Only some roles may.
	Untracked bool
}

// Settings sets, until the end of the transaction, what it may cost and how PostgreSQL reads and prints.
func Settings(l Limits) []string {
	ms := func(d time.Duration) string { return fmt.Sprintf("%dms", d.Milliseconds()) }
	exclusion, encoding := "off", "UTF8"
	if l.Contradictions {
		exclusion = "on"
	}
	if l.Encoding == "SQL_ASCII" {
		encoding = l.Encoding
	}
	all := statements("settings.sql", vars{"lock_timeout": ms(l.LockTimeout),
		"statement_timeout": ms(l.StatementTimeout), "constraint_exclusion": exclusion, "client_encoding": encoding})
	if l.Untracked {
		all = append(statements("settings_untracked.sql", nil), all...)
	}
	if l.Version >= 170000 {
		all = append(all, statements("settings_17.sql", nil)...)
	}
	return all
}

// statements renders a file of several statements, none of which contains a semicolon.
func statements(file string, values vars) []string {
	all := strings.Split(statement(file, values), ";")
	for i := 1; i < len(all); i++ {
		all[i] = lead + strings.TrimSpace(all[i])
	}
	return all
}

// Message joins statements into one message, which is a read-only transaction of its own, under the given settings.
// Each question keeps its lead, because pg_stat_statements shows each by itself.
func Message(settings []string, questions ...string) string {
	var text strings.Builder
	text.WriteString(statement("transaction.sql", nil))
	for _, setting := range settings {
		text.WriteString(";" + strings.TrimPrefix(setting, lead))
	}
	for _, question := range questions {
		text.WriteString(";\n" + question)
	}
	return text.String()
}

// FitsMessage reports whether a statement means the same in whichever way the role reads strings. PostgreSQL splits a
// message into statements before it runs the first, so standard_conforming_strings is then still the role's. Only
// strings that PostgreSQL has written, such as 'C:\' in a default, do not fit.
func FitsMessage(sql string) bool {
	if !strings.Contains(sql, `\`) {
		return true
	}
	for _, m := range token.FindAllStringIndex(sql, -1) {
		if s := sql[m[0]:m[1]]; s[0] == '\'' && strings.Contains(s, `\`) && !strings.HasSuffix(sql[:m[0]], " E") {
			return false
		}
	}
	return true
}

// Commit ends the transaction.
func Commit() string { return statement("commit.sql", nil) }

// Rollback ends a transaction that failed.
func Rollback() string { return statement("rollback.sql", nil) }

// Ping is the shortest query.
func Ping() string { return statement("ping.sql", nil) }

// Server returns what a new connection must know about the server. Major is its version as far as it is known.
func Server(major int) string {
	untracked := "false"
	if major >= 15 {
		untracked = ask("untracked", nil)
	}
	return statement("server.sql", vars{"untracked": untracked})
}

// Columns returns the columns whose folded name is in names or matches the regular expression similar, and all
// columns of the given tables (schemas and relnames in parallel).
func Columns(names []string, similar string, schemas, relnames []string) string {
	return statement("columns.sql", vars{"names": array(names), "similar": similar, "schemas": array(schemas),
		"relnames": array(relnames)})
}

// Defaults returns the values that new rows get in columns, by oid and name in parallel. It does not evaluate any
// default.
func Defaults(relations []uint32, attnames []string) string {
	return statement("defaults.sql", vars{"relations": array(relations), "attnames": array(attnames)})
}

// Constant returns the value of an expression that Defaults calls constant, in its type.
func Constant(expression, typ string) string {
	return statement("constant.sql", vars{"expression": expression, "type": typ})
}

// Evidence returns the partial indexes of one relation with their predicates as text. It waits for a transaction that
// changes the relation.
func Evidence(relation uint32) string {
	return statement("evidence.sql", vars{"relation": fmt.Sprint(relation)})
}

// RowSecurity reads what policies let us read, for the rest of a transaction.
func RowSecurity() string { return statement("row_security.sql", nil) }

// Visible asks which of the relations hide no row from us.
func Visible(relations []uint32) string {
	return statement("visible.sql", vars{"relations": array(relations)})
}

// Statistics returns values of columns, by oid and name in parallel, without reading their tables.
func Statistics(relations []uint32, attnames []string) string {
	return statement("statistics.sql", vars{"relations": array(relations), "attnames": array(attnames)})
}

// Probe returns one value of an integer column that is above zero and not among the values of new rows.
func Probe(schema, name, column string, born []string) string {
	return statement("probe.sql", vars{"schemaname": schema, "relname": name, "column": column, "born": array(born)})
}

// Writable fails if the encoding of the database cannot represent a text.
func Writable(text string) string { return statement("writable.sql", vars{"text": text}) }

// Function returns the function whose body contains a text, preferably one that the given relations call.
func Function(text string, relations []uint32) string {
	return statement("function.sql", vars{"text": text, "relations": array(relations)})
}

// SetSearchPath returns the statement with which a function finds its names.
func SetSearchPath(function string) string {
	return advice("function_path.sql", vars{"function": function})
}

// Tables returns the schema and name of all tables.
func Tables() string { return statement("tables.sql", nil) }

// Partitions returns the partitions of the given partitioned tables.
func Partitions(roots []uint32) string {
	return statement("partitions.sql", vars{"roots": array(roots)})
}

// Databases returns the databases that the role may watch.
func Databases() string { return statement("databases.sql", nil) }

// Citus returns the tables whose rows Citus stores elsewhere.
func Citus() string { return statement("citus.sql", nil) }

// Timescale returns the tables whose rows TimescaleDB stores elsewhere.
func Timescale() string { return statement("timescale.sql", nil) }
