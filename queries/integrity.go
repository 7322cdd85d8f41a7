package queries

import (
	"fmt"
	"strings"

	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// ForeignKeys returns the foreign keys of the children that reference the parents.
func ForeignKeys(children, parents []uint32) string {
	return statement("integrity_keys.sql", vars{"children": array(children), "parents": array(parents)})
}

// Unreadable returns those columns, by relation and name in parallel, that the role may not read.
func Unreadable(relations []uint32, attnames []string) string {
	return statement("integrity_access.sql", vars{"relations": array(relations), "attnames": array(attnames)})
}

// Contradictions counts the rows whose flag and deletion time disagree, and the rows deleted in the future, unless
// the relation is larger than most bytes. A check that does not apply to the table counts 0.
func (r Relation) Contradictions(most int64) string {
	v, at := r.vars(), scanning(r.Table)
	v["most"], v["inconsistent"], v["future"] = fmt.Sprint(most), "false", "false"
	if len(r.Table.Markers.Pairs()) > 0 {
		v["inconsistent"] = at.disagreeing(r.Table.Markers)
	}
	if r.Table.KnowsFuture() {
		v["future"] = at.deletedInFuture(r.Table.Markers.WithTime())
	}
	return statement("integrity_rows.sql", v)
}

// disagreeing returns the predicate of the rows whose flag and deletion time disagree.
func (c clock) disagreeing(markers softdelete.Markers) string {
	return join(markers.Pairs(), " OR ", c.inconsistent)
}

// Orphans counts the live rows that reference a deleted row of the parent, which is a partition of the referenced
// table, unless both together are larger than most bytes.
func (r Relation) Orphans(parent Relation, key *softdelete.Reference, most int64) string {
	return statement("integrity_orphans.sql", vars{
		"schemaname": r.Schema, "relname": r.Name, "referencedschema": parent.Schema, "referencedname": parent.Name,
		"orphaned": orphaned(r.Table.Markers, "ONLY ", parent.Schema, parent.Name, key), "most": fmt.Sprint(most),
	})
}

// orphaned returns the predicate of the live rows of a relation called child that reference a deleted row.
func orphaned(markers softdelete.Markers, only, schema, name string, key *softdelete.Reference) string {
	reference := make([]string, len(key.Columns))
	for i, c := range key.Columns {
		reference[i] = "parent." + identifier(key.Referenced[i]) + " " + key.Operators[i] + " child." + identifier(c)
	}
	return ask("orphaned", vars{
		"live": clock{}.live(markers), "only": only, "referencedschema": schema, "referencedname": name,
		"deleted": clock{}.deleted(key.Markers), "reference": strings.Join(reference, " AND "),
	})
}

// Contradicting shows, for a person to run, rows that a check has found.
func Contradicting(t *softdelete.Table, c softdelete.Contradiction) string {
	var rows string
	switch c.Kind {
	case softdelete.Inconsistent:
		rows = bare(t).disagreeing(t.Markers)
	case softdelete.Future:
		rows = bare(t).deletedInFuture(t.Markers.WithTime())
	default:
		rows = orphaned(t.Markers, "", c.Check.Key.Schema, c.Check.Key.Name, c.Check.Key)
	}
	return advice("integrity_show.sql", vars{"schemaname": t.Schema, "relname": t.Name, "rows": rows})
}
