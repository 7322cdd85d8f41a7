package inspect

import (
	"slices"
	"time"

	"github.com/softdelete-exporter/softdelete_exporter/sampling"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// ageEdges are the edges of the age classes of a table that is counted.
func (c *count) ageEdges() []time.Time {
	return softdelete.AgeEdges(c.table.began, c.table.Policy.Retention)
}

// fewAgeEdges are those of a sample. All of them are also in ageEdges.
func (c *count) fewAgeEdges() []time.Time {
	return softdelete.FewAgeEdges(c.table.began, c.table.Policy.Retention)
}

// ages returns the rows of each class.
func (t *tally) ages(edges []time.Time) *softdelete.Ages {
	a := &softdelete.Ages{Edges: edges, Rows: make([]softdelete.Estimate, len(edges)+1)}
	for i, class := range t.Classes {
		a.Rows[class].Value += float64(t.Sizes[i])
	}
	return a
}

// fewer returns the rows that were counted in the classes of a sample.
func (c *count) fewer(t tally) (rows [sampling.MaxClasses]int64) {
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
