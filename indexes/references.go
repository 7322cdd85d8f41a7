package indexes

import (
	"fmt"

	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// references returns the advice about foreign keys whose columns have no index: for each row to remove,
// PostgreSQL looks for the rows that reference it.
func (a adviser) references() []Advice {
	if a.Purging == nil {
		return nil
	}
	var all []Advice
	said := map[string]bool{} // two keys may be on the same columns
	for _, k := range a.Purging.Keys {
		if u := k.Unindexed; u != nil && !said[fmt.Sprint(u.Table.OID, u.Columns)] {
			said[fmt.Sprint(u.Table.OID, u.Columns)] = true
			all = append(all, a.reference(k))
		}
	}
	return all
}

// reference advises to make an index on the columns of a foreign key.
func (a adviser) reference(k softdelete.PurgeKey) Advice {
	u := k.Unindexed
	n := &NewIndex{Method: "btree", Rows: References, On: &u.Table}
	for _, column := range u.Columns {
		n.Keys = append(n.Keys, softdelete.Key{Column: column})
	}
	n.Name = a.names.name(u.Table.Name, n)
	n.Partitions = a.parts(u.Partitions, n)
	advice := Advice{
		Purpose: References,
		Title:   fmt.Sprintf("Index the rows of %s.%s that reference %s.", u.Table.Schema, u.Table.Name, a.FullName()),
		Reason: fmt.Sprintf(
			"For each row that a purge removes, PostgreSQL reads %s.%s whole: no index begins with %s, the column%s of "+
				"foreign key %s.", u.Table.Schema, u.Table.Name, columns(n.Keys), each(u.Columns, "", "s"), k.Key),
		Gain:   "The purge becomes possible, and any other DELETE of these rows faster.",
		Costs:  []string{fmt.Sprintf("Every write to %s.%s maintains the index.", u.Table.Schema, u.Table.Name)},
		Do:     []Step{{Action: CreateIndex, New: n}},
		Source: docs + "ddl-constraints.html#DDL-CONSTRAINTS-FK",
	}
	for _, near := range u.Near {
		advice.Reason += fmt.Sprintf(" Index %s would serve if it %s.", near.Index.Name, lacking[near.Lacks])
		if near.Lacks == "validity" {
			advice.Do = []Step{{Action: ReindexIndex, Index: &near.Index}}
		}
	}
	return advice
}

// lacking completes "it would serve if it …".
var lacking = map[string]string{
	"order":     "began with the columns of the key",
	"rows":      "held all rows",
	"validity":  "were valid",
	"collation": "had the collation of the referenced column",
}
