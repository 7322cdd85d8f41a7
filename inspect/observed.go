package inspect

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/softdelete-exporter/softdelete_exporter/discovery"
	"github.com/softdelete-exporter/softdelete_exporter/postgres"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// unclearError is the error of a count whose meaning is not certain.
type unclearError struct{ softdelete.Problem }

func (e *unclearError) Error() string { return e.Message }

// observed is what the values of the deciding columns show, for each marker in turn: the additional results of
// queries.Relation, or the sum of several.
type observed struct {
	// Strange is a value whose meaning is not known.
	Strange []*string
	// Listed says, as bits, which of the marker's named values exist.
	Listed []*int64
	// Least and Greatest are the smallest and largest integer times of deleted rows.
	Least, Greatest []*float64
	// Rounds are the numbers of deleted rows with a round instant.
	Rounds []*int64
	// Own is true if the value of every deleted row is its own key.
	Own []*bool
	// Both, Timeless and Timed are as in softdelete.Agreement.
	Both, Timeless, Timed []*int64
}

// add adds the results of other rows. It does not change data of a Snapshot, or of an answer.
func (o *observed) add(other observed) {
	o.Strange = each(o.Strange, other.Strange, func(a, b string) string { return min(a, b) })
	o.Least = each(o.Least, other.Least, func(a, b float64) float64 { return min(a, b) })
	o.Greatest = each(o.Greatest, other.Greatest, func(a, b float64) float64 { return max(a, b) })
	sum := func(a, b int64) int64 { return a + b }
	o.Rounds = each(o.Rounds, other.Rounds, sum)
	o.Both, o.Timeless = each(o.Both, other.Both, sum), each(o.Timeless, other.Timeless, sum)
	o.Timed = each(o.Timed, other.Timed, sum)
	o.Own = each(o.Own, other.Own, func(a, b bool) bool { return a && b })
	o.Listed = each(o.Listed, other.Listed, func(a, b int64) int64 { return a | b })
}

// each combines two results for each marker; either may be missing.
func each[T any](a, b []*T, join func(a, b T) T) []*T {
	if a == nil {
		return b
	}
	all := slices.Clone(a)
	for i, v := range b {
		switch {
		case v == nil:
		case all[i] == nil:
			all[i] = v
		default:
			joined := join(*all[i], *v)
			all[i] = &joined
		}
	}
	return all
}

// at returns the result for one marker; nil if there is none.
func at[T any](answers []*T, i int) *T {
	if i >= len(answers) {
		return nil
	}
	return answers[i]
}

// listed returns the named values of a marker, those that exist and those that do not.
func (o *observed) listed(i int, m softdelete.Marker) (there, missing []string) {
	var bits int64
	if listed := at(o.Listed, i); listed != nil {
		bits = *listed
	}
	values, _ := m.Named()
	for bit, v := range values {
		if bits&(1<<bit) != 0 {
			there = append(there, v)
		} else {
			missing = append(missing, v)
		}
	}
	return there, missing
}

// accept makes the zero time of Go's libraries live if it was found, and makes a marker a number if every deleted row
// has its own key there. It reports whether the table must then be counted again.
func (c *count) accept() (again bool) {
	for i, own := range c.observed.Own {
		isNumber := func(f *softdelete.ColumnFacts) { f.Meaning = softdelete.IntegerMeaning{Kind: softdelete.Number} }
		if m := c.table.Markers[i]; own != nil && *own && len(m.Live) == 0 && c.learn(m.Column, isNumber) {
			c.replace(i, softdelete.Marker{Kind: softdelete.Number, Column: m.Column})
			again = true
		}
	}
	for i, v := range c.observed.Strange {
		m := c.table.Markers[i]
		if v == nil || !discovery.IsZeroTime(m, *v) || slices.Contains(m.Live, *v) {
			continue
		}
		known := c.learn(m.Column, func(f *softdelete.ColumnFacts) { f.Zero = *v })
		if !known {
			continue
		}
		m.Kind, m.Live = softdelete.Sentinel, append(slices.Clone(m.Live), *v)
		slices.Sort(m.Live)
		c.replace(i, m)
		again = true
	}
	return again
}

// replace replaces one marker of the table.
func (c *count) replace(i int, m softdelete.Marker) {
	c.table.Markers = slices.Clone(c.table.Markers)
	c.table.Markers[i] = m
}

