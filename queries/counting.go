package queries

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// Relation is a relation to count: a table, or one of its partitions.
type Relation struct {
	OID          uint32
	Schema, Name string
	// Children is true if partitions and inheritance children are counted with it.
	Children bool
	// Key is the column with the number of the row; empty if there is none that the role may read.
	Key string
	// Now is when it is counted. The age classes are those of that day.
	Now time.Time
	// Table is the watched table to which its rows belong.
	Table *softdelete.Table
}

// vars returns the variables of every query about a relation.
func (r Relation) vars() vars {
	only := "ONLY"
	if r.Children {
		only = ""
	}
	return vars{
		"only": only, "relation": fmt.Sprint(r.OID), "schemaname": r.Schema, "relname": r.Name,
		"regclass": qualified(r.Schema, r.Name),
		"deleted":  scanning(r.Table).deleted(r.Table.Markers), "old": "false", "recent": "false", "oldest": "NULL",
		"next": "NULL", "coming": "NULL", "observed": r.observed(false, false),
	}
}

// CountMarked counts the relation as Count does, but only all rows and those that a marker calls deleted, now or at a
// time in the future. If there is none, no other number needs to be asked for.
func (r Relation) CountMarked(most int64) string {
	v := r.vars()
	v["most"], v["observed"] = fmt.Sprint(most), r.observed(false, true)
	v["marked"] = join(r.Table.Markers, " OR ", func(m softdelete.Marker) string { return marked(m, "deleted") })
	return statement("count_marked.sql", v)
}

// ages adds the variables that need a deletion time.
func (r Relation) ages() vars {
	v, t := r.vars(), r.Table
	if t.HasAges() {
		v["old"] = scanning(t).deletedBefore(t.Markers, t.Policy.Retention)
		v["next"] = first("not_yet", t, ago(t.Policy.Retention))
	}
	return v
}

// Count counts the relation in one read, unless it is larger than most bytes. It returns the total, deleted, old and
// recent rows, the oldest deletion, when the next row becomes old, and the next deletion in the future.
func (r Relation) Count(most int64) string {
	v := r.ages()
	v["most"] = fmt.Sprint(most)
	if r.Table.Markers.Timed() {
		v["oldest"] = first("deleted_at_all", r.Table, ask("now", nil))
	}
	if r.Table.KnowsRecent() {
		v["recent"] = scanning(r.Table).deletedSince(r.Table)
	}
	if r.Table.KnowsRecent() || r.Table.Markers.Planned() {
		v["coming"] = first("to_come", r.Table, ask("now", nil))
	}
	return statement("count.sql", v)
}

// sampled adds the variables of a sample.
func (r Relation) sampled() vars {
	v := r.ages()
	if r.Table.Markers.Timed() {
		v["oldest"] = first("deleted_at_all", r.Table, ask("now", nil))
	}
	v["since"] = r.since("count", "int8")
	return v
}

// since counts the deleted rows with a known time, all of them and those not before each edge; NULL if the table has
// no age classes.
func (r Relation) since(question, typ string) string {
	if !r.Table.HasAgeClasses() {
		return "NULL::" + typ + "[]"
	}
	at, m := scanning(r.Table), r.Table.Markers[0]
	rows := []string{at.aged("deleted_at_all", m, ask("now", nil))}
	for _, edge := range softdelete.FewAgeEdges(r.Now, r.Table.Policy.Retention) {
		rows = append(rows, at.aged("not_yet", m, ask("edge", vars{"edge": edge.Format(time.RFC3339)})))
	}
	for i := range rows {
		rows[i] = ask(question, vars{"rows": rows[i]})
	}
	return fmt.Sprintf("ARRAY[%s]::%s[]", strings.Join(rows, ", "), typ)
}

// Sample counts the rows of each of the given blocks.
func (r Relation) Sample(blocks []int64) string {
	v := r.sampled()
	v["blocks"] = array(blocks)
	return statement("sample.sql", v)
}

// SampleSystem counts the rows of a random share of the blocks.
func (r Relation) SampleSystem(rate float64, seed int32) string {
	v := r.sampled()
	v["percent"], v["seed"] = fmt.Sprint(math.Min(100*rate, 100)), fmt.Sprint(seed)
	return statement("sample_system.sql", v)
}

// Deleted counts the deleted and the old rows through the given index, unless that reads more than the given bytes.
func (r Relation) Deleted(index string, most int64) string {
	v := r.ages()
	v["index"], v["most"] = index, fmt.Sprint(most)
	v["deleted"] = bare(r.Table).deleted(r.Table.Markers)
	return statement("deleted.sql", v)
}

// Recent counts the recent rows up to softdelete.RecentLimit.
func (r Relation) Recent() string {
	v := r.vars()
	v["recent"], v["limit"] = bare(r.Table).deletedSince(r.Table), fmt.Sprint(softdelete.RecentLimit)
	return statement("recent.sql", v)
}

// Oldest returns the oldest deletion; the table must have exactly one marker.
func (r Relation) Oldest() string {
	m, zone := r.Table.Markers[0], r.Table.Policy.TimeZone
	v := r.vars()
	v["seconds"], v["time"] = secondsOf(m.Time, zone), m.Time.Column
	v["deleted_at_all"] = bare(r.Table).aged("deleted_at_all", m, ask("now", nil))
	return statement("oldest.sql", v)
}

// Shares returns what the statistics say about the rows; the table must have exactly one marker.
func (r Relation) Shares() string {
	m := r.Table.Markers[0]
	v := r.vars()
	v["since"] = "NULL::float8[]"
	if m.Kind != softdelete.Pair {
		v = r.ages()
		v["since"] = r.since("share", "float8")
	}
	v["column"], v["type"], v["observed"] = m.Column, typeOf(m), r.observed(true, false)
	return statement("shares.sql", v)
}

// typeOf returns a type for the values of a marker's deciding column.
func typeOf(m softdelete.Marker) string {
	if t := m.Time; t != nil && t.Column == m.Column && t.Type != softdelete.EpochTime {
		return string(t.Type)
	}
	return m.Decides().Definition().Type
}

// Explain returns the planner's plan for a query.
func Explain(question string) string {
	return statement("explain.sql", vars{"question": strings.TrimPrefix(question, lead)})
}

// Fingerprint returns values that change if relations, or their columns with these names, have changed.
func Fingerprint(relations []uint32, columns []string) string {
	return statement("fingerprint.sql", vars{"relations": array(relations), "attnames": array(columns)})
}

// ago returns the time that was the given duration ago.
func ago(d time.Duration) string {
	return ask("ago", vars{"age": fmt.Sprintf("%d seconds", int64(d.Seconds()))})
}

// deletedSince returns the predicate of the rows that were deleted within the recent window.
func (c clock) deletedSince(t *softdelete.Table) string {
	return join(t.Markers, " OR ", func(m softdelete.Marker) string {
		return c.aged("deleted_since", m, ago(t.Policy.Recent))
	})
}

// first returns the smallest deletion time, in seconds, of the rows that match a question.
func first(question string, t *softdelete.Table, then string) string {
	each := make([]string, len(t.Markers))
	for i, m := range t.Markers {
		least := ask("first", vars{"time": m.Time.Column, "rows": scanning(t).aged(question, m, then)})
		if question == "not_yet" && m.Time.Type == softdelete.Date {
			least = ask("day after", vars{"value": least})
		}
		each[i] = seconds(m.Time, t.Policy.TimeZone, least)
	}
	return "least(" + strings.Join(each, ", ") + ")"
}
