package queries

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// observation is a result that shows, for each marker in turn, what the values of its column mean.
type observation struct {
	name, typ string
	ask       func(softdelete.Marker) string
	// ofMarked is the answer if the marker calls no row deleted; it is empty if that must be asked.
	ofMarked func(softdelete.Marker) string
	// ofClasses asks the same of one class of rows, where that is cheaper. It may be nil, or return nothing.
	ofClasses func(m softdelete.Marker) string
	// summed is true if the rows of the classes are the answer.
	summed bool
}

// observations are all results. With alone, only the deciding column of each marker can be read.
func (r Relation) observations(alone bool) []observation {
	always := func(answer string) func(softdelete.Marker) string {
		return func(softdelete.Marker) string { return answer }
	}
	extreme := func(question string) observation {
		return observation{name: question, typ: "float8", ofMarked: always("NULL"),
			ask: func(m softdelete.Marker) string { return r.extreme(question, m, alone) }}
	}
	agreement := func(question string) observation {
		return observation{name: question, typ: "int8", ofMarked: always("0"), summed: true,
			ask: func(m softdelete.Marker) string { return r.agreement(question, m, alone) }}
	}
	timed := agreement("timed")
	timed.ofMarked, timed.summed = always(""), false // it is about live rows
	return []observation{
		{name: "strange", typ: "text", ask: r.strange, ofMarked: strangeMarked, ofClasses: strangeMarked},
		{name: "listed", typ: "int8", ask: listed, ofMarked: always("")},
		extreme("least"), extreme("greatest"),
		{name: "rounds", typ: "int8", ask: r.rounds, ofMarked: always("NULL"), ofClasses: r.roundsOfClass},
		{name: "own", typ: "bool", ask: func(m softdelete.Marker) string { return r.own(m, alone) },
			ofMarked: always("NULL")},
		agreement("both"), agreement("timeless"), timed,
	}
}

// observed returns expressions for all observations; NULL if nothing has to be checked. With none, they are asked in
// case that no row is marked.
func (r Relation) observed(alone, none bool) string {
	var each []string
	for _, o := range r.observations(alone) {
		asked, any := make([]string, len(r.Table.Markers)), false
		for i, m := range r.Table.Markers {
			asked[i] = o.ask(m)
			if none && asked[i] != "" {
				asked[i] = cmp.Or(o.ofMarked(m), asked[i])
			}
			asked[i] = cmp.Or(asked[i], "NULL")
			any = any || asked[i] != "NULL"
		}
		result := "NULL"
		if any {
			result = "ARRAY[" + strings.Join(asked, ", ") + "]"
		}
		each = append(each, result+"::"+o.typ+"[] AS "+o.name)
	}
	return strings.Join(each, ", ")
}

// observing returns the same for a class of the rows of a table with one marker, as texts and in the order of Classes.
func (r Relation) observing() string {
	m := r.Table.Markers[0]
	var each []string
	for _, o := range r.observations(false) {
		if o.summed {
			continue
		}
		asked := o.ask(m)
		if o.ofClasses != nil {
			asked = cmp.Or(o.ofClasses(m), asked)
		}
		if asked != "" {
			asked = "(" + asked + ")::text"
		}
		each = append(each, cmp.Or(asked, "NULL"))
	}
	return strings.Join(each, ", ")
}

// strangeTime reports whether a time of the deciding column may have an unknown meaning.
func strangeTime(m softdelete.Marker) bool {
	return !m.Given && m.Time != nil && m.Time.Column == m.Column && m.Time.Type != softdelete.EpochTime
}

// strange looks for a value whose meaning the marker does not know.
func (r Relation) strange(m softdelete.Marker) string {
	at := scanning(r.Table)
	switch {
	case strangeTime(m):
		return ask("strange time", vars{"column": m.Column, "deleted": at.decide(m, "deleted"),
			"earliest": at.instant(m.Time, ask("earliest", nil))})
	case !m.Given && m.Decides() == softdelete.Letter:
		return ask("strange letter", vars{"column": m.Column, "values": list(softdelete.KnownLetters)})
	}
	return ""
}

// strangeMarked is the strange time of no deleted row, and of a class: see Strange.
func strangeMarked(m softdelete.Marker) string {
	if strangeTime(m) {
		return "NULL"
	}
	return ""
}

// Strange looks for times whose meaning the only marker does not know, if it may have any. Classes do not show them,
// but only that there are times before the first class. It returns nothing if all times are known.
func (r Relation) Strange(most int64) string {
	m := r.Table.Markers[0]
	if !strangeTime(m) {
		return ""
	}
	v := r.vars()
	v["most"], v["strange"] = fmt.Sprint(most), r.strange(m)
	return statement("strange.sql", v)
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

// agreement counts rows in which flag and time agree, or do not, for a pair of which that may decide.
func (r Relation) agreement(question string, m softdelete.Marker, alone bool) string {
	if alone || !m.Found() {
		return ""
	}
	return ask(question, vars{"deleted": marked(m, "deleted"), "live": marked(m, "live"),
		"present": scanning(r.Table).present(m.Time)})
}

// rounds counts the deleted rows with a round instant, in a time that is more precise than a day.
func (r Relation) rounds(m softdelete.Marker) string {
	if !m.HoldsInstants() || m.Given {
		return ""
	}
	return ask("rounds", vars{"deleted": scanning(r.Table).decide(m, "deleted"), "round": r.round(m)})
}

// roundsOfClass counts the rows of a class with a round instant, except for infinity, which is a class of its own. What
// it says about live rows has no meaning.
func (r Relation) roundsOfClass(m softdelete.Marker) string {
	if !m.HoldsInstants() || m.Given {
		return ""
	}
	return ask("rounds of class", vars{"midnight": r.midnight(m)})
}

func (r Relation) round(m softdelete.Marker) string {
	return ask("round", vars{"column": m.Column, "midnight": r.midnight(m)})
}

func (r Relation) midnight(m softdelete.Marker) string {
	question := "midnight"
	if m.Time.Type == softdelete.Timestamptz && r.Table.Policy.TimeZone != "UTC" {
		question = "zoned midnight"
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
