package inspect

import (
	"cmp"
	"slices"
	"time"

	"github.com/softdelete-exporter/softdelete_exporter/queries"
	"github.com/softdelete-exporter/softdelete_exporter/sampling"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// agesOf says which edges a table has: those of the same day and retention are the same.
type agesOf struct {
	today     time.Time
	retention time.Duration
}

// ageEdges are the edges of the age classes of a table that is counted. Tables share them.
func (c *count) ageEdges() []time.Time {
	of := agesOf{softdelete.AgeEdge(c.table.began, 1), c.table.Policy.Retention}
	edges := c.refresh.edges[of]
	if edges == nil {
		edges = softdelete.AgeEdges(c.table.began, of.retention)
		c.refresh.edges[of] = edges
	}
	return edges
}

// fewAgeEdges are those of a sample. All of them are also in ageEdges.
func (c *count) fewAgeEdges() []time.Time {
	return softdelete.FewAgeEdges(c.table.began, c.table.Policy.Retention)
}

// classes is a row of queries.Relation.Classes: the results of one relation, each with an element for each class.
type classes struct {
	Bytes, Block int64
	Classes      []*int
	Sizes        []int64
	// Firsts are seconds since 1970, and Nexts those of the ends of days; nil elements if the times are no days.
	Firsts, Nexts []*float64
	observed
}

// tally adds up the classes. The table has age classes between so many edges.
func (c classes) tally(t *softdelete.Table, edges int) tally {
	sum := tally{Bytes: c.Bytes, Block: c.Block, Ages: make([]int64, edges+1), observed: c.observed}
	for i, rows := range c.Sizes {
		sum.Total += rows
		if c.Classes[i] == nil {
			continue
		}
		class := *c.Classes[i]
		age := class/queries.Classes - 1
		known := class >= 0 && 0 <= age && age <= edges
		is := func(bit int) bool { return class >= 0 && class&bit != 0 }
		if known && is(queries.Future) && (t.KnowsRecent() || t.Markers.Planned()) {
			sum.Coming = least(sum.Coming, c.Firsts[i])
		}
		if is(queries.Planned) {
			continue // live until then
		}
		sum.Deleted += rows
		if !known {
			continue
		}
		sum.Ages[age] += rows
		sum.Oldest = least(sum.Oldest, c.Firsts[i])
		if is(queries.Recent) && !is(queries.Future) {
			sum.Recent += rows
		}
		switch {
		case !t.HasAges():
		case is(queries.Kept):
			sum.Next = least(sum.Next, cmp.Or(c.Nexts[i], c.Firsts[i]))
		default:
			sum.Old += rows
		}
	}
	return sum
}

// ages returns the rows of each class.
func (t *tally) ages(edges []time.Time) *softdelete.Ages {
	a := &softdelete.Ages{Edges: edges, Rows: make([]softdelete.Estimate, 0, len(t.Ages))}
	for _, rows := range t.Ages {
		a.Rows = append(a.Rows, softdelete.Exactly(rows))
	}
	return a
}

// fewer returns the rows that were counted in the classes of a sample.
func (c *count) fewer(t tally) (rows [sampling.MaxClasses]int64) {
	if t.Ages == nil {
		return rows
	}
	few := c.fewAgeEdges()
	contains := func(edge time.Time) bool { return slices.ContainsFunc(few, edge.Equal) }
	for i, class := range t.ages(c.ageEdges()).Classes(contains) {
		rows[i] = int64(class.Rows.Value)
	}
	return rows
}

// sampledAges returns the classes that the sample knows well enough; nil if there are none.
func (c *count) sampledAges() *softdelete.Ages {
	if len(c.classes) == 0 {
		return nil
	}
	edges, a := c.fewAgeEdges(), &softdelete.Ages{}
	for i, class := range c.classes {
		a.Rows = append(a.Rows, estimated(class.Rows))
		if i < len(c.classes)-1 {
			a.Edges = append(a.Edges, edges[class.Last])
		}
	}
	return a
}

// guessedAges returns the classes that statistics show, from the deleted rows since each edge; nil if there are none.
func (c *count) guessedAges(since []float64) *softdelete.Ages {
	if len(since) == 0 || since[0] == 0 {
		return nil
	}
	a := &softdelete.Ages{Edges: c.fewAgeEdges()}
	for i, rows := range since {
		if i < len(since)-1 {
			rows -= since[i+1]
		}
		a.Rows = append(a.Rows, softdelete.Estimate{Value: rows, Margin: softdelete.NoMargin})
	}
	return a
}
