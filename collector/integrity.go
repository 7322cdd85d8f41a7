package collector

import "github.com/softdelete-exporter/softdelete_exporter/softdelete"

// checked is what the help of an integrity metric says.
const checked = " Only where integrity is on. Absent = not known at a bounded price. Cached: as of the last check " +
	"of the table."

// found is a metric of a table whose value a check found.
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
		"Rows whose flag and time of deletion disagree: deleted without a time, a time on a live row, or a flag "+
			"that is NULL.", nil,
		func(f *softdelete.Found) *float64 { return f.Inconsistent }, unlabelled),
	found("softdelete_future_deleted_rows", "Deleted rows whose time of deletion lies in the future.", nil,
		func(f *softdelete.Found) *float64 { return f.Future }, unlabelled),
	found("softdelete_orphaned_rows", "Live rows that reference a deleted row of a watched table, by the foreign key.",
		[]string{"constraint"},
		func(f *softdelete.Found) *float64 { return f.Orphaned },
		func(c softdelete.Check) []string { return []string{c.Constraint} }),
}
