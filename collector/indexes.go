package collector

import (
	"github.com/softdelete-exporter/softdelete_exporter/indexes"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

var indexMetrics = metrics[*softdelete.Table]{
	gauge("softdelete_index_present",
		"Whether the table has an index for a purpose: live_rows (the application's reads) or purge. Absent where "+
			"such an index would not help."+refreshed,
		perTable("purpose"), func(t *softdelete.Table, emit func(float64, ...string)) {
			for _, p := range indexes.Needs(t) {
				emit(boolean(p.Present), string(p.For))
			}
		}),
	gauge("softdelete_index_problem", "What is wrong with an index. Absent = none."+refreshed,
		perTable("indexrelname", "problem"), func(t *softdelete.Table, emit func(float64, ...string)) {
			// Partitions in other schemas may have indexes of the same name.
			said := map[[2]string]bool{}
			for _, f := range indexes.Findings(t) {
				series := [2]string{f.Index.Name, string(f.Problem)}
				if !said[series] {
					emit(1, series[:]...)
				}
				said[series] = true
			}
		}),
}
