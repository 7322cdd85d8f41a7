package softdelete

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Marker is one way in which a table marks deleted rows.
type Marker struct {
	Kind Kind
	// Flag is the kind of a pair's deciding column; empty means the kind Flag.
	Flag Kind
	// Column decides whether a row is deleted.
	Column string
	// Type is the type to which its values are cast before they are compared, and Equality the operator that
	// compares them, both as SQL. Both are empty if PostgreSQL's own "=" is used.
	Type, Equality string
	// Live or Deleted lists the values that decide, if the kind alone does not: the constants of a sentinel, the
	// list of a status, or configured values. With either list, NULL is live.
	Live, Deleted []string
	// Given is true if the configuration says what the values mean, by kind or by values; otherwise that was
	// inferred.
	Given bool
	// Configured is true if the configuration names the columns; otherwise a rule found them.
	Configured bool
	// Time is the column of the deletion time; nil if the table has none.
	Time *Time
}

// Time is a column with the deletion time.
type Time struct {
	Column string
	Type   TimeType
	// Unit is the unit of an EpochTime; empty if unknown.
	Unit Unit
	// UnitGiven is true if the configuration says the unit; otherwise it was inferred.
	UnitGiven bool
	// Live are the constants that mean "not deleted", in addition to NULL and 0.
	Live []string
	// NotNull is true if the column cannot be NULL.
	NotNull bool
	// Planned is set if a row with a time in the future is live until then. It is the time zone for a column
	// without one. It is empty if such a row is already deleted.
	Planned string
}

// TimeType is the type of a time column. It decides how the column is compared with the current time.
type TimeType string

// The types of a time column; the first three have PostgreSQL's names.
const (
	Timestamptz    TimeType = "timestamptz" // an instant
	LocalTimestamp TimeType = "timestamp"   // a local time, of the table's time zone
	Date           TimeType = "date"        // a day, of the table's time zone
	EpochTime      TimeType = "epoch"       // a number of units since 1970
)

// Unit is the unit of an integer time.
type Unit string

// The units of an integer time.
const (
	Seconds      Unit = "s"
	Milliseconds Unit = "ms"
	Microseconds Unit = "us"
	Nanoseconds  Unit = "ns"
)

// Units are the units that an integer time can count.
var Units = []Unit{Seconds, Milliseconds, Microseconds, Nanoseconds}

// PerSecond returns how many units make a second; 0 if the unit is unknown.
func (u Unit) PerSecond() int64 {
	return map[Unit]int64{Seconds: 1, Milliseconds: 1e3, Microseconds: 1e6, Nanoseconds: 1e9}[u]
}

// Known reports whether instants can be compared with the column.
func (t *Time) Known() bool { return t != nil && (t.Type != EpochTime || t.Unit != "") }

// GuessedEpoch reports whether the marker is an integer that is only known to be a time from its values or its name.
func (m Marker) GuessedEpoch() bool {
	return m.Kind == Epoch && !m.Given && m.Time != nil && m.Time.Unit != "" && !m.Time.UnitGiven
}

// HoldsInstants reports whether the deciding column has instants or local times, and not just days.
func (m Marker) HoldsInstants() bool {
	return m.Time != nil && m.Time.Column == m.Column && (m.Time.Type == Timestamptz || m.Time.Type == LocalTimestamp)
}

// Decides returns the kind of the deciding column: the marker's own kind, except for a pair.
func (m Marker) Decides() Kind {
	if m.Kind != Pair {
		return m.Kind
	}
	return cmp.Or(m.Flag, Flag)
}

// Planned reports whether a row with a deletion time in the future is live.
func (m Marker) Planned() bool { return m.Time != nil && m.Time.Planned != "" }

// Meaning returns what the values of the deciding column mean: as listed by the marker, or else as defined by its
// kind. Times are assumed to be in the past.
func (m Marker) Meaning() Meaning {
	d := m.Decides().Definition()
	switch {
	case len(m.Deleted) > 0 && d.Sections.Deleted != "":
		return Meaning{Live: allBut(m.Deleted...), Deleted: KnownValues(m.Deleted...), Odd: d.Meaning.Odd}
	case len(m.Live) > 0 && d.Sections.Live != "":
		meaning := Meaning{Live: KnownValues(m.Live...), Deleted: allBut(m.Live...), Odd: d.Meaning.Odd}
		if d.Sections.Nullable != "" && m.nullable() {
			meaning.Live = slices.Concat(nothing, meaning.Live)
		}
		return meaning
	default:
		return d.Meaning
	}
}

// NullIsLive reports whether a row is live if its deciding column is NULL.
func (m Marker) NullIsLive() bool {
	meaning := m.Meaning()
	return slices.ContainsFunc(slices.Concat(meaning.Live, meaning.Odd), func(v Value) bool { return v.Class == Null })
}

