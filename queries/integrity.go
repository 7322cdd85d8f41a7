package queries

import (
	"fmt"
	"strings"

	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// Reference is what a foreign key compares: its columns, those that they reference, and
// the operators between each referenced column and its own, all in parallel.
type Reference struct{ Columns, Referenced, Operators []string }

// ForeignKeys asks for the foreign keys of the children that reference the parents.
func ForeignKeys(children, parents []uint32) string {
	return statement("integrity_keys.sql", vars{"children": array(children), "parents": array(parents)})
}

// Unreadable asks which columns, by relation and name in parallel, we may not read.
func Unreadable(relations []uint32, attnames []string) string {
	return statement("integrity_access.sql", vars{"relations": array(relations), "attnames": array(attnames)})
}

// Contradictions counts the rows whose flag and time disagree, and those that were
// deleted in the future, unless the relation is larger than most bytes. What does not
// apply to the table is counted as 0.
func (r Relation) Contradictions(most int64) string {
	t, v := r.Table, r.vars()
	v["most"], v["inconsistent"], v["future"] = fmt.Sprint(most), "false", "false"
	if pairs := t.Markers.Pairs(); len(pairs) > 0 {
		v["inconsistent"] = join(pairs, " OR ", func(m softdelete.Marker) string { return inconsistent(m, t.Policy.TimeZone) })
	}
	if t.KnowsFuture() {
		v["future"] = deletedInFuture(t.Markers.WithTime(), t.Policy.TimeZone)
	}
	return statement("integrity_rows.sql", v)
}

// Orphans counts the live rows that reference a deleted row of the parent, unless both
// together are larger than most bytes.
func (r Relation) Orphans(parent Relation, key Reference, most int64) string {
	columns, reference := make([]string, len(key.Columns)), make([]string, len(key.Columns))
	for i, c := range key.Columns {
		columns[i] = identifier(c)
		reference[i] = "parent." + identifier(key.Referenced[i]) + " " + key.Operators[i] + " child." + identifier(c)
	}
	return statement("integrity_orphans.sql", vars{
		"schemaname": r.Schema, "relname": r.Name, "live": live(r.Table.Markers), "keys": strings.Join(columns, ", "),
		"referencedschema": parent.Schema, "referencedname": parent.Name, "deleted": deleted(parent.Table.Markers),
		"reference": strings.Join(reference, " AND "), "most": fmt.Sprint(most),
	})
}
