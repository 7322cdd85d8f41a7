package inspect

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
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

// classes is a row of queries.Relation.Classes.
type classes struct {
	Bytes, Block int64
	Classes      [][]*string
}

// class are the rows of one relation in one class.
type class struct {
	number *int
	rows   int64
	// first is in seconds since 1970, and next the end of that day; it is nil if the times are no days.
	first, next *float64
	observed
}

// readClass reads one class.
func readClass(texts []*string) (c class, err error) {
	err = errors.Join(into(&c.number, texts[0], strconv.Atoi), into(&c.first, texts[2], float),
		into(&c.next, texts[3], float))
	if err == nil {
		c.rows, err = strconv.ParseInt(*texts[1], 10, 64)
	}
	o := texts[4:]
	number := func(text string) (int64, error) { return strconv.ParseInt(text, 10, 64) }
	return c, errors.Join(err, intoFirst(&c.Strange, o[0], func(text string) (string, error) { return text, nil }),
		intoFirst(&c.Listed, o[1], number), intoFirst(&c.Least, o[2], float), intoFirst(&c.Greatest, o[3], float),
		intoFirst(&c.Rounds, o[4], number), intoFirst(&c.Own, o[5], strconv.ParseBool), intoFirst(&c.Timed, o[6], number))
}

func float(text string) (float64, error) { return strconv.ParseFloat(text, 64) }

// into reads a value, unless there is none.
func into[T any](target **T, text *string, read func(string) (T, error)) error {
	if text == nil {
		return nil
	}
	value, err := read(*text)
	*target = &value
	return err
}

// intoFirst reads what was observed of the only marker.
func intoFirst[T any](target *[]*T, text *string, read func(string) (T, error)) error {
	*target = make([]*T, 1)
	return into(&(*target)[0], text, read)
}

// tally adds up the classes. The table has age classes between so many edges.
func (c classes) tally(t *softdelete.Table, edges int) (tally, error) {
	sum := tally{Bytes: c.Bytes, Block: c.Block, Ages: make([]int64, edges+1)}
	var both, timeless int64
	for _, texts := range c.Classes {
		c, err := readClass(texts)
		if err != nil {
			return tally{}, fmt.Errorf("reading a class: %w", err)
		}
		sum.Total += c.rows
		if c.number == nil {
			sum.observed.add(observed{Strange: c.Strange, Listed: c.Listed, Timed: c.Timed})
			continue
		}
		age := *c.number/queries.Classes - 1
		known := *c.number >= 0 && 0 <= age && age <= edges
		if known {
			both += c.rows
		} else {
			timeless += c.rows
			sum.early = sum.early || *c.number >= 0 && age < 0
		}
		is := func(bit int) bool { return *c.number >= 0 && *c.number&bit != 0 }
		switch round := at(c.Rounds, 0); {
		case round == nil:
		case is(queries.Planned):
			*round = 0 // they are live until then
		case age > edges:
			*round = c.rows // infinity is round, too
		}
		sum.observed.add(c.observed)
		if known && is(queries.Future) && (t.KnowsRecent() || t.Markers.Planned()) {
			sum.Coming = least(sum.Coming, c.first)
		}
		if is(queries.Planned) {
			continue // live until then
		}
		sum.Deleted += c.rows
		if !known {
			continue
		}
		sum.Ages[age] += c.rows
		sum.Oldest = least(sum.Oldest, c.first)
		if is(queries.Recent) && !is(queries.Future) {
			sum.Recent += c.rows
		}
		switch {
		case !t.HasAges():
		case is(queries.Kept):
			sum.Next = least(sum.Next, cmp.Or(c.next, c.first))
		default:
			sum.Old += c.rows
		}
	}
	if m := t.Markers[0]; m.Found() {
		sum.Both, sum.Timeless = []*int64{&both}, []*int64{&timeless}
	}
	return sum, nil
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
