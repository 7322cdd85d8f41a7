package queries

import (
	"fmt"
	"strings"

	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// observed returns expressions, for each marker in turn, that show what the values of its column mean; NULL if
// nothing has to be checked. With alone, only the deciding column of each marker can be read.
func (r Relation) observed(alone bool) string {
	columns := []struct {
		name, typ string
		ask       func(softdelete.Marker) string
	}{
		{"strange", "text", r.strange},
		{"listed", "int8", listed},
		{"least", "float8", func(m softdelete.Marker) string { return r.extreme("least", m, alone) }},
		{"greatest", "float8", func(m softdelete.Marker) string { return r.extreme("greatest", m, alone) }},
		{"rounds", "int8", r.rounds},
		{"own", "bool", func(m softdelete.Marker) string { return r.own(m, alone) }},
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

// strange looks for a value whose meaning the marker does not know.
func (r Relation) strange(m softdelete.Marker) string {
	at := scanning(r.Table)
	switch {
	case m.Given:
	case m.Decides() == softdelete.Letter:
		return ask("strange letter", vars{"column": m.Column, "values": list(softdelete.KnownLetters)})
	case m.Time != nil && m.Time.Column == m.Column && m.Time.Type != softdelete.EpochTime:
		return ask("strange time", vars{"column": m.Column, "deleted": at.decide(m, "deleted"),
			"earliest": at.instant(m.Time, ask("earliest", nil))})
	}
	return ""
}

// extreme returns the smallest or largest value of an integer that is a time, or could be one.
func (r Relation) extreme(question string, m softdelete.Marker, alone bool) string {
	at := scanning(r.Table)
	column, rows := m.Column, at.decide(m, "deleted")
	switch t := m.Time; {
	case t != nil && t.Column != m.Column:
		if alone || !t.Known() || t.Type != softdelete.EpochTime {
			return ""
		}
		column, rows = t.Column, at.aged("deleted_at_all", m, ask("now", nil))
	case t != nil && (t.Type != softdelete.EpochTime || !t.Known()), t == nil && (m.Kind != softdelete.Number || m.Given):
		return ""
	}
	return ask(question, vars{"time": column, "rows": rows})
}

// own checks whether a supposed time is the row's own key.
func (r Relation) own(m softdelete.Marker, alone bool) string {
	if r.Key == "" || alone || !m.GuessedEpoch() {
		return ""
	}
	return ask("own", vars{"column": m.Column, "key": r.Key, "deleted": scanning(r.Table).decide(m, "deleted")})
}

// rounds counts the deleted rows with a round instant, in a time that is more precise than a day.
func (r Relation) rounds(m softdelete.Marker) string {
	if !m.HoldsInstants() || m.Given {
		return ""
	}
	return ask("rounds", vars{"deleted": scanning(r.Table).decide(m, "deleted"), "round": r.round(m)})
}

func (r Relation) round(m softdelete.Marker) string {
	question := "round"
	if m.Time.Type == softdelete.Timestamptz && r.Table.Policy.TimeZone != "UTC" {
		question = "zoned round"
	}
	return ask(question, vars{"column": m.Column, "zone": r.Table.Policy.TimeZone})
}

// Shared returns which round instants deleted rows share, for a marker whose column has instants.
func (r Relation) Shared(m softdelete.Marker) string { return r.shared("shared.sql", m) }

// SharedStatistics returns the same from the statistics.
func (r Relation) SharedStatistics(m softdelete.Marker) string {
	return r.shared("shared_statistics.sql", m)
}

func (r Relation) shared(file string, m softdelete.Marker) string {
	v := r.vars()
	v["column"], v["type"], v["round"] = m.Column, typeOf(m), r.round(m)
	v["deleted"] = scanning(r.Table).decide(m, "deleted")
	return statement(file, v)
}

// listed returns, as the bits of a number, which of the values that the marker names exist.
func listed(m softdelete.Marker) string {
	values, typed := m.Named()
	if len(values) == 0 {
		return ""
	}
	value, bit := ask("text", vars{"column": m.Column}), "bit"
	switch {
	case typed && m.Type != "":
		value, bit = "", "own bit"
	case typed:
		value = identifier(m.Column)
	}
	var cases strings.Builder
	for i, v := range values {
		cases.WriteString(ask(bit, vars{"value": v, "bit": fmt.Sprint(int64(1) << i),
			"column": m.Column, "type": m.Type, "equal": equality(m)}) + " ")
	}
	return ask("listed", vars{"value": value, "cases": cases.String()})
}
