package queries

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// How the deletion times of a class compare with the instants on which the numbers of a table depend: the lowest bits
// of its number. Classes is what the rest is multiplied by.
const (
	Kept    = 1 << iota // not older than the retention
	Recent              // since the recent window
	Future              // after now
	Planned             // after now, so that the row is still live
	Classes
)

// Classes counts the relation in classes of deletion times, unless it is larger than most bytes. The table has age
// classes. The result has for each class texts: its number, its rows, its first deletion, for days when the first one
// ends, and as in Count strange, listed, least, greatest, rounds, own and timed.
// The number is NULL for live rows, and -1 for deleted rows without a known time. Divided by Classes it is 0 for times
// before any database, otherwise one more than in softdelete.AgeEdges; infinite times are beyond the last class.
func (r Relation) Classes(most int64) string {
	m := r.Table.Markers[0]
	columns := m.Columns()
	if r.Key != "" && !slices.Contains(columns, r.Key) {
		columns = append(columns, r.Key)
	}
	name := "class"
	for slices.Contains(columns, name) {
		name += "_"
	}
	zone, first := r.Table.Policy.TimeZone, ask("least time", vars{"time": m.Time.Column})
	v := r.vars()
	v["most"] = fmt.Sprint(most)
	v["class"], v["columns"] = name, identifiers(columns)
	v["classified"], v["observing"] = r.class(m), r.observing()
	v["first"], v["next"] = seconds(m.Time, zone, first), "NULL"
	if m.Time.Type == softdelete.Date {
		v["next"] = seconds(m.Time, zone, ask("day after", vars{"value": first}))
	}
	return statement("classes.sql", v)
}

// class returns the expression of the class of a row.
func (r Relation) class(m softdelete.Marker) string {
	t, at, now := r.Table, scanning(r.Table), ask("now", nil)
	class := ask("class of a time", vars{"time": m.Time.Column, "edges": r.edges(m.Time), "classes": fmt.Sprint(Classes)})
	add := func(question string, bit int, c clock, then string) {
		class += ask(question, vars{"time": m.Time.Column, "bit": fmt.Sprint(bit), "instant": c.instant(m.Time, then)})
	}
	if t.HasAges() {
		add("bit since", Kept, at, ago(t.Policy.Retention))
	}
	if t.KnowsRecent() {
		add("bit since", Recent, at, ago(t.Policy.Recent))
	}
	add("bit after", Future, at, now)
	if m.Planned() {
		add("bit after", Planned, clock{zone: m.Time.Planned, once: true}, now)
	}
	question := "class"
	switch live := m.Time.Live; {
	case len(live) > 0:
		class = ask("class but_live", vars{"time": m.Time.Column, "live": list(live), "class": class})
	case m.Time.Column == m.Column: // then no deleted row is without a time
		question = "class if timed"
	}
	return ask(question, vars{"deleted": marked(m, "deleted"), "class": class})
}

// edges returns the edges of the classes, in the type of a time: the first time that is known, those of the age
// classes, and infinity if the type has it.
func (r Relation) edges(t *softdelete.Time) string {
	all := softdelete.AgeEdges(r.Now, r.Table.Policy.Retention)
	var edges []string
	if t.Type == softdelete.EpochTime {
		edges = append(edges, fmt.Sprint(softdelete.EarliestDeletion.Unix()*t.Unit.PerSecond()+1))
		for _, edge := range all {
			edges = append(edges, fmt.Sprint(edge.Unix()*t.Unit.PerSecond()))
		}
		return ask("epoch edges", vars{"edges": array(edges)})
	}
	first := softdelete.EarliestDeletion.Add(time.Microsecond)
	if t.Type == softdelete.Date {
		first = softdelete.EarliestDeletion.Add(24 * time.Hour)
	}
	edges = append(edges, first.Format("2006-01-02 15:04:05.999999"))
	for _, edge := range all {
		edges = append(edges, edge.Format("20060102"))
	}
	question, zone := string(t.Type)+" edges", r.Table.Policy.TimeZone
	if zone != "UTC" && t.Type != softdelete.Timestamptz {
		question = "zoned " + question
	}
	return ask(question, vars{"edges": array(append(edges, "infinity")), "zone": zone})
}

// identifiers writes names, separated by commas.
func identifiers(names []string) string {
	quoted := make([]string, len(names))
	for i, name := range names {
		quoted[i] = identifier(name)
	}
	return strings.Join(quoted, ", ")
}
