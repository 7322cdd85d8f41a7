package discovery

import (
	"fmt"
	"slices"
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
	e := explainer{schema: schema, table: table}
	if c.Varies {
		more := fmt.Sprintf(", kind: %s", m.Decides())
		if m.Decides() == softdelete.Status {
			more = listed("deleted_values", m.Deleted)
		}
		return &Unclear{
			Message: fmt.Sprintf(
				"column %q has a default that is no constant, and rows are born live: what live rows hold is not "+
					"known", c.Name),
			Remedy: e.configure(c.Name, more+timeColumn(m)),
		}
	}
	i := slices.IndexFunc(c.Born, m.Deletes)
	if i < 0 {
		return nil
	}
	more := listed("live_values", []string{c.Born[i]})
	switch m.Decides() {
	case softdelete.Flag:
		more = ", kind: inverted_flag"
	case softdelete.InvertedFlag:
		more = ", kind: flag"
	}
	return &Unclear{
		Message: fmt.Sprintf(
			"rows are born with %s in column %q, and rows are born live: what its other values mean is not known",
			c.Born[i], c.Name),
		Remedy: e.configure(c.Name, more+timeColumn(m)),
	}
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

// UnclearValue means that a value stands in a marker's deciding column of which it is not
// certain what it means.
func UnclearValue(schema, table string, m softdelete.Marker, value string) *Unclear {
	e := explainer{schema: schema, table: table}
	if m.Decides() != softdelete.Letter {
		return &Unclear{
			Message: fmt.Sprintf("column %q holds %s, before there were databases: live rows may hold it", m.Column, value),
			Remedy:  e.configure(m.Column, listed("live_values", append(slices.Clone(m.Live), value))+timeColumn(m)),
		}
	}
	more := listed("deleted_values", []string{value})
	if len(m.Live) > 0 {
		more = listed("live_values", m.Live)
	}
	return &Unclear{
		Message: fmt.Sprintf("column %q holds %q: whether that means deleted is not known", m.Column, value),
		Remedy:  e.configure(m.Column, more+timeColumn(m)),
	}
}
