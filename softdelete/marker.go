package softdelete

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Marker is one way in which a table says that a row is deleted.
type Marker struct {
	Kind Kind
	// Flag is the kind of a pair's deciding column; empty means Flag.
	Flag Kind
	// Column decides whether a row is deleted.
	Column string
	// Type is what its values are cast to where they are compared with others, as SQL, and Equality
	// is the operator that compares them; both empty where PostgreSQL's own "=" does.
	Type, Equality string
	// Live or Deleted are the values that say so, where the kind alone does not: the
	// constants of a sentinel, the list of a status, or what was configured. NULL is
	// live under either list.
	Live, Deleted []string
	// Given means that the configuration says what the values mean, by kind or by values;
	// else that was inferred.
	Given bool
	// Time is the column of the deletion time; nil when the table does not keep it.
	Time *Time
}

// Time is a column that holds when a row was deleted.
type Time struct {
	Column string
	Type   TimeType
	// Unit is what an EpochTime counts; empty while that is not known.
	Unit Unit
	// UnitGiven means that the configuration says the unit; else it was inferred.
	UnitGiven bool
	// Live are the constants that stand for "not deleted", beside NULL and 0.
	Live []string
	// NotNull means that NULL cannot stand for it.
	NotNull bool
	// Planned means that a time in the future is a plan: the row is live until then. It is the
	// time zone of a time that has none; empty where such a row is deleted already.
	Planned string
}

// TimeType is the type of a time column, which decides how it is compared with now.
type TimeType string

// The types of a time column, the first three by PostgreSQL's names.
const (
	Timestamptz    TimeType = "timestamptz" // an instant
	LocalTimestamp TimeType = "timestamp"   // a local time, of the table's time zone
	Date           TimeType = "date"        // a day, of the table's time zone
	EpochTime      TimeType = "epoch"       // a number of units since 1970
)

// Unit is what an integer time counts.
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

// PerSecond is how many of the unit make a second; 0 for an unknown one.
func (u Unit) PerSecond() int64 {
	return map[Unit]int64{Seconds: 1, Milliseconds: 1e3, Microseconds: 1e6, Nanoseconds: 1e9}[u]
}

// Known reports whether instants can be compared with the column.
func (t *Time) Known() bool { return t != nil && (t.Type != EpochTime || t.Unit != "") }

// GuessedEpoch reports whether the marker is an integer of which only its values, or its name,
// say that it is a time.
func (m Marker) GuessedEpoch() bool {
	return m.Kind == Epoch && !m.Given && m.Time != nil && m.Time.Unit != "" && !m.Time.UnitGiven
}

// HoldsInstants reports whether the column that decides holds instants, or local times: nothing as
// coarse as a day.
func (m Marker) HoldsInstants() bool {
	return m.Time != nil && m.Time.Column == m.Column && (m.Time.Type == Timestamptz || m.Time.Type == LocalTimestamp)
}

// Decides is the kind of the column that decides: the marker's own, but for a pair.
func (m Marker) Decides() Kind {
	if m.Kind != Pair {
		return m.Kind
	}
	return cmp.Or(m.Flag, Flag)
}

// Planned reports whether a row with a deletion time in the future is live.
func (m Marker) Planned() bool { return m.Time != nil && m.Time.Planned != "" }

// Meaning is what the values of the marker's deciding column mean: what it lists, else
// what its kind says. Times are taken to be past.
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

// NullIsLive reports whether a row is live whose deciding column is NULL.
func (m Marker) NullIsLive() bool {
	meaning := m.Meaning()
	return slices.ContainsFunc(slices.Concat(meaning.Live, meaning.Odd), func(v Value) bool { return v.Class == Null })
}

// Section is the beginning of the names of the sections of SQL that decide by the marker,
// and the values that they may want.
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

// mostNamed is how many of its values are looked for: each is a bit of a number.
const mostNamed = 60

// Named are the values that the marker looks for in its deciding column: those that the
// configuration lists, which are of the column's type, or the letters that are known, as text.
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

// OneAlphabet reports whether a table can hold all of some letters: those of one alphabet.
func (m Marker) OneAlphabet(letters []string) bool { return oneAlphabet(letters, len(m.Live) > 0) }

// nullable reports whether NULL can stand in the column of a marker that is a time.
func (m Marker) nullable() bool { return m.Time == nil || m.Time.Column != m.Column || !m.Time.NotNull }

// Deletes reports whether the marker takes a row for deleted of which the deciding column
// holds a value, as PostgreSQL writes it; NULL aside.
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

// sameValue reports whether two texts are one value: equal but for blanks at the end, which
// char(n) adds, or the same number or truth.
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

// Columns are the columns of the marker, the deciding one first.
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

// Timed reports whether every marker knows when a row was deleted: only then has
// the table ages.
func (ms Markers) Timed() bool {
	for _, m := range ms {
		if !m.Time.Known() {
			return false
		}
	}
	return len(ms) > 0
}

// Columns are the columns of all markers, each once.
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

// labelled is how many columns the label of a metric names.
const labelled = 4

// Label names the marker columns, for the label of a metric: all of them, unless
// they are absurdly many.
func (ms Markers) Label() string {
	columns := ms.Columns()
	if more := len(columns) - labelled; more > 0 {
		columns = append(slices.Clone(columns[:labelled]), fmt.Sprintf("and %d more", more))
	}
	return strings.Join(columns, ",")
}

// KindLabel names the kinds, each once, for the label of a metric.
func (ms Markers) KindLabel() string {
	var kinds []string
	for _, m := range ms {
		if !slices.Contains(kinds, string(m.Kind)) {
			kinds = append(kinds, string(m.Kind))
		}
	}
	return strings.Join(kinds, ",")
}
