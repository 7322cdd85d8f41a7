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
	// join is the aggregate that joins the results of several groups of rows.
	join string
	ask  func(softdelete.Marker) string
	// ofClasses asks the same of classes of rows, where that is cheaper; it may be nil, or return nothing.
	ofClasses func(softdelete.Marker) string
}

// observations are all results. With alone, only the deciding column of each marker can be read.
func (r Relation) observations(alone bool) []observation {
	all := []observation{
		{name: "strange", typ: "text", join: "min", ask: r.strange, ofClasses: strangeClass},
		{name: "listed", typ: "int8", join: "bit_or", ask: listed},
		{name: "least", typ: "float8", join: "min",
			ask: func(m softdelete.Marker) string { return r.extreme("least", m, alone) }},
		{name: "greatest", typ: "float8", join: "max",
			ask: func(m softdelete.Marker) string { return r.extreme("greatest", m, alone) }},
		{name: "rounds", typ: "int8", join: "sum", ask: r.rounds},
		{name: "own", typ: "bool", join: "bool_and", ask: func(m softdelete.Marker) string { return r.own(m, alone) }},
	}
	for _, question := range []string{"both", "timeless", "timed"} {
		all = append(all, observation{name: question, typ: "int8", join: "sum",
			ask:       func(m softdelete.Marker) string { return r.agreement(question, m, alone) },
			ofClasses: func(m softdelete.Marker) string { return r.agreementOfClasses(question, m) }})
	}
	return all
}

// observed returns expressions for all observations; NULL if nothing has to be checked.
func (r Relation) observed(alone bool) string {
	var each []string
	for _, o := range r.observations(alone) {
		asked := make([]string, len(r.Table.Markers))
		for i, m := range r.Table.Markers {
			asked[i] = cmp.Or(o.ask(m), "NULL")
		}
		each = append(each, o.results(asked...))
	}
	return strings.Join(each, ", ")
}

// observedInGroups returns the same for a table with one marker whose rows are first grouped: the expressions for each
// group, each with a comma before it, and those for all groups together.
func (r Relation) observedInGroups() (inner, all string) {
	var outer []string
	for _, o := range r.observations(false) {
		joined, m := "", r.Table.Markers[0]
		if o.ofClasses != nil {
			joined = o.ofClasses(m)
		}
		if asked := o.ask(m); joined == "" && asked != "" {
			inner += ", " + asked + " AS " + identifier(o.name)
			joined = o.join + "(" + identifier(o.name) + ")"
		}
		outer = append(outer, o.results(cmp.Or(joined, "NULL")))
	}
	return inner, strings.Join(outer, ", ")
}

// results writes the results for all markers as an array.
func (o observation) results(each ...string) string {
	return fmt.Sprintf("ARRAY[%s]::%s[] AS %s", strings.Join(each, ", "), o.typ, o.name)
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

// strangeClass looks in the classes for a time whose meaning the marker does not know.
func strangeClass(m softdelete.Marker) string {
	if !strangeTime(m) {
		return ""
	}
	return ask("strange class", vars{"classes": fmt.Sprint(Classes)})
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

// agreementOfClasses counts the deleted rows of a pair in the classes.
func (r Relation) agreementOfClasses(question string, m softdelete.Marker) string {
	if !m.Found() || question == "timed" { // live rows have no class
		return ""
	}
	known := 1 + len(softdelete.AgeEdges(r.Now, r.Table.Policy.Retention))
	return ask(question+" classes", vars{"first": fmt.Sprint(Classes), "last": fmt.Sprint(Classes*(known+1) - 1)})
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
