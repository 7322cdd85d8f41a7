package discovery

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// Decision says for one column, for a person, why it marks deleted rows or is not used.
type Decision struct {
	Column string
	// Rule is the setting that matches the column; empty if none does.
	Rule  string
	Taken bool
	// Kind is the kind of the marker to which the column belongs; empty if it is not used.
	Kind softdelete.Kind
	Why  string
	// Remedy is what to write into the configuration to change the decision; empty if nothing can.
	Remedy string
}

// TableDecision is the decision on one table, for a person.
type TableDecision struct {
	Schema, Table string
	// Left is why the whole table is left out; empty if its columns were considered.
	Left      string
	Decisions []Decision
}

// ConfiguredDecisions returns the decisions on the columns of a configured marker; by is the setting that names it.
func ConfiguredDecisions(columns []Column, m softdelete.Marker, by string) []Decision {
	var all []Decision
	for _, c := range columns {
		if slices.Contains(m.Columns(), c.Name) {
			all = append(all, Decision{Column: c.Name, Rule: by, Taken: true, Kind: m.Kind,
				Why: explainMarker(m, candidate{Column: c})})
		}
	}
	return all
}

// explainer is what the decisions on one table have in common.
type explainer struct {
	rules         Rules
	schema, table string
	copies        *TableRule
}

// explain says why a column is part of a marker, or is not used.
func (e explainer) explain(c Column, markers softdelete.Markers) Decision {
	j := e.rules.match(c)
	d := Decision{Column: c.Name}
	if j.reason != unknownName {
		d.Rule = j.rule.String()
	}
	for _, m := range markers {
		if slices.Contains(m.Columns(), c.Name) {
			d.Taken, d.Kind = true, m.Kind
			d.Why, d.Remedy = explainMarker(m, j), e.line("ignore: true")
			if j.rule.Group == WithUniqueIndex && c.Evidence.OnlyNull {
				d.Why += "; a unique index holds only such rows"
			}
			if m.Time != nil && m.Time.Column == c.Name && !m.Time.Known() {
				d.Remedy = e.configure(m.Column, timeColumn(m)+", unit: "+softdelete.FillIn)
			}
		}
	}
	switch {
	case d.Taken:
	case e.copies != nil:
		d.Why = fmt.Sprintf("the table's name is that of a table of copies or jobs (rules.copies: %s)", e.copies.Name)
		d.Remedy = setting("copies", e.copies.Name, false)
	default:
		d.Why, d.Remedy = e.reject(j)
	}
	return d
}

// reject says why a candidate is not used, and what to write to use it.
func (e explainer) reject(j candidate) (why, remedy string) {
	column := e.configure(j.Name, "")
	if slices.Contains([]softdelete.Class{softdelete.TextClass, softdelete.EnumClass, softdelete.BitClass}, j.class()) {
		column = e.configure(j.Name, ", deleted_values: ["+softdelete.FillIn+"]")
	}
	switch j.reason {
	case fits:
		why, remedy = "a unique index leaves its rows out, but another column marks deleted rows", column
	case unknownName:
		why, remedy = "no rule matches the name: it may mean that something else was deleted", column
	case wrongType:
		why, remedy = fmt.Sprintf("%s is not for columns of type %s", j.rule, j.Type), column
	case switchedOff:
		why, remedy = fmt.Sprintf("%s is off: the name is also used for rows that are not deleted",
			j.rule), setting(string(j.rule.Group), j.rule.Name, true)
		if j.Evidence.speaks() {
			why, remedy = e.candidate(j)
		}
	case counter:
		why, remedy = fmt.Sprintf("a number of this name and of type %s counts rows", j.Type), column
	case unused:
		why, remedy = fmt.Sprintf("its comment says that it is not in use: %q", j.Comment), column
	case noLabel:
		why = fmt.Sprintf("none of its labels means deleted: %s", strings.Join(j.Labels, ", "))
		remedy = e.configure(j.Name, ", deleted_values: ["+softdelete.FillIn+"]")
	case alwaysSet:
		why = "it is NOT NULL and has no constant as its default: no value means live"
		remedy = e.configure(j.Name, ", live_values: ["+softdelete.FillIn+"]")
	}
	if j.reason == fits && j.Varies {
		why, remedy = "its default is not a constant, so it does not show when a row was deleted", e.line("ignore: true")
	}
	if j.class() == softdelete.OtherClass {
		why, remedy = fmt.Sprintf("a column of type %s does not say whether its row is deleted", j.Type), ""
	}
	return why, remedy
}

// candidate says why an index suggests a column whose rule is off, and what to write to use it.
func (e explainer) candidate(j candidate) (why, remedy string) {
	why = fmt.Sprintf("%s is off, but a unique index holds only rows in which it is NULL: it may mark deleted rows",
		j.rule)
	if len(j.Evidence.Excluded) == 0 {
		return why, e.configure(j.Name, "")
	}
	var values []string
	for _, v := range j.Evidence.Excluded {
		values = append(values, softdelete.QuoteYAML(v))
	}
	words := strings.Join(values, ", ")
	why = fmt.Sprintf("%s is off, but a unique index leaves out %s: it may mark deleted rows", j.rule, words)
	return why, e.configure(j.Name, ", deleted_values: ["+words+"]")
}

// withArticle puts the article before the name of a type.
func withArticle(name string) string {
	if strings.HasPrefix(name, "int") {
		return "an " + name
	}
	return "a " + name
}

// explainMarker says how the marker reads one of its columns.
func explainMarker(m softdelete.Marker, c candidate) string {
	isTime := m.Time != nil && m.Time.Column == c.Name
	unit := ""
	if isTime {
		unit = explainTime(m.Time)
	}
	switch {
	case c.Unborn != "" || c.reason == unread:
		return "undecided: " + cmp.Or(c.Unborn, c.Evidence.Unread) + "; the next refresh tries again"
	case isTime && m.Kind == softdelete.Pair:
		return fmt.Sprintf("the deletion time of %s%s", m.Column, unit)
	}
	d := m.Decides().Definition()
	what := d.Words.Decision
	switch {
	case d.KeepsTime:
		what = fmt.Sprintf("%s that is %s in live rows%s", withArticle(c.Type), liveWords(m, c), unit)
	case len(m.Deleted) > 0:
		what = "deleted where it is " + strings.Join(m.Deleted, ", ")
	case len(m.Live) > 0:
		what = "live where it is " + strings.Join(m.Live, ", ")
	}
	if m.Planned() {
		what += "; a time in the future is a plan, and the row is live until then"
	}
	if c.Unread != "" {
		what += " (its values could not be read: " + c.Unread + "; the next refresh tries again)"
	}
	return what
}

// liveWords say what a time contains in live rows.
func liveWords(m softdelete.Marker, c candidate) string {
	switch live := strings.Join(m.Live, " or "); {
	case live == "":
		return m.Decides().Definition().Words.Live
	case c.NotNull:
		return live
	default:
		return live + " or NULL"
	}
}

// explainTime says which unit an integer time has.
func explainTime(t *softdelete.Time) string {
	switch {
	case t.Type != softdelete.EpochTime:
		return ""
	case t.Known():
		guessed := ""
		if !t.UnitGiven {
			guessed = ", which is guessed"
			if _, unit := unitOf(t.Column); unit != "" {
				guessed += " by the name"
			} else {
				guessed += " by the values"
			}
		}
		return fmt.Sprintf(", in %s since 1970%s", t.Unit, guessed)
	default:
		return ", in an unknown unit: rows are counted, but their ages are unknown"
	}
}

func timeColumn(m softdelete.Marker) string {
	if m.Kind != softdelete.Pair {
		return ""
	}
	return ", time_column: " + softdelete.QuoteYAML(m.Time.Column)
}

// line returns a line of the configuration about the table.
func (e explainer) line(what string) string {
	return fmt.Sprintf("tables: [{schema: %s, table: %s, %s}]", softdelete.QuoteYAML(e.schema),
		softdelete.QuoteYAML(e.table), what)
}

// configure returns the line that makes a column the table's marker.
func (e explainer) configure(column, more string) string {
	return e.line("column: " + softdelete.QuoteYAML(column) + more)
}

// setting returns the line that switches a rule.
func setting(group, name string, on bool) string {
	state := map[bool]string{true: "on", false: "off"}[on]
	return fmt.Sprintf("discovery: {rules: {%s: {%s: %s}}}", group, softdelete.QuoteYAML(name), state)
}
