package queries

import (
	"github.com/softdelete-exporter/softdelete_exporter/indexes"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// Indexes returns the changeable facts about the indexes of the given relations.
func Indexes(relids []uint32) string {
	return statement("indexes.sql", vars{"relids": array(relids)})
}

// IndexDetails returns what the catalogs contain about the given indexes.
func IndexDetails(indexes []uint32) string {
	return statement("indexes_details.sql", vars{"indexes": array(indexes)})
}

// IndexDeparse returns the predicates and expressions of indexes of one table.
func IndexDeparse(indexes []uint32) string {
	return statement("indexes_deparse.sql", vars{"indexes": array(indexes)})
}

// IndexConstraints returns the constraints that depend on indexes of the given tables, and the tables' foreign keys.
func IndexConstraints(relids []uint32) string {
	return statement("indexes_constraints.sql", vars{"relids": array(relids)})
}

// IndexHeaps returns the sizes and updates of the given relations.
func IndexHeaps(relids []uint32) string {
	return statement("indexes_heaps.sql", vars{"relids": array(relids)})
}

// IndexPartitions returns all partitions, at all levels, of those relations that are partitioned.
func IndexPartitions(relids []uint32) string {
	return statement("indexes_partitions.sql", vars{"relids": array(relids)})
}

// IndexReferences returns what is needed to index the columns of the given foreign keys.
func IndexReferences(keys []uint32) string {
	return statement("indexes_references.sql", vars{"constraints": array(keys)})
}

// IndexNames returns the existing names that have the endings of our names.
func IndexNames() string { return statement("indexes_names.sql", nil) }

// IndexStatistics returns since when the use of indexes has been counted.
func IndexStatistics() string { return statement("indexes_statistics.sql", nil) }

// LiveContradicts lets the planner prove that no live row matches a predicate.
func LiveContradicts(schema, name, predicate string, markers softdelete.Markers) string {
	return contradiction(schema, name, predicate, provablyLive(markers))
}

// DeletedContradicts lets the planner prove that no deleted row matches a predicate.
func DeletedContradicts(schema, name, predicate string, markers softdelete.Markers) string {
	return contradiction(schema, name, predicate, provablyDeleted(markers))
}

// provablyLive returns the predicate of the live rows in the form of partial indexes, which helps the planner's
// proofs. It proves nothing from IS TRUE: of six spellings of "not deleted" none contradicts "flag IS TRUE", but five
// contradict "flag".
func provablyLive(markers softdelete.Markers) string {
	return join(markers, " AND ", func(m softdelete.Marker) string {
		if m.Planned() {
			return "true" // until a time that no index knows
		}
		index := clock{}.decide(m, "live index")
		if m.NullIsLive() {
			return ask("or null", vars{"predicate": index, "column": m.Column})
		}
		return index
	})
}

// provablyDeleted returns the predicate of the deleted rows in the same form.
func provablyDeleted(markers softdelete.Markers) string {
	return join(markers, " OR ", func(m softdelete.Marker) string { return clock{}.decide(m, "purge index") })
}

func contradiction(schema, name, predicate, claim string) string {
	return statement("indexes_contradiction.sql",
		vars{"schemaname": schema, "relname": name, "predicate": predicate, "claim": claim})
}

// Hypopg returns the schema of the hypopg extension, quoted.
func Hypopg() string { return statement("hypopg.sql", nil) }

// Trial has the statements that try a hypothetical index in one transaction. Undo follows Try only if that fails;
// Reset always comes last.
type Trial struct{ Savepoint, Try, Undo, Reset string }

// TryLive returns how large an index would be without deleted rows.
func TryLive(hypopg string, t *softdelete.Table, i *softdelete.Index) Trial {
	n := &indexes.NewIndex{Method: i.Method, Keys: i.Keys, Include: i.Include, Rows: indexes.LiveRows, Markers: t.Markers}
	return Trial{
		Savepoint: statement("hypopg_savepoint.sql", nil),
		Try: statement("hypopg_try.sql",
			vars{"hypopg": hypopg, "definition": define("hypopg_index.sql", n, t.Schema, t.Name, "")}),
		Undo:  statement("hypopg_undo.sql", nil),
		Reset: statement("hypopg_reset.sql", vars{"hypopg": hypopg}),
	}
}