// learn keeps a fact about a column for the next refresh; it returns false if the column is not known.
func (c *count) learn(column string, change func(*softdelete.ColumnFacts)) bool {
	attnum, known := c.table.attnums[column]
	if !known {
		return false
	}
	d := c.refresh.databases[c.session.Database]
	// Data of a Snapshot must not change.
	d.ColumnFacts = maps.Clone(d.ColumnFacts)
	if d.ColumnFacts == nil {
		d.ColumnFacts = map[softdelete.ColumnID]softdelete.ColumnFacts{}
	}
	id := softdelete.ColumnID{Relation: c.table.OID, Attnum: attnum}
	facts := d.ColumnFacts[id]
	change(&facts)
	d.ColumnFacts[id] = facts
	c.refresh.databases[c.session.Database] = d
	return true
}

// unclear returns why the meaning of the counted numbers is not certain; nil if it is.
func (c *count) unclear(ctx context.Context, n *softdelete.Numbers) error {
	t := c.table
	for i, m := range t.Markers {
		var u *discovery.Unclear
		letters, _ := c.observed.listed(i, m)
		least, greatest := at(c.observed.Least, i), at(c.observed.Greatest, i)
		switch {
		case at(c.observed.Own, i) != nil && *c.observed.Own[i]:
			u = discovery.UnclearKey(t.Schema, t.Name, m)
		case least != nil && greatest != nil:
			if err := discovery.WrongUnit(m.Time, *least, *greatest, c.refresh.began); err != nil {
				return &unclearError{softdelete.Problem{Reason: softdelete.Unsupported,
					Message: fmt.Sprintf("%s.%s: %s", t.Schema, t.Name, err)}}
			}
			u = discovery.UnclearInteger(t.Schema, t.Name, m, *least, *greatest, c.refresh.began)
		case at(c.observed.Strange, i) != nil:
			u = discovery.UnclearValue(t.Schema, t.Name, m, softdelete.Legible(*c.observed.Strange[i]))
		case !m.Given && !m.OneAlphabet(letters):
			u = discovery.UnclearLetters(t.Schema, t.Name, m, letters)
		case at(c.observed.Rounds, i) != nil:
			value, rows, err := c.shared(ctx, i, n)
			if err != nil {
				return err
			}
			if value != "" {
				u = discovery.UnclearShared(t.Schema, t.Name, m, softdelete.Legible(value), rows)
			}
		}
		if u == nil {
			d, err := c.dispute(ctx, i, n)
			if err != nil {
				return err
			}
			if d.Undecidable() {
				u = discovery.UnclearPair(t.Schema, t.Name, d)
			}
		}
		if u != nil {
			return &unclearError{softdelete.Problem{Reason: softdelete.MarkerUnclear, Remedy: u.Remedy,
				Message: fmt.Sprintf("%s.%s: %s", t.Schema, t.Name, u.Message)}}
		}
	}
	return nil
}

// sharedBy is the share of the rows that must have the same round instant for it to be taken for a former default of
// live rows.
const sharedBy = 0.1

// shared returns a round instant that too many deleted rows have, and how many; empty if there is none. It reads the
// table again only if it was read completely and enough of its rows have round instants.
func (c *count) shared(ctx context.Context, i int, n *softdelete.Numbers) (value string, rows float64, err error) {
	most := max(sharedBy*n.Total.Value, 1)
	rounds := float64(*c.observed.Rounds[i])
	if rounds == 0 || n.Method == softdelete.Exact && rounds <= most {
		return "", 0, nil
	}
	m, sum := c.table.Markers[i], map[string]float64{}
	for _, l := range c.table.partitions {
		question := c.on(l).Shared(m)
		if n.Method == softdelete.Statistics || slices.ContainsFunc(c.sampled,
			func(s sampledPartition) bool { return s.OID == l.OID }) {
			question = c.on(l).SharedStatistics(m)
		}
		found, err := postgres.Query[struct {
			Value string
			Rows  float64
		}](ctx, c.session, question)
		if err != nil {
			return "", 0, fmt.Errorf("reading the values that rows of %s.%s share: %w", l.Schema, l.Name, err)
		}
		for _, f := range found {
			if sum[f.Value] += f.Rows; sum[f.Value] > most && sum[f.Value] > rows {
				value, rows = f.Value, sum[f.Value]
			}
		}
	}
	return value, rows, nil
}

// unseen returns the configured values that no row of the table has.
func (c *count) unseen() []string {
	var all []string
	for i, m := range c.table.Markers {
		if m.Given {
			_, missing := c.observed.listed(i, m)
			all = append(all, missing...)
		}
	}
	return all
}
