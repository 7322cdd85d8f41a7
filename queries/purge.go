package queries

import (
	"strconv"
	"strings"

	"github.com/softdelete-exporter/softdelete_exporter/indexes"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// purgeBatch is how many rows are removed in one transaction: some 10 ms of locks,
// and little enough for a replica to follow.
const purgeBatch = 1000

// Purge is a script that removes the rows of a table that are past retention, batch
// by batch, for a person to read and run. The table must have ages. We never run it.
func Purge(t *softdelete.Table) string {
	old := deletedBefore(t.Markers, t.Policy.TimeZone, t.Policy.Retention)
	order := ""
	if column := indexes.PurgeColumn(t); column != "" {
		// Without it the planner may read past all that was purged before.
		order = "\n  ORDER BY " + identifier(column)
	}
	table := identifier(t.Schema) + "." + identifier(t.Name)
	if !t.Partitioned {
		return loop("purge table", vars{"batch": purge(table, old, order)})
	}
	// What stands in a format has its percent signs doubled.
	escape := strings.NewReplacer("%", "%%").Replace
	return loop("purge partitions", vars{"root": table, "batch": purge("%1$I.%2$I", escape(old), escape(order))})
}

// PurgeObstacles asks what could make a Purge do more, or something else, than it is
// printed for. Roots and attnames are parallel: the tables, each with its marker columns.
func PurgeObstacles(roots []uint32, attnames []string) string {
	return statement("purge_obstacles.sql", vars{"roots": array(roots), "attnames": array(attnames)})
}

// PurgeCount counts the rows that Purge will remove of a partitioned table.
func PurgeCount(t *softdelete.Table) string {
	return advice("purge_count.sql", vars{"schemaname": t.Schema, "relname": t.Name, "old": deletedBefore(t.Markers, t.Policy.TimeZone, t.Policy.Retention)})
}

func purge(target, old, order string) string {
	return strings.TrimSuffix(advice("purge.sql", vars{"target": target, "old": old, "order": order, "batch": strconv.Itoa(purgeBatch)}), ";")
}

// loop puts the batch into a loop. The tags of its dollar quotes stand nowhere else.
func loop(question string, values vars) string {
	tag := "purge"
	for strings.Contains(values["batch"]+values["root"], "$"+tag) {
		tag += "_"
	}
	values["tag"], values["inner"] = tag, tag+"_batch"
	values["batch"] = strings.ReplaceAll(values["batch"], "\n", "\n    ")
	return ask(question, values)
}
