package collector

import (
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/go-kit/log"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// Snapshot collects the metrics of one Snapshot.
type Snapshot struct {
	snapshot *softdelete.Snapshot
	tables   metrics[*softdelete.Table]
	logger   log.Logger
}

// NewSnapshot makes the collector of a Snapshot. It logs what cannot be shown, and why.
func NewSnapshot(s *softdelete.Snapshot, logger log.Logger) Snapshot {
	return Snapshot{s, tableMetrics, logger}
}

// WithAges adds the deleted rows by age.
func (c Snapshot) WithAges() Snapshot {
	c.tables = slices.Concat(tableMetrics, ageMetrics)
	return c
}

// Describe implements prometheus.Collector.
func (c Snapshot) Describe(ch chan<- *prometheus.Desc) {
	c.tables.describe(ch)
	databaseMetrics.describe(ch)
	snapshotMetrics.describe(ch)
}

// Collect implements prometheus.Collector.
func (c Snapshot) Collect(ch chan<- prometheus.Metric) {
	for f := range c.Families() {
		f.Collect(ch)
	}
}

// Families yields the metrics one after another, sorted by name.
func (c Snapshot) Families() iter.Seq[*Family] {
	return func(yield func(*Family) bool) {
		for _, f := range c.read() {
			if !yield(f) {
				return
			}
			f.samples = nil // so that the memory shrinks on the way
		}
	}
}

// read reads all metrics, sorted by name.
func (c Snapshot) read() []*Family {
	count := 0
	for i := range c.snapshot.Databases {
		count += len(c.snapshot.Databases[i].Tables)
	}
	whole, databases := snapshotMetrics.reader(1), databaseMetrics.reader(len(c.snapshot.Databases))
	tables := c.tables.reader(count)
	_ = whole.read(c.logger, c.snapshot) // logged; the rest is still shown
	for _, d := range c.snapshot.Databases {
		cloned := false
		for i := range d.Tables {
			t := &d.Tables[i]
			err := tables.read(c.logger, t, d.Name, t.Schema, t.Name)
			if err == nil {
				continue
			}
			if !cloned {
				d.Tables, cloned = slices.Clone(d.Tables), true
			}
			t = &d.Tables[i]
			*t = t.Bare(softdelete.Problem{Reason: softdelete.OtherError, Message: err.Error()})
			_ = tables.read(c.logger, t, d.Name, t.Schema, t.Name)
		}
		_ = databases.read(c.logger, &d, d.Name)
	}
	all := slices.Concat(whole.families, databases.families, tables.families)
	slices.SortFunc(all, func(a, b *Family) int { return strings.Compare(a.Name, b.Name) })
	return all
}

// The end of the help of a metric that is not live.
const (
	cached    = " Cached: as of the last count of the table."
	refreshed = " Cached: as of the last refresh."
)

var tableLabels = []string{"datname", "schemaname", "relname"}

func perTable(own ...string) []string { return slices.Concat(tableLabels, own) }

func perDatabase(own ...string) []string { return slices.Concat([]string{"datname"}, own) }

// number defines a metric of a table whose value is one of its numbers.
func number(name, help string, value func(*softdelete.Numbers) float64) metric[*softdelete.Table] {
	return gauge(name, help+cached, tableLabels, func(t *softdelete.Table, emit func(float64, ...string)) {
		if t.Numbers != nil {
			emit(value(t.Numbers))
		}
	})
}

// old defines a metric of a table that exists only if the number of old rows is known.
func old(name, help string, value func(softdelete.Estimate) float64) metric[*softdelete.Table] {
	return gauge(name, help+cached, tableLabels, func(t *softdelete.Table, emit func(float64, ...string)) {
		if t.Numbers != nil && t.Numbers.Old != nil {
			emit(value(*t.Numbers.Old))
		}
	})
}

var tableMetrics = slices.Concat(rowMetrics, countingMetrics, indexMetrics, integrityMetrics)

var rowMetrics = metrics[*softdelete.Table]{
	gauge("softdelete_table_info",
		"A watched table, with its marker columns, their kind, and the service that owns it. Always 1."+refreshed,
		perTable("marker", "kind", "table_service"), func(t *softdelete.Table, emit func(float64, ...string)) {
			emit(1, t.Markers.Label(), t.Markers.KindLabel(), t.Policy.Service)
		}),
	number("softdelete_active_rows", "Rows that are not deleted.",
		func(n *softdelete.Numbers) float64 { return n.Active.Value }),
	number("softdelete_deleted_rows", "Rows that are marked as deleted.",
		func(n *softdelete.Numbers) float64 { return n.Deleted.Value }),
	number("softdelete_total_rows", "All rows, including deleted ones.",
		func(n *softdelete.Numbers) float64 { return n.Total.Value }),
	number("softdelete_deletion_ratio", "Deleted rows divided by total rows, 0 to 1; 0 for an empty table.",
		func(n *softdelete.Numbers) float64 { return n.Ratio.Value }),
	margins("softdelete_deletion_ratio_margin",
		"Distance from the deletion ratio to the farther end of its 95% confidence interval; 0 when exact.",
		func(n *softdelete.Numbers) *softdelete.Estimate { return &n.Ratio }),
	old("softdelete_old_deleted_rows",
		"Rows that were deleted longer ago than the table's retention. Absent if the deletion time is unknown.",
		func(e softdelete.Estimate) float64 { return e.Value }),
	margins("softdelete_old_deleted_rows_margin",
		"Distance from the old deleted rows to the farther end of their 95% confidence interval; 0 when exact.",
		func(n *softdelete.Numbers) *softdelete.Estimate { return n.Old }),
	gauge("softdelete_retention_seconds", "How long deleted rows of the table should be kept.", tableLabels,
		func(t *softdelete.Table, emit func(float64, ...string)) {
			if t.HasAges() {
				emit(t.Policy.Retention.Seconds())
			}
		}),
	gauge("softdelete_count_info", "How the table was counted; the least certain method, if several were used. Always 1."+
		cached,
		perTable("method"),
		func(t *softdelete.Table, emit func(float64, ...string)) {
			if t.Numbers != nil {
				emit(1, string(t.Numbers.Method))
			}
		}),
	gauge("softdelete_checked_timestamp_seconds", "When the table's numbers were last counted or confirmed.", tableLabels,
		func(t *softdelete.Table, emit func(float64, ...string)) {
			if t.Numbers != nil {
				emit(timestamp(t.Checked))
			}
		}),
	number("softdelete_count_duration_seconds", "How long the last count of the table took.",
		func(n *softdelete.Numbers) float64 { return n.Duration.Seconds() }),
	gauge("softdelete_table_problem", "Why the table could not be read. Absent = none."+refreshed, perTable("reason"),
		func(t *softdelete.Table, emit func(float64, ...string)) {
			if t.Problem != nil {
				emit(1, string(t.Problem.Reason))
			}
		}),
}

var databaseMetrics = metrics[*softdelete.Database]{
	gauge("softdelete_exporter_check_success",
		"Whether a check of the database succeeded in the last refresh. Problems of a single table are in "+
			"softdelete_table_problem."+refreshed,
		perDatabase("check"), func(d *softdelete.Database, emit func(float64, ...string)) {
			emit(boolean(d.Checks.Connect), "connect")
			emit(boolean(d.Checks.Discovery), "discovery")
			emit(boolean(d.Checks.Counting), "counting")
			emit(boolean(d.Checks.Indexes), "indexes")
		}),
	gauge("softdelete_exporter_tables",
		"Tables of the database by state: counted, pending (waiting to be counted), failed (they cannot be read, "+
			"or their numbers have expired), or skipped (beyond max_tables). Absent until the first discovery."+refreshed,
		perDatabase("state"), func(d *softdelete.Database, emit func(float64, ...string)) {
			if d.Tables == nil && !d.Checks.Discovery {
				return
			}
			in := map[softdelete.State]int{}
			for i := range d.Tables {
				in[d.Tables[i].State()]++
			}
			for _, state := range softdelete.States {
				emit(float64(in[state]), string(state))
			}
			emit(float64(d.Skipped), "skipped")
		}),
}

var snapshotMetrics = metrics[*softdelete.Snapshot]{
	gauge("softdelete_exporter_snapshot_timestamp_seconds",
		"When the last refresh that could connect began. Absent before the first one.", nil,
		func(s *softdelete.Snapshot, emit func(float64, ...string)) {
			if !s.Taken.IsZero() {
				emit(timestamp(s.Taken))
			}
		}),
}

func boolean(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

func timestamp(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }
