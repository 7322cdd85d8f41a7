package collector

import (
	"slices"
	"time"

	"github.com/go-kit/log"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// Snapshot collects the metrics of one Snapshot.
type Snapshot struct {
	snapshot *softdelete.Snapshot
	logger   log.Logger
}

// NewSnapshot makes the collector of a Snapshot. The logger is told of what cannot be
// shown, and why.
func NewSnapshot(s *softdelete.Snapshot, logger log.Logger) Snapshot { return Snapshot{s, logger} }

// Describe implements prometheus.Collector.
func (Snapshot) Describe(ch chan<- *prometheus.Desc) {
	tableMetrics.describe(ch)
	databaseMetrics.describe(ch)
	snapshotMetrics.describe(ch)
}

// Collect implements prometheus.Collector.
func (c Snapshot) Collect(ch chan<- prometheus.Metric) {
	_ = snapshotMetrics.collect(ch, c.logger, c.snapshot) // it is logged; the rest goes on
	for _, d := range c.snapshot.Databases {
		d.Tables = slices.Clone(d.Tables)
		for i := range d.Tables {
			t := &d.Tables[i]
			if err := tableMetrics.collect(ch, c.logger, t, d.Name, t.Schema, t.Name); err != nil {
				*t = t.Bare(softdelete.Problem{Reason: softdelete.OtherError, Message: err.Error()})
				_ = tableMetrics.collect(ch, c.logger, t, d.Name, t.Schema, t.Name)
			}
		}
		_ = databaseMetrics.collect(ch, c.logger, &d, d.Name)
	}
}

// What the help of a metric says that is not live.
const (
	cached    = " Cached: as of the last count of the table."
	refreshed = " Cached: as of the last refresh."
)

var tableLabels = []string{"datname", "schemaname", "relname"}

func perTable(own ...string) []string { return slices.Concat(tableLabels, own) }

func perDatabase(own ...string) []string { return slices.Concat([]string{"datname"}, own) }

// number is a metric of a table whose value is one of its numbers.
func number(name, help string, value func(*softdelete.Numbers) float64) metric[*softdelete.Table] {
	return gauge(name, help+cached, tableLabels, func(t *softdelete.Table, emit func(float64, ...string)) {
		if t.Numbers != nil {
			emit(value(t.Numbers))
		}
	})
}

// old is a metric of a table whose value needs a known number of old rows.
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
		"A watched table: its marker columns, their kind, and the service that answers for it. Always 1."+refreshed,
		perTable("marker", "kind", "service"), func(t *softdelete.Table, emit func(float64, ...string)) {
			emit(1, t.Markers.Label(), t.Markers.KindLabel(), t.Policy.Service)
		}),
	number("softdelete_active_rows", "Rows that are not deleted.",
		func(n *softdelete.Numbers) float64 { return n.Active.Value }),
	number("softdelete_deleted_rows", "Rows that are marked as deleted.",
		func(n *softdelete.Numbers) float64 { return n.Deleted.Value }),
	number("softdelete_total_rows", "Rows, deleted ones included.",
		func(n *softdelete.Numbers) float64 { return n.Total.Value }),
	number("softdelete_deletion_ratio", "Deleted rows by total rows, 0 to 1; 0 for an empty table.",
		func(n *softdelete.Numbers) float64 { return n.Ratio.Value }),
	margins("softdelete_deletion_ratio_margin",
		"Distance from the deletion ratio to the further end of its 95% confidence interval; 0 when exact.",
		func(n *softdelete.Numbers) *softdelete.Estimate { return &n.Ratio }),
	old("softdelete_old_deleted_rows",
		"Rows that were deleted longer ago than the table's retention. Absent where the time of deletion is not known.",
		func(e softdelete.Estimate) float64 { return e.Value }),
	margins("softdelete_old_deleted_rows_margin",
		"Distance from the old deleted rows to the further end of their 95% confidence interval; 0 when exact.",
		func(n *softdelete.Numbers) *softdelete.Estimate { return n.Old }),
	gauge("softdelete_retention_seconds", "How long deleted rows of the table are to be kept.", tableLabels,
		func(t *softdelete.Table, emit func(float64, ...string)) {
			if t.HasAges() {
				emit(t.Policy.Retention.Seconds())
			}
		}),
	gauge("softdelete_count_info", "How the table's numbers were found, the least certain method used. Always 1."+cached,
		perTable("method"),
		func(t *softdelete.Table, emit func(float64, ...string)) {
			if t.Numbers != nil {
				emit(1, string(t.Numbers.Method))
			}
		}),
	gauge("softdelete_checked_timestamp_seconds", "When the table's numbers were last known true.", tableLabels,
		func(t *softdelete.Table, emit func(float64, ...string)) {
			if t.Numbers != nil {
				emit(timestamp(t.Checked))
			}
		}),
	number("softdelete_count_duration_seconds", "What the last count of the table took.",
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
		"Whether the last refresh could carry out a check on the database. A table's own trouble is "+
			"softdelete_table_problem."+refreshed,
		perDatabase("check"), func(d *softdelete.Database, emit func(float64, ...string)) {
			emit(boolean(d.Checks.Connect), "connect")
			emit(boolean(d.Checks.Discovery), "discovery")
			emit(boolean(d.Checks.Counting), "counting")
			emit(boolean(d.Checks.Indexes), "indexes")
		}),
	gauge("softdelete_exporter_tables",
		"Tables of the database by state: counted, pending (their turn has not come), failed (they cannot be read, or "+
			"could not for too long), or skipped (beyond the cap). Absent until the database was looked into once."+refreshed,
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
		"When the last refresh that could connect began. Absent before the first.", nil,
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
