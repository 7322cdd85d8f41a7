package collector

import "github.com/softdelete-exporter/softdelete_exporter/softdelete"

// margins is a metric of a table whose value is a margin: absent with statistics, of
// which nobody knows how wrong they are.
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

// countingMetrics are the metrics of a table that only some tables have.
var countingMetrics = metrics[*softdelete.Table]{
	gauge("softdelete_recently_deleted_rows",
		"Rows that were deleted within the recent window, on large tables counted up to 100,000. Only where that is exact "+
			"and cheap: the table was counted, or an index on the time of deletion answers."+cached, tableLabels,
		func(t *softdelete.Table, emit func(float64, ...string)) {
			if t.Numbers != nil && t.Numbers.Recent != nil {
				emit(t.Numbers.Recent.Value)
			}
		}),
	gauge("softdelete_recent_window_seconds",
		"How long ago a recent deletion is at most. Absent where recently deleted rows are."+cached, tableLabels,
		func(t *softdelete.Table, emit func(float64, ...string)) {
			if t.Numbers != nil && t.Numbers.Recent != nil {
				emit(t.Policy.Recent.Seconds())
			}
		}),
	gauge("softdelete_oldest_deleted_timestamp_seconds",
		"When the row was deleted that has been so the longest. Only where that is exact and cheap: the table was "+
			"counted, or an index on the time of deletion answers. Absent = unknown, or none is deleted."+cached, tableLabels,
		func(t *softdelete.Table, emit func(float64, ...string)) {
			if t.Numbers != nil && !t.Numbers.Oldest.IsZero() {
				emit(timestamp(t.Numbers.Oldest))
			}
		}),
	gauge("softdelete_deleted_bytes",
		"Estimate of the part of the table's heap, without TOAST and indexes, that deleted rows occupy."+cached, tableLabels,
		func(t *softdelete.Table, emit func(float64, ...string)) {
			if t.Numbers != nil && t.Numbers.DeletedBytes != nil {
				emit(*t.Numbers.DeletedBytes)
			}
		}),
}