// Section returns the first words of the names of the SQL sections for the marker, and the values that they need.
func (m Marker) Section() (name string, values []string) {
	d := m.Decides().Definition()
	switch {
	case len(m.Deleted) > 0 && d.Sections.Deleted != "":
		return d.Sections.Deleted, m.Deleted
	case len(m.Live) > 0 && d.Sections.Live != "":
		if d.Sections.Nullable != "" && m.nullable() {
			return d.Sections.Nullable, m.Live
		}
		return d.Sections.Live, m.Live
	}
	for _, v := range d.Meaning.Deleted {
		if v.Class == Known {
			values = append(values, v.Text)
		}
	}
	return d.Sections.Plain, values
}

// mostNamed is the largest number of a marker's values that are looked for: each is one bit of an integer.
const mostNamed = 60

// Named returns the values to look for in the deciding column: those that the configuration lists, in the column's
// type, or the known letters, as text.
func (m Marker) Named() (values []string, typed bool) {
	switch d := m.Decides().Definition(); {
	case m.Given && !d.KeepsTime:
		values = slices.Concat(m.Deleted, m.Live)
		return values[:min(len(values), mostNamed)], true
	case d.Alphabets != nil:
		return KnownLetters, false
	default:
		return nil, false
	}
}

// OneAlphabet reports whether a table can contain all of some letters, because they belong to one alphabet.
func (m Marker) OneAlphabet(letters []string) bool { return oneAlphabet(letters, len(m.Live) > 0) }

// nullable reports whether the column of a marker that is a time can be NULL.
func (m Marker) nullable() bool { return m.Time == nil || m.Time.Column != m.Column || !m.Time.NotNull }

// Deletes reports whether a row is deleted if its deciding column has this value, as PostgreSQL writes it. The value
// is not NULL.
func (m Marker) Deletes(text string) bool {
	return slices.ContainsFunc(m.Meaning().Deleted, func(v Value) bool {
		switch v.Class {
		case Known:
			return sameValue(v.Text, text)
		case Positive:
			return !sameValue("0", text)
		case Other:
			return !slices.ContainsFunc(v.Except, func(except string) bool { return sameValue(except, text) })
		default:
			return false
		}
	})
}

// sameValue reports whether two texts are the same value: equal except for blanks at the end, which char(n) adds, or
// the same number or boolean.
func sameValue(a, b string) bool {
	x, errX := strconv.ParseFloat(a, 64)
	y, errY := strconv.ParseFloat(b, 64)
	if errX == nil && errY == nil {
		return x == y //nolint:gocritic // Neither is computed.
	}
	truths := map[string]string{"t": "true", "f": "false"}
	return strings.TrimRight(a, " ") == strings.TrimRight(b, " ") || truths[a] == b && b != "" ||
		truths[b] == a && a != ""
}

// Columns returns the columns of the marker, the deciding one first.
func (m Marker) Columns() []string {
	if m.Time == nil || m.Time.Column == m.Column {
		return []string{m.Column}
	}
	return []string{m.Column, m.Time.Column}
}

// Markers are the markers of one table. A row is deleted if any of them says so.
type Markers []Marker

// Planned reports whether a row with a deletion time in the future is live by one of the markers.
func (ms Markers) Planned() bool {
	return slices.ContainsFunc(ms, func(m Marker) bool { return m.Planned() })
}

// Timed reports whether every marker has a deletion time. Only then can the table have old rows.
func (ms Markers) Timed() bool {
	for _, m := range ms {
		if !m.Time.Known() {
			return false
		}
	}
	return len(ms) > 0
}

// Columns returns the columns of all markers, each once.
func (ms Markers) Columns() []string {
	var columns []string
	for _, m := range ms {
		for _, c := range m.Columns() {
			if !slices.Contains(columns, c) {
				columns = append(columns, c)
			}
		}
	}
	return columns
}

// labelled is the largest number of columns in the label of a metric.
const labelled = 4

// Label names the marker columns for the label of a metric: all of them, unless there are very many.
func (ms Markers) Label() string {
	columns := ms.Columns()
	if more := len(columns) - labelled; more > 0 {
		columns = append(slices.Clone(columns[:labelled]), fmt.Sprintf("and %d more", more))
	}
	return strings.Join(columns, ",")
}

// KindLabel names the kinds for the label of a metric, each once.
func (ms Markers) KindLabel() string {
	var kinds []string
	for _, m := range ms {
		if !slices.Contains(kinds, string(m.Kind)) {
			kinds = append(kinds, string(m.Kind))
		}
	}
	return strings.Join(kinds, ",")
}
