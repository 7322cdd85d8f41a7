package softdelete

import "strings"

// Kind is how a marker column says that its row is deleted.
type Kind string

// The kinds of marker. Each has its predicates in queries/markers.sql.
const (
	Timestamp Kind = "timestamp" // NULL is live
	Flag      Kind = "flag"      // TRUE is deleted
	Pair      Kind = "pair"      // a flag that decides, and the time that belongs to it
)

// Marker is one way in which a table says that a row is deleted.
type Marker struct {
	Kind Kind
	// Column decides whether a row is deleted.
	Column string
	// Time is the column of the deletion time; nil when the table does not keep it.
	Time *Time
}

// Time is a column that holds when a row was deleted.
type Time struct {
	Column string
	Type   TimeType
}

// TimeType is the type of a time column, which decides how it is compared with now.
type TimeType string

// The types of a time column, by PostgreSQL's names.
const (
	Timestamptz    TimeType = "timestamptz" // an instant
	LocalTimestamp TimeType = "timestamp"   // a local time, of the table's time zone
)

// Columns are the columns of the marker, the deciding one first.
func (m Marker) Columns() []string {
	if m.Time == nil || m.Time.Column == m.Column {
		return []string{m.Column}
	}
	return []string{m.Column, m.Time.Column}
}

// Markers are the markers of one table. A row is deleted if any of them says so.
type Markers []Marker

// Timed tells whether every marker knows when a row was deleted: only then has
// the table ages.
func (ms Markers) Timed() bool {
	for _, m := range ms {
		if m.Time == nil {
			return false
		}
	}
	return len(ms) > 0
}

// Columns are the columns of all markers, each once.
func (ms Markers) Columns() []string {
	var columns []string
	for _, m := range ms {
		columns = append(columns, m.Columns()...)
	}
	return columns
}

// Label names the marker columns, for the label of a metric.
func (ms Markers) Label() string { return strings.Join(ms.Columns(), ",") }

// KindLabel names the kinds, for the label of a metric.
func (ms Markers) KindLabel() string {
	kinds := make([]string, len(ms))
	for i, m := range ms {
		kinds[i] = string(m.Kind)
	}
	return strings.Join(kinds, ",")
}
