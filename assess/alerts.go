package assess

import (
	"fmt"

	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// AlertConditions say which alerts a report lists, and override some of their limits. They do not affect the
// alerts of Prometheus.
type AlertConditions struct {
	HighDeletionRatio bool
	// DeletionRatio, a fraction, and BulkRows replace the limits of every table; nil keeps the limits of the
	// thresholds.
	DeletionRatio  *float64
	BulkOperations bool
	BulkRows       *float64
}

// Condition says what an alert of the report is about, one of a short list.
type Condition string

// The conditions of an alert.
const (
	ConnectionFailure Condition = "connection_failure"
	SlowResponse      Condition = "slow_response_time"
	HighDeletionRatio Condition = "high_deletion_ratio"
	OldDeletedRecords Condition = "old_deleted_records"
	BulkOperation     Condition = "bulk_operation"
)

// Alert is one entry of the report's list of alerts.
type Alert struct {
	Condition Condition
	// Table is nil for an alert about the connection.
	Table *TableHealth
	// Message describes the alert.
	Message string
}

// alerts returns the alerts about the connection.
func (c Connection) alerts() []Alert {
	switch c.Status {
	case Unhealthy:
		return []Alert{{Condition: ConnectionFailure, Message: "Database connection failure: " + c.Ping.Err}}
	case Slow:
		return []Alert{{Condition: SlowResponse,
			Message: fmt.Sprintf("Slow database response: %.0f ms", c.Ping.Milliseconds())}}
	default:
		return nil
	}
}

// alerts returns the alerts about a table. Like the alerts of Prometheus, they use the better end of a number's
// interval and leave out small tables.
func (c AlertConditions) alerts(t *TableHealth, l Limits) []Alert {
	n := t.Numbers
	if n == nil || n.Total.Value < l.AlertMinRows {
		return nil
	}
	replace(&l.DeletionRatio.Fair, c.DeletionRatio)
	replace(&l.BulkRows, c.BulkRows)
	var all []Alert
	add := func(condition Condition, format string, args ...any) {
		all = append(all, Alert{Condition: condition, Table: t, Message: fmt.Sprintf(format, args...)})
	}
	if c.HighDeletionRatio && n.Ratio.Low() > l.DeletionRatio.Fair {
		add(HighDeletionRatio, "High deletion ratio in %s: %s", t.FullName(), softdelete.Percent(n.Ratio.Value))
	}
	if n.Old != nil && n.Old.Low() > l.OldDeletedRows.Poor {
		add(OldDeletedRecords, "Too many old deleted records in %s: %s", t.FullName(), softdelete.Thousands(n.Old.Value))
	}
	if c.BulkOperations && n.Recent != nil && n.Recent.Low() > l.BulkRows {
		add(BulkOperation, "Bulk operation in %s: %s%s rows deleted recently", t.FullName(), n.AtLeast(),
			softdelete.Thousands(n.Recent.Value))
	}
	return all
}
