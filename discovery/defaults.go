package discovery

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// Unclear is why it is not certain what a marker means, and the setting that makes it certain.
type Unclear struct {
	Message, Remedy string
}

// UnclearDefault returns why the default of a marker's deciding column contradicts the meaning of the marker, because
// new rows are live; nil if it does not.
func UnclearDefault(schema, table string, m softdelete.Marker, c Column) *Unclear {
	remedy := settle(schema, table, m)
	if c.Varies {
		return &Unclear{
			Message: fmt.Sprintf(
				"column %q has a default that is not a constant: new rows are live, and what they hold in it is not known",
				c.Name),
			Remedy: remedy,
		}
	}
	i := slices.IndexFunc(c.Born, m.Deletes)
	if i < 0 {
		return nil
	}
	return &Unclear{
		Message: fmt.Sprintf(
			"new rows are live and get %s in column %q: what its other values mean is not known",
			c.Born[i], c.Name),
		Remedy: remedy,
	}
}

// settle returns the setting that says what the values of a marker mean. Only the reader knows that: a pasted guess
// could count live rows as deleted, and have them purged.
func settle(schema, table string, m softdelete.Marker) string {
	setting := ", deleted_values: [" + softdelete.FillIn + "]"
	switch m.Decides() {
	case softdelete.Flag, softdelete.InvertedFlag, softdelete.Timestamp, softdelete.Sentinel, softdelete.Epoch:
		setting = ", kind: " + softdelete.FillIn
	}
	return explainer{schema: schema, table: table}.configure(m.Column, setting+timeColumn(m))
}

// liveBesideNull returns the values that mean live, in addition to NULL, in a time column whose defaults are some
// constants. For an epoch that includes 0; it returns none if 0 is the only one.
func liveBesideNull(kind softdelete.Kind, born []string) []string {
	m := softdelete.Marker{Kind: kind}
	if kind == softdelete.Sentinel {
		m.Kind = softdelete.Timestamp
	}
	live := slices.DeleteFunc(slices.Clone(born), func(v string) bool { return !m.Deletes(v) })
	if kind == softdelete.Epoch && len(live) > 0 {
		live = append([]string{"0"}, live...)
	}
	if len(live) == 0 {
		return nil
	}
	return live
}

// listed returns a setting with a list of values.
func listed(setting string, values []string) string {
	return ", " + softdelete.ListYAML(setting, values)
}

// zeroTimes are, by type, the times that Go's libraries write into live rows.
var zeroTimes = map[softdelete.TimeType]string{
	softdelete.Timestamptz: "0001-01-01 00:00:00+00", softdelete.LocalTimestamp: "0001-01-01 00:00:00",
	softdelete.Date: "0001-01-01",
}

// IsZeroTime reports whether a value of a marker's column means that its row was never deleted.
func IsZeroTime(m softdelete.Marker, value string) bool {
	return m.Time != nil && m.Time.Column == m.Column && zeroTimes[m.Time.Type] == value
}

// UnclearKey returns the problem of a marker that looked like a time but contains the row's own key, if some of its
// other values were taken for those of live rows.
func UnclearKey(schema, table string, m softdelete.Marker) *Unclear {
	return &Unclear{
		Message: fmt.Sprintf("column %q holds the row's own key in every deleted row, and new rows get %s: what its "+
			"other values mean is not known", m.Column, strings.Join(m.Live, " or ")),
		Remedy: settle(schema, table, m),
	}
}

// UnclearShared returns the problem that many rows share a round instant, which may not be their deletion time.
func UnclearShared(schema, table string, m softdelete.Marker, value string, rows float64) *Unclear {
	live := listed("live_values", append(slices.Clone(m.Live), softdelete.FillIn))
	return &Unclear{
		Message: fmt.Sprintf("column %q holds %s in %s rows, which may be a former default of live rows: write live_values "+
			"if live rows hold it, or kind: %s if it is when they were deleted", m.Column, value,
			softdelete.Thousands(rows), m.Decides()),
		Remedy: explainer{schema: schema, table: table}.configure(m.Column, live),
	}
}

// UnclearLetters returns the problem that the letters in a deciding column belong to different alphabets.
func UnclearLetters(schema, table string, m softdelete.Marker, letters []string) *Unclear {
	quoted := make([]string, len(letters))
	for i, letter := range letters {
		quoted[i] = strconv.Quote(letter)
	}
	return &Unclear{
		Message: fmt.Sprintf("column %q holds %s, which belong to different alphabets: which of them mean deleted is not "+
			"known", m.Column, strings.Join(quoted, " and ")),
		Remedy: settle(schema, table, m),
	}
}

// UnclearValue returns the problem that a deciding column has a value whose meaning is not certain.
func UnclearValue(schema, table string, m softdelete.Marker, value string) *Unclear {
	if m.Decides() != softdelete.Letter {
		e := explainer{schema: schema, table: table}
		return &Unclear{
			Message: fmt.Sprintf("column %q holds %s, a time before 1970: live rows may hold it", m.Column, value),
			Remedy:  e.configure(m.Column, listed("live_values", append(slices.Clone(m.Live), value))+timeColumn(m)),
		}
	}
	return &Unclear{
		Message: fmt.Sprintf("column %q holds %q: whether that means deleted is not known", m.Column, value),
		Remedy:  settle(schema, table, m),
	}
}

// UnclearPair returns the problem that it is not known which column of a pair decides.
func UnclearPair(schema, table string, d softdelete.Dispute) *Unclear {
	return &Unclear{
		Message: d.Why() + ": which of the two decides is not known",
		Remedy:  strings.Join(DecidingLines(schema, table, d.Marker), "\n"),
	}
}

// DecidingLines returns the lines of the configuration that let the time of a pair decide, or the flag. The reader has
// to choose one: together they do not load.
func DecidingLines(schema, table string, m softdelete.Marker) []string {
	var lines []string
	for _, d := range m.Deciders() {
		lines = append(lines, fmt.Sprintf("%s # %s decides",
			explainer{schema: schema, table: table}.line(strings.Join(d.Settings, ", ")), softdelete.QuoteYAML(d.Column)))
	}
	return lines
}
