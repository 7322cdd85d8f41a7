package queries

import (
	"fmt"
	"strings"

	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// observed asks, for each marker in turn, what the values of its column show about their meaning;
// NULL where there is nothing to ask.
func (r Relation) observed() string {
	columns := []struct {
		name, typ string
		ask       func(softdelete.Marker) string
	}{
		{"strange", "text", r.strange},
		{"listed", "int8", listed},
	}
	each := make([]string, len(columns))
	for i, c := range columns {
		asked := make([]string, len(r.Table.Markers))
		for j, m := range r.Table.Markers {
			if asked[j] = c.ask(m); asked[j] == "" {
				asked[j] = "NULL"
			}
		}
		each[i] = fmt.Sprintf("ARRAY[%s]::%s[] AS %s", strings.Join(asked, ", "), c.typ, c.name)
	}
	return strings.Join(each, ", ")
}

// strange asks for a value that the marker does not account for.
func (r Relation) strange(m softdelete.Marker) string {
	switch {
	case m.Given:
	case m.Decides() == softdelete.Letter:
		return ask("strange letter", vars{"column": m.Column, "values": list(softdelete.KnownLetters)})
	case m.Time != nil && m.Time.Column == m.Column && m.Time.Type != softdelete.EpochTime:
		return ask("strange time", vars{"column": m.Column, "deleted": decide(m, "deleted"),
			"earliest": instant(m.Time, r.Table.Policy.TimeZone, ask("earliest", nil))})
	}
	return ""
}

// listed asks which of the values that the marker names are there, as the bits of a number.
func listed(m softdelete.Marker) string {
	values, typed := m.Named()
	if len(values) == 0 {
		return ""
	}
	value := ask("text", vars{"column": m.Column})
	if typed {
		value = identifier(m.Column)
	}
	var cases strings.Builder
	for i, v := range values {
		cases.WriteString(ask("bit", vars{"value": v, "bit": fmt.Sprint(int64(1) << i)}) + " ")
	}
	return ask("listed", vars{"value": value, "cases": cases.String()})
}
