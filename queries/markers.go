package queries

import (
	"fmt"
	"strings"
	"time"

	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// questions are the sections of markers.sql and partial.sql by name.
var questions = func() map[string]string {
	sections := map[string]string{}
	for _, file := range []string{"markers.sql", "partial.sql", "purge.sql", "purge_script.sql"} {
		text, err := files.ReadFile(file)
		if err != nil {
			panic(err)
		}
		for _, section := range strings.Split(string(text), "-- question: ")[1:] {
			name, body, _ := strings.Cut(section, "\n")
			sections[name] = body
		}
	}
	return sections
}()

func ask(question string, values vars) string {
	template, ok := questions[question]
	if !ok {
		panic(fmt.Sprintf("queries: no file answers %q", question))
	}
	return render(template, values)
}

// clock writes the instants in predicates.
type clock struct {
	// zone is that of a time column without one.
	zone string
	// once makes each instant a subquery, which PostgreSQL runs once for a scan. Without it an instant is computed for
	// each row, but the planner knows its value when it chooses an index.
	once bool
}

// bare returns the clock of predicates that people read, or for which the planner may choose an index.
func bare(t *softdelete.Table) clock { return clock{zone: t.Policy.TimeZone} }

// scanning returns the clock of predicates for a scan.
func scanning(t *softdelete.Table) clock { return clock{zone: t.Policy.TimeZone, once: true} }

// deleted returns the predicate of the rows that any of the markers calls deleted.
func (c clock) deleted(markers softdelete.Markers) string {
	return join(markers, " OR ", func(m softdelete.Marker) string { return c.decide(m, "deleted") })
}

// live returns the predicate of the rows that none of the markers calls deleted.
func (c clock) live(markers softdelete.Markers) string {
	return join(markers, " AND ", func(m softdelete.Marker) string { return c.decide(m, "live") })
}

// decide returns the predicate of the rows that one marker calls deleted, or live.
func (c clock) decide(m softdelete.Marker, state string) string {
	predicate := marked(m, state)
	if question := state + " by now"; m.Planned() && questions[question] != "" {
		planned := clock{zone: m.Time.Planned, once: c.once}
		return ask(question, vars{"predicate": predicate, "time": m.Time.Column,
			"now": planned.instant(m.Time, ask("now", nil))})
	}
	return predicate
}

// marked is the same of a row whose deletion was planned for a time that has come.
func marked(m softdelete.Marker, state string) string {
	section, listed := m.Section()
	v := vars{"column": m.Column, "values": list(listed)}
	if own := "own " + section + " " + state; m.Type != "" && questions[own] != "" {
		v["type"], v["equal"] = m.Type, equality(m)
		return ask(own, v)
	}
	return ask(section+" "+state, v)
}

// equality is the operator that compares values of a marker's own type.
func equality(m softdelete.Marker) string {
	if m.Equality == "" {
		return "="
	}
	return m.Equality
}

// deletedBefore returns the predicate of the rows that were deleted longer ago than age, by the database's clock.
// Every marker must have a time.
func (c clock) deletedBefore(markers softdelete.Markers, age time.Duration) string {
	before := ago(age)
	return join(markers, " OR ", func(m softdelete.Marker) string { return c.aged("deleted_before", m, before) })
}

// deletedInFuture returns the predicate of the rows whose deletion time is in the future. Every marker must have a
// time.
func (c clock) deletedInFuture(markers softdelete.Markers) string {
	return join(markers, " OR ", func(m softdelete.Marker) string { return c.aged("future", m, ask("now", nil)) })
}

// inconsistent returns the predicate of the rows in which a pair contradicts itself.
func (c clock) inconsistent(m softdelete.Marker) string {
	return ask("inconsistent", vars{
		"column": m.Column, "live": marked(m, "live"), "deleted": marked(m, "deleted"), "present": c.present(m.Time),
	})
}

// aged returns the predicate of the rows whose deletion time is before or after an instant.
func (c clock) aged(question string, m softdelete.Marker, then string) string {
	rows := c.decide(m, "deleted")
	if question == "to_come" { // they are not deleted yet
		rows = marked(m, "deleted")
	}
	return ask(question, vars{
		"deleted": rows, "present": c.present(m.Time),
		"time": m.Time.Column, "instant": c.instant(m.Time, then), "now": c.instant(m.Time, ask("now", nil)),
	})
}

// present returns the predicate of the rows whose time column has a time.
func (c clock) present(t *softdelete.Time) string {
	predicate := ask(string(t.Type)+" present",
		vars{"time": t.Column, "earliest": c.instant(t, ask("earliest", nil))})
	if len(t.Live) > 0 {
		predicate = ask("but_live", vars{"present": predicate, "time": t.Column, "live": list(t.Live)})
	}
	return predicate
}

// instant writes a timestamptz in the type of a time column.
func (c clock) instant(t *softdelete.Time, then string) string {
	instant := ask(string(t.Type)+" instant", vars{"instant": then, "zone": c.zone,
		"per_second": fmt.Sprint(t.Unit.PerSecond())})
	if c.once {
		return ask("once", vars{"instant": instant})
	}
	return instant
}

// secondsOf returns a time column as seconds since 1970.
func secondsOf(t *softdelete.Time, zone string) string {
	return seconds(t, zone, identifier(t.Column))
}

// seconds returns a value of a time column, or an aggregate of such values, as seconds since 1970.
func seconds(t *softdelete.Time, zone, value string) string {
	return ask(string(t.Type)+" seconds", vars{"value": value, "zone": zone,
		"per_second": fmt.Sprint(t.Unit.PerSecond())})
}

// join combines the predicates of all markers.
func join(markers softdelete.Markers, operator string, predicate func(softdelete.Marker) string) string {
	predicates := make([]string, len(markers))
	for i, m := range markers {
		predicates[i] = "(" + predicate(m) + ")"
	}
	return strings.Join(predicates, operator)
}

// list writes literals, separated by commas.
func list(values []string) string {
	quoted := make([]string, len(values))
	for i, v := range values {
		quoted[i] = literal(v)
	}
	return strings.Join(quoted, ", ")
}
