// Package discovery decides which column of a table marks its deleted rows, and explains each decision to people. It
// uses rules about names and types, and the values of integers and letters. Its callers supply all facts: it does not
// query a database.
package discovery

import (
	"cmp"
	"slices"

	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// Found is what the rules find in one table.
type Found struct {
	Markers softdelete.Markers
	// Unclear is why the known markers must not be used for counting; nil if they can be used.
	Unclear *Unclear
	// Undecided is why it is not known this time whether all markers were found; empty if they were. The markers are
	// then a guess, and must not be used for counting.
	Undecided string
	// Decisions say for each column why it is used or not.
	Decisions []Decision
}

// Needs returns what Discover needs to know about the columns of a table, by name.
func (r Rules) Needs(schema, table string, listed bool, columns []Column) map[string]Need {
	if r.copies(schema, table, columns) != nil && !listed {
		return nil
	}
	found := r.candidates(columns, fits, alwaysSet)
	needs := map[string]Need{}
	for _, c := range r.provable(columns) {
		needs[c.Name] = NeedEvidence
	}
	for _, c := range found {
		need := c.need(c.rule.Group.holdsTime())
		if need == NeedKind && (c.rule.Group != Flags || partner(c, found) >= 0) {
			continue // it is a flag whatever it contains
		}
		if need != NeedNothing {
			needs[c.Name] = need
		}
	}
	return needs
}

// Considered returns the columns of a table for which Discover must know the values of new rows.
func (r Rules) Considered(schema, table string, listed bool, columns []Column) []string {
	if r.copies(schema, table, columns) != nil && !listed {
		return nil
	}
	var names []string
	for _, c := range r.candidates(columns, fits, alwaysSet) {
		names = append(names, c.Name)
	}
	for _, c := range r.provable(columns) {
		names = append(names, c.Name)
	}
	return names
}

// candidates returns the columns with one of these rejections, the most certain first.
func (r Rules) candidates(columns []Column, among ...rejection) []candidate {
	var found []candidate
	for _, c := range columns {
		if j := r.match(c); slices.Contains(among, j.reason) {
			found = append(found, j)
		}
	}
	slices.SortStableFunc(found, func(a, b candidate) int {
		return slices.Index(r.Names, a.rule) - slices.Index(r.Names, b.rule)
	})
	return found
}

// partner returns the index of the time that belongs to a flag; -1 if there is none.
func partner(flag candidate, among []candidate) int {
	return slices.IndexFunc(among, func(t candidate) bool {
		return t.rule.Group.holdsTime() && stem(t.Name) == stem(flag.Name)
	})
}

// Discover finds the markers among the columns of a table, after the facts in Needs were read. A flag and a time of
// the same stem form one marker, a pair. If several markers remain, a row is deleted if any of them says so. A table
// that the configuration lists is not left out because of its name.
func (r Rules) Discover(schema, table string, listed bool, columns []Column) Found {
	var d Found
	copies := r.copies(schema, table, columns)
	if listed {
		copies = nil
	}
	var times, flags []candidate
	if copies == nil {
		for _, c := range sole(r.candidates(columns, fits, unread)) {
			if c.reason == unread {
				d.Undecided = cmp.Or(c.Unborn, c.Evidence.Unread)
			}
			if c.rule.Group.isFlag() {
				flags = append(flags, c)
			} else {
				times = append(times, c)
			}
		}
	}
	for _, flag := range flags {
		m := r.marker(flag)
		if i := partner(flag, times); i >= 0 {
			flag.Meaning = softdelete.IntegerMeaning{} // a flag is what its name says, whatever it contains
			m = r.marker(flag)
			if !times[i].Varies { // otherwise it would also be set in new rows
				m.Kind, m.Flag, m.Time = softdelete.Pair, m.Kind, times[i].partnerTime(times[i].meaning().Unit)
			}
			times = slices.Delete(times, i, i+1)
		}
		d.add(schema, table, m, flag.Column)
	}
	for _, t := range times {
		d.add(schema, table, r.marker(t), t.Column)
	}
	e := explainer{r, schema, table, copies}
	for _, c := range columns {
		if decision := e.explain(c, d.Markers); decision.Rule != "" || similar.MatchString(softdelete.Fold(c.Name)) {
			d.Decisions = append(d.Decisions, decision)
		}
	}
	return d
}

// add adds a marker with its deciding column.
func (f *Found) add(schema, table string, m softdelete.Marker, c Column) {
	f.Markers = append(f.Markers, m)
	if f.Unclear == nil {
		f.Unclear = UnclearDefault(schema, table, m, c)
	}
}

// marker makes a marker from a candidate alone.
func (r Rules) marker(c candidate) softdelete.Marker {
	m := softdelete.Marker{Column: c.Name, Type: c.OwnType, Equality: c.Equality}
	inverted := c.rule.Group == InvertedFlags
	switch c.class() {
	case softdelete.TimeClass:
		m.Kind, m.Time = softdelete.Timestamp, c.time("")
		if len(c.Born) > 0 {
			m.Kind, m.Live = softdelete.Sentinel, liveBesideNull(softdelete.Sentinel, c.Born)
		}
	case softdelete.IntegerClass:
		m.Kind = softdelete.Number
		if inverted {
			m.Live = []string{"1"}
		} else if s := c.meaning(); s.Kind == softdelete.Epoch {
			m.Kind, m.Time, m.Live = softdelete.Epoch, c.time(s.Unit), liveBesideNull(softdelete.Epoch, c.Born)
		}
	case softdelete.BooleanClass:
		m.Kind = softdelete.Flag
		if inverted {
			m.Kind = softdelete.InvertedFlag
		}
	case softdelete.TextClass:
		m.Kind = softdelete.Letter
		switch {
		case inverted:
			m.Live = softdelete.YesLetters
		case c.rule.Group == TextTimes:
			m.Kind, m.Live = softdelete.Timestamp, liveBesideNull(softdelete.Timestamp, c.Born)
		case c.rule.Group == Statuses:
			m.Kind = softdelete.Status
			m.Deleted = r.DeletedWords(c.Column)
		}
	case softdelete.EnumClass:
		m.Kind, m.Deleted = softdelete.Status, r.labels(c.Column)
	default:
		m.Kind = softdelete.KindOf(c.class())
	}
	return m
}

// meaning returns what an integer is assumed to contain: by its name, or else by its values, or else by its rule.
func (c candidate) meaning() softdelete.IntegerMeaning {
	if _, unit := unitOf(c.Name); unit != "" {
		return softdelete.IntegerMeaning{Kind: softdelete.Epoch, Unit: unit}
	}
	if c.Meaning.Kind == "" && c.rule.Group.holdsTime() {
		return softdelete.IntegerMeaning{Kind: softdelete.Epoch}
	}
	return c.Meaning
}
