package indexes

import (
	"fmt"
	"slices"

	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// PlainFlag is the problem of a full index on nothing but a flag, which nothing reads.
const PlainFlag Problem = "plain_flag"

var plainFlag = definition{
	Description: Description{
		Problem: PlainFlag,
		Label:   "on a flag without a rare value",
		When: "a full index on only a flag, each of whose two values is in more than 10% of the rows, and which " +
			"nothing reads",
		Unless: "one of the values is rare (such an index is good for finding it), or something reads the index",
		Remedy: "as `unused`",
		Source: docs + "monitoring-stats.html#MONITORING-PG-STAT-ALL-INDEXES-VIEW",
	},
	found: (*table).plainFlag,
	advise: func(a adviser, i *softdelete.Index) Advice {
		return a.askForUse(i, fmt.Sprintf("Check whether %s needs index %s on a flag.", a.FullName(), i.Name),
			fmt.Sprintf(
				"Neither value of %s is rare enough for index %s (%s) to be faster than reading the table, and nothing has "+
					"used it in %d days.",
				i.Keys[0].Column, i.Name, softdelete.Size(i.Bytes), a.days()))
	},
}

// plainFlag reports whether an index is full, on nothing but a marker neither of whose values is rare, and not
// read by anything.
func (t *table) plainFlag(i *softdelete.Index) bool {
	if t.Numbers == nil || len(i.Keys) != 1 || i.Predicate != "" || isConstraint(i) || requiredByOthers(i) {
		return false
	}
	isFlag := slices.ContainsFunc(t.Markers,
		func(m softdelete.Marker) bool {
			return m.Column == i.Keys[0].Column && m.Decides().Definition().FewValues
		})
	r := t.Numbers.Ratio
	rarer := min(r.Value, 1-r.Value) - r.Margin
	return isFlag && rarer > rareShare && idle(t.Indexing, i) && i.Bytes >= worthBytes
}
