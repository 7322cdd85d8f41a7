package collector

import "github.com/softdelete-exporter/softdelete_exporter/softdelete"

// margins defines a metric of a table whose value is a margin. It is absent with statistics, because their
// error is unknown.
func margins(name, help string, value func(*softdelete.Numbers) *softdelete.Estimate) metric[*softdelete.Table] {
	return gauge(name, help+" Absent with the method statistics."+cached, tableLabels,
		func(t *softdelete.Table, emit func(float64, ...string)) {
			if t.Numbers == nil {
				return
			}
			if e := value(t.Numbers); e != nil && e.Bounded() {
				emit(e.Margin)
			}
		})
}

// countingMetrics are the metrics that only some tables have.
var countingMetrics = metrics[*softdelete.Table]{
	gauge("softdelete_recently_deleted_rows",
		"Rows that were deleted within the recent window; up to 100,000 on large tables. Present only if exact and cheap: "+
			"the table was counted in full, or has an index on the deletion time."+cached, tableLabels,
		func(t *softdelete.Table, emit func(float64, ...string)) {
			if t.Numbers != nil && t.Numbers.Recent != nil {
				emit(t.Numbers.Recent.Value)
			}
		}),
	gauge("softdelete_recent_window_seconds",
		"Length of the recent window. Absent if softdelete_recently_deleted_rows is."+cached, tableLabels,
		func(t *softdelete.Table, emit func(float64, ...string)) {
			if t.Numbers != nil && t.Numbers.Recent != nil {
				emit(t.Policy.Recent.Seconds())
			}
		}),
	gauge("softdelete_oldest_deleted_timestamp_seconds",
		"Deletion time of the row deleted longest ago. Present only if exact and cheap: the table was counted in full, "+
			"or has an index on the deletion time. Absent = unknown, or no row is deleted."+cached, tableLabels,
		func(t *softdelete.Table, emit func(float64, ...string)) {
			if t.Numbers != nil && !t.Numbers.Oldest.IsZero() {
				emit(timestamp(t.Numbers.Oldest))
			}
		}),
	gauge("softdelete_oldest_deleted_timestamp_bound_seconds",
		"The row deleted longest ago was deleted at this time or earlier: it is the oldest deletion time in the sample. "+
			"Present only for sampled tables without softdelete_oldest_deleted_timestamp_seconds."+cached, tableLabels,
		func(t *softdelete.Table, emit func(float64, ...string)) {
			if t.Numbers != nil && t.Numbers.Oldest.IsZero() && !t.Numbers.OldestSeen.IsZero() {
				emit(timestamp(t.Numbers.OldestSeen))
			}
		}),
	gauge("softdelete_deleted_bytes",
		"Estimated size of the deleted rows in the table's heap, without TOAST and indexes."+cached, tableLabels,
		func(t *softdelete.Table, emit func(float64, ...string)) {
			if t.Numbers != nil && t.Numbers.DeletedBytes != nil {
				emit(*t.Numbers.DeletedBytes)
			}
		}),
}
