package queries

import (
	"slices"
	"strings"
	"time"

	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// classes counts the relation in classes of deletion times.
func (r Relation) classes(most int64) string {
	m, plain := r.Table.Markers[0], bare(r.Table)
	columns := m.Columns()
	if r.Key != "" && !slices.Contains(columns, r.Key) {
		columns = append(columns, r.Key)
	}
	name := "class"
	for slices.Contains(columns, name) {
		name += "_"
	}
	edges := softdelete.AgeEdges(r.Now, r.Table.Policy.Retention)
	last := edges[len(edges)-1]
	days := make([]int, len(edges))
	for i, edge := range edges {
		days[i] = int(last.Sub(edge) / (24 * time.Hour))
	}

	v := r.grouped().counts(most)
	v["class"], v["columns"], v["time"] = name, identifiers(columns), m.Time.Column
	v["classified"] = class(m, r.bounds())
	v["edges"] = array(days)
	v["edge"] = plain.instant(m.Time, ask("midnight", vars{"last": last.Format(time.RFC3339)}))
	v["deleted_at_all"] = scanning(r.Table).aged("deleted_at_all", group(m), ask("now", nil))
	v["observing"], v["observed"] = r.observedInGroups()
	return statement("classes.sql", v)
}

// group is the marker of a group of rows: it is deleted if it has a class, and its time is the first one.
func group(m softdelete.Marker) softdelete.Marker {
	first := *m.Time
	first.Column, first.Live = "first", nil
	return softdelete.Marker{Kind: softdelete.Pair, Flag: softdelete.Timestamp, Column: "class", Time: &first}
}

// grouped returns the relation with groups instead of rows.
func (r Relation) grouped() Relation {
	r.Table = &softdelete.Table{Markers: softdelete.Markers{group(r.Table.Markers[0])}, Policy: r.Table.Policy}
	return r
}

// bounds are the instants that the questions about a table compare its deletion times with. All rows of a class are
// on the same side of each of them.
func (r Relation) bounds() string {
	t, at, plain := r.Table, r.Table.Markers[0].Time, bare(r.Table)
	after := func(c clock, then string) string {
		return ask(string(at.Type)+" after", vars{"instant": c.instant(at, then)})
	}
	bounds := []string{after(plain, ask("earliest", nil)), after(plain, ask("now", nil))}
	if at.Type != softdelete.EpochTime {
		bounds = append(bounds, plain.instant(at, ask("endless", nil)))
	}
	if t.HasAges() {
		bounds = append(bounds, plain.instant(at, ago(t.Policy.Retention)))
	}
	if t.KnowsRecent() {
		bounds = append(bounds, plain.instant(at, ago(t.Policy.Recent)))
	}
	if at.Planned != "" {
		bounds = append(bounds, after(clock{zone: at.Planned}, ask("now", nil)))
	}
	return strings.Join(bounds, ", ")
}

// class returns the expression of the class of a row.
func class(m softdelete.Marker, bounds string) string {
	bucket := ask("bucket", vars{"time": m.Time.Column, "bounds": bounds})
	if live := m.Time.Live; len(live) > 0 {
		bucket = ask("bucket but_live", vars{"time": m.Time.Column, "live": list(live), "bucket": bucket})
	}
	return ask("class", vars{"deleted": marked(m, "deleted"), "bucket": bucket})
}

// identifiers writes names, separated by commas.
func identifiers(names []string) string {
	quoted := make([]string, len(names))
	for i, name := range names {
		quoted[i] = identifier(name)
	}
	return strings.Join(quoted, ", ")
}
