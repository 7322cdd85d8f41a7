package collector

import (
	"strconv"

	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// ageMetrics are up to eight series for each table, so they are collected only on request.
var ageMetrics = metrics[*softdelete.Table]{
	gauge("softdelete_deleted_rows_by_age",
		"Deleted rows by age, cumulative: those deleted on the last 1, 7, 14, 30, 90, 180 or 365 days of UTC, of which the "+
			"day of the count is the last one, and all whose deletion time is known. Present only if deleted_rows_by_age is "+
			"on. Estimates for a sampled table. Absent = unknown."+cached,
		perTable("age"), func(t *softdelete.Table, emit func(float64, ...string)) {
			if t.Numbers == nil || t.Numbers.Ages == nil {
				return
			}
			all := t.Numbers.Ages.All()
			if !all.Bounded() {
				return
			}
			for _, days := range softdelete.AgeDays {
				if within := t.Numbers.Ages.Within(t.Counted, days); within != nil {
					emit(within.Value, strconv.Itoa(days)+"d")
				}
			}
			emit(all.Value, "all")
		}),
}
