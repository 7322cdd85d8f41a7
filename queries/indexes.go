package queries

import (
	"github.com/softdelete-exporter/softdelete_exporter/indexes"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// Indexes asks for what may change of the indexes of the given relations.
func Indexes(relids []uint32) string {
	return statement("indexes.sql", vars{"relids": array(relids)})
}

// IndexDetails asks for what the catalogs say of the given indexes.
func IndexDetails(indexes []uint32) string {
	return statement("indexes_details.sql", vars{"indexes": array(indexes)})
}

// IndexDeparse asks for the predicates and expressions of indexes of one table.
func IndexDeparse(indexes []uint32) string {
	return statement("indexes_deparse.sql", vars{"indexes": array(indexes)})
}

// IndexConstraints asks for the constraints that rely on indexes of the given
// tables, and for the tables' foreign keys.
func IndexConstraints(relids []uint32) string {
	return statement("indexes_constraints.sql", vars{"relids": array(relids)})
}

// IndexHeaps asks for the sizes and updates of the given relations.
func IndexHeaps(relids []uint32) string {
	return statement("indexes_heaps.sql", vars{"relids": array(relids)})
}

// IndexPartitions asks for all relations below the partitioned ones of the given.
func IndexPartitions(relids []uint32) string {
	return statement("indexes_partitions.sql", vars{"relids": array(relids)})
}

// IndexNames asks for the taken names among those that end as ours do.
func IndexNames() string { return statement("indexes_names.sql", nil) }

// IndexStatistics asks since when the use of indexes is counted.
func IndexStatistics() string { return statement("indexes_statistics.sql", nil) }

// LiveContradicts has the planner prove that a predicate lets no live row in.
func LiveContradicts(schema, name, predicate string, markers softdelete.Markers) string {
	return contradiction(schema, name, predicate, provablyLive(markers))
}

// DeletedContradicts has the planner prove that a predicate lets no deleted row in.
func DeletedContradicts(schema, name, predicate string, markers softdelete.Markers) string {
	return contradiction(schema, name, predicate, provablyDeleted(markers))
}

// provablyLive is the predicate of the live rows in the words of partial indexes, from which
// the planner concludes more. From IS TRUE it concludes nothing: of six spellings of "not
// deleted" none contradicts "flag IS TRUE", and five contradict "flag".
func provablyLive(markers softdelete.Markers) string {
	return join(markers, " AND ", func(m softdelete.Marker) string {
		index := decide(m, "live index")
		if m.NullIsLive() {
			return ask("or null", vars{"predicate": index, "column": m.Column})
		}
		return index
	})
}

// provablyDeleted is the same of the deleted rows.
func provablyDeleted(markers softdelete.Markers) string {
	return join(markers, " OR ", func(m softdelete.Marker) string { return decide(m, "purge index") })
}

func contradiction(schema, name, predicate, claim string) string {
	return statement("indexes_contradiction.sql",
		vars{"schemaname": schema, "relname": name, "predicate": predicate, "claim": claim})
}

// Hypopg asks for the schema of the hypopg extension, quoted.
func Hypopg() string { return statement("hypopg.sql", nil) }

// Trial are the statements that try a hypothetical index, in one transaction: undo
// follows try only if that fails, reset follows in any case.
type Trial struct{ Savepoint, Try, Undo, Reset string }

// TryLive asks how large an index would be without deleted rows.
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
