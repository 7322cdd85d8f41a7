package queries

import (
	"fmt"
	"time"
)

// Begin opens the short read-only transaction of one question.
func Begin() string { return statement("begin.sql", nil) }

// Settings bounds what the transaction may cost, and says how it is read, until its end.
// Only with contradictions does the planner see that predicates contradict each other,
// for which it also looks into CHECK constraints and their functions.
func Settings(lockTimeout, statementTimeout time.Duration, contradictions bool) string {
	ms := func(d time.Duration) string { return fmt.Sprintf("%dms", d.Milliseconds()) }
	exclusion := "off"
	if contradictions {
		exclusion = "on"
	}
	return statement("settings.sql", vars{"lock_timeout": ms(lockTimeout), "statement_timeout": ms(statementTimeout),
		"constraint_exclusion": exclusion})
}

// Commit ends the transaction.
func Commit() string { return statement("commit.sql", nil) }

// Rollback ends a transaction that failed.
func Rollback() string { return statement("rollback.sql", nil) }

// Ping is the shortest question.
func Ping() string { return statement("ping.sql", nil) }

// Server asks what a new connection must know about the server.
func Server() string { return statement("server.sql", nil) }

// Columns asks for the columns whose folded name is in names or matches the regular
// expression similar, and for all columns of the given tables (schemas and relnames in
// parallel).
func Columns(names []string, similar string, schemas, relnames []string) string {
	return statement("columns.sql", vars{"names": array(names), "similar": similar, "schemas": array(schemas),
		"relnames": array(relnames)})
}

// Defaults asks for what rows of columns are born with, by oid and name in parallel. It
// runs no default.
func Defaults(relations []uint32, attnames []string) string {
	return statement("defaults.sql", vars{"relations": array(relations), "attnames": array(attnames)})
}

// Constant asks for the value of an expression that Defaults calls constant, in its type.
func Constant(expression, typ string) string {
	return statement("constant.sql", vars{"expression": expression, "type": typ})
}

// Evidence asks for the predicates of the unique indexes and exclusion constraints of one
// relation, as text. It waits for whoever changes the relation.
func Evidence(relation uint32) string {
	return statement("evidence.sql", vars{"relation": fmt.Sprint(relation)})
}

// Statistics asks for values of columns, by oid and name in parallel, without reading
// their tables.
func Statistics(relations []uint32, attnames []string) string {
	return statement("statistics.sql", vars{"relations": array(relations), "attnames": array(attnames)})
}

// Probe asks for one value of an integer column that is above zero, and none of those with
// which rows are born.
func Probe(schema, name, column string, born []string) string {
	return statement("probe.sql", vars{"schemaname": schema, "relname": name, "column": column, "born": array(born)})
}

// Writable fails where the encoding of the database cannot write a text.
func Writable(text string) string { return statement("writable.sql", vars{"text": text}) }

// Function asks for the function in whose body a text stands, best one that the given
// relations call.
func Function(text string, relations []uint32) string {
	return statement("function.sql", vars{"text": text, "relations": array(relations)})
}

// SetSearchPath lets a function find its names.
func SetSearchPath(function string) string {
	return advice("function_path.sql", vars{"function": function})
}

// Tables asks for the names of all tables: column schema and name, both texts.
func Tables() string { return statement("tables.sql", nil) }

// Partitions asks for the partitions of the given partitioned tables.
func Partitions(roots []uint32) string {
	return statement("partitions.sql", vars{"roots": array(roots)})
}

// Databases asks for the databases that we may watch.
func Databases() string { return statement("databases.sql", nil) }

// Citus asks for the tables whose rows Citus keeps elsewhere.
func Citus() string { return statement("citus.sql", nil) }

// Timescale asks for the tables whose rows TimescaleDB keeps elsewhere.
func Timescale() string { return statement("timescale.sql", nil) }
