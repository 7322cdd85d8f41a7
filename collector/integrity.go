package collector

import "github.com/softdelete-exporter/softdelete_exporter/softdelete"

// checked is the end of the help of an integrity metric.
const checked = " Present only if integrity is on. Absent = unknown, or too expensive to check. " +
	"Cached: as of the last check of the table."

// found defines a metric of a table whose value comes from an integrity check.
func found(name, help string, own []string, value func(*softdelete.Found) *float64,
	labels func(softdelete.Check) []string) metric[*softdelete.Table] {
	return gauge(name, help+checked, perTable(own...), func(t *softdelete.Table, emit func(float64, ...string)) {
		for _, c := range t.Integrity {
			if c.Found == nil {
				continue
			}
			if n := value(c.Found); n != nil {
				emit(*n, labels(c)...)
			}
		}
	})
}

func unlabelled(softdelete.Check) []string { return nil }

var integrityMetrics = metrics[*softdelete.Table]{
	found("softdelete_inconsistent_rows",
		"Rows whose flag and deletion time disagree: deleted without a time, live with a time, or with a NULL flag.", nil,
		func(f *softdelete.Found) *float64 { return f.Inconsistent }, unlabelled),
	found("softdelete_future_deleted_rows", "Deleted rows whose deletion time is in the future.", nil,
		func(f *softdelete.Found) *float64 { return f.Future }, unlabelled),
	found("softdelete_orphaned_rows",
		"Live rows that reference a deleted row of a watched table through the foreign key.",
		[]string{"constraint"},
		func(f *softdelete.Found) *float64 { return f.Orphaned },
		func(c softdelete.Check) []string { return []string{c.Constraint} }),
}
