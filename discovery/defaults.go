package discovery

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// Unclear is why it is not certain what a marker says, and the line of configuration that
// settles it.
type Unclear struct {
	Message, Remedy string
}

// UnclearDefault says where the default of a marker's deciding column does not fit what the
// marker means: a row is born live. Nil where it does.
func UnclearDefault(schema, table string, m softdelete.Marker, c Column) *Unclear {
	remedy := settle(schema, table, m)
	if c.Varies {
		return &Unclear{
			Message: fmt.Sprintf(
				"column %q has a default that is no constant, and rows are born live: what live rows hold is not "+
					"known", c.Name),
			Remedy: remedy,
		}
	}
	i := slices.IndexFunc(c.Born, m.Deletes)
	if i < 0 {
		return nil
	}
	return &Unclear{
		Message: fmt.Sprintf(
			"rows are born with %s in column %q, and rows are born live: what its other values mean is not known",
			c.Born[i], c.Name),
		Remedy: remedy,
	}
}

// settle is the line that says what the values of a marker mean. That only the reader knows: a
// guess that was pasted would count live rows as deleted, and have them purged.
func settle(schema, table string, m softdelete.Marker) string {
	setting := ", deleted_values: [" + softdelete.FillIn + "]"
	switch m.Decides() {
	case softdelete.Flag, softdelete.InvertedFlag, softdelete.Timestamp, softdelete.Sentinel, softdelete.Epoch:
		setting = ", kind: " + softdelete.FillIn
	}
	return explainer{schema: schema, table: table}.configure(m.Column, setting+timeColumn(m))
}

// liveBesideNull are the values that mean live, beside NULL, in a time of which rows are born
// with some constants. In an epoch 0 is one of them; none are needed if it is the only one.
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

// listed is a setting with a list of values.
func listed(setting string, values []string) string {
	quoted := make([]string, len(values))
	for i, v := range values {
		quoted[i] = softdelete.QuoteYAML(v)
	}
	return fmt.Sprintf(", %s: [%s]", setting, strings.Join(quoted, ", "))
}

// zeroTimes are by type the time that Go's libraries write into live rows.
var zeroTimes = map[softdelete.TimeType]string{
	softdelete.Timestamptz: "0001-01-01 00:00:00+00", softdelete.LocalTimestamp: "0001-01-01 00:00:00",
	softdelete.Date: "0001-01-01",
}

// IsZeroTime reports whether a value of a marker's column says that its row was never deleted.
func IsZeroTime(m softdelete.Marker, value string) bool {
	return m.Time != nil && m.Time.Column == m.Column && zeroTimes[m.Time.Type] == value
}

// UnclearKey means that a marker that was taken for a time holds the row's own key, and that other
// values of it were taken for those of live rows.
func UnclearKey(schema, table string, m softdelete.Marker) *Unclear {
	return &Unclear{
		Message: fmt.Sprintf("column %q holds the row's own key in every deleted row, and rows are born with %s: what its "+
			"other values mean is not known", m.Column, strings.Join(m.Live, " or ")),
		Remedy: settle(schema, table, m),
	}
}

// UnclearShared means that many rows share a round instant that a marker takes for their deletion.
func UnclearShared(schema, table string, m softdelete.Marker, value string, rows float64) *Unclear {
	live := listed("live_values", append(slices.Clone(m.Live), softdelete.FillIn))
	return &Unclear{
		Message: fmt.Sprintf("column %q holds %s in %s rows, as if that were or had been its default, and rows are born "+
			"live: write live_values if live rows hold it, or kind: %s if it is when they were deleted", m.Column, value,
			softdelete.Thousands(rows), m.Decides()),
		Remedy: explainer{schema: schema, table: table}.configure(m.Column, live),
	}
}

// UnclearLetters means that the letters in a marker's deciding column are of no one alphabet.
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

// UnclearValue means that a value stands in a marker's deciding column of which it is not
// certain what it means.
func UnclearValue(schema, table string, m softdelete.Marker, value string) *Unclear {
	if m.Decides() != softdelete.Letter {
		e := explainer{schema: schema, table: table}
		return &Unclear{
			Message: fmt.Sprintf("column %q holds %s, before there were databases: live rows may hold it", m.Column, value),
			Remedy:  e.configure(m.Column, listed("live_values", append(slices.Clone(m.Live), value))+timeColumn(m)),
		}
	}
	return &Unclear{
		Message: fmt.Sprintf("column %q holds %q: whether that means deleted is not known", m.Column, value),
		Remedy:  settle(schema, table, m),
	}
}
