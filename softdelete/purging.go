package softdelete

import (
	"fmt"
	"slices"
	"time"
)

// Purging is what the catalogs say of a purge of one table.
type Purging struct {
	// At is when they were asked.
	At time.Time
	// Columns are the marker columns, in the words in which a script compares them.
	Columns string
	// Defaulted means that a time among them has a default, or had one when it was added.
	// Live rows may hold it, or one that it had in between.
	Defaulted bool
	// Owner is the role that is to run a script.
	Owner string
	// Problems are why a script would remove nothing, or not what it was written for.
	Problems []string
	// Accepted are the triggers that the reader accepted, each with the digest of its function.
	Accepted []string
	// Keys are the foreign keys that reference the table.
	Keys []PurgeKey
}

// PurgeKey is a foreign key that references a table with rows to purge: a row that any
// row of the other table references stays.
type PurgeKey struct {
	// Schema and Name are those of the table that references.
	Schema, Name string
	// Key is the constraint's name, Columns are its columns, quoted.
	Key, Columns string
	// Itself means that the table references itself.
	Itself bool
	// Unindexed says what an index on the columns needs, if there is none: then each row of a purge would
	// read the other table whole.
	Unindexed *UnindexedKey
	// Cascades means that the key would take the referencing rows along, and that nothing
	// but its own table is concerned if it does.
	Cascades bool
}

// UnindexedKey is a foreign key whose columns have no index, and what it takes to make one.
type UnindexedKey struct {
	// Table is the table that references, Columns are the key's, and Partitions those of the table, each after
	// its parent.
	Table      Partition
	Columns    []string
	Partitions []Partition
	// Near are indexes that have one of the columns, and do not help.
	Near []NearIndex
}

// NearIndex is an index of a table that references, and what it lacks to find the referencing rows.
type NearIndex struct {
	Index Index
	// Lacks is "order" if it does not begin with the columns, "rows" if it is partial, "validity" if its build
	// failed, "collation" if it is sorted by another one.
	Lacks string
}

// Doubt is why it is not certain which rows of a table are past retention, and what to
// write into the table's entry of the configuration to settle it, as YAML. What only the reader
// knows is left to be filled in: pasted as it is, no setting confirms what we guessed.
type Doubt struct{ Why, Setting string }

// Doubts are why the rows past retention are not certain enough to be removed for good.
// What is not known to be certain is not.
func (t *Table) Doubts() []Doubt {
	var doubts []Doubt
	allDeleted := t.Numbers != nil && t.Numbers.Total.Value > 0 && t.Numbers.Active.Value <= 0
	for _, m := range t.Markers {
		columns := "column: " + QuoteYAML(m.Column)
		add := func(setting, format string, args ...any) {
			doubts = append(doubts, Doubt{fmt.Sprintf(format, args...), columns + "\n" + setting})
		}
		if m.Time == nil {
			add("time_column: "+FillIn, "column %q does not say when a row was deleted", m.Column)
			continue
		}
		if m.Time.Column != m.Column {
			columns += "\ntime_column: " + QuoteYAML(m.Time.Column)
		}
		switch {
		case m.Time.Type == EpochTime && m.Time.Unit == "":
			add("unit: "+FillIn, "the unit of column %q is not known", m.Time.Column)
		case m.Time.Type == EpochTime && !m.Time.UnitGiven:
			add("unit: "+FillIn, "the unit of column %q, %s, is a guess", m.Time.Column, m.Time.Unit)
		}
		if (m.Time.Type == LocalTimestamp || m.Time.Type == Date) && !t.Policy.ZoneKnown {
			doubts = append(doubts, Doubt{
				fmt.Sprintf("the time zone of column %q, %s, is assumed", m.Time.Column, t.Policy.TimeZone),
				"time_zone: " + FillIn})
		}
		if t.Purging != nil && t.Purging.Defaulted && !m.Given {
			add(m.meaningSetting(), "column %q has or had a default, and live rows may hold another one than it has now",
				m.Time.Column)
		}
		if allDeleted && !m.Given {
			add(m.meaningSetting(), "no live row is left: what column %q holds may be what live rows hold", m.Column)
		}
	}
	return doubts
}

// meaningSetting is the setting that says what the marker's values mean, which only the reader knows.
func (m Marker) meaningSetting() string {
	if m.Kind == Sentinel {
		return "live_values: [" + FillIn + "]"
	}
	return "kind: " + FillIn
}

// Withheld is why no statement is printed that would purge the table; empty if one is.
// A fact that is missing is a reason.
func (t *Table) Withheld() []string {
	var reasons []string
	switch {
	case t.Problem != nil:
		reasons = append(reasons, "it could not be counted: "+t.Problem.Message)
	case t.Numbers == nil:
		reasons = append(reasons, "it is not counted yet")
	}
	for _, d := range t.Doubts() {
		reasons = append(reasons, d.Why)
	}
	if t.Policy.Retention == 0 {
		reasons = append(reasons, "its retention is none")
	}
	if t.Purging == nil {
		return append(reasons, "what stands in the way is not known")
	}
	return append(reasons, t.Purging.Problems...)
}

// PurgeGroups puts tables with rows to purge into an order: those that reference others
// stand before them. Tables that reference each other in a circle are one group.
func PurgeGroups(tables []*Table) [][]*Table {
	at := map[[2]string]int{}
	for i, t := range tables {
		at[[2]string{t.Schema, t.Name}] = i
	}
	// Tarjan's algorithm gives the components in this very order.
	var groups [][]*Table
	var stack []int
	index, low := make([]int, len(tables)), make([]int, len(tables)) // 0: not met; then counted from 1
	onStack := make([]bool, len(tables))
	met := 0
	var visit func(int)
	visit = func(v int) {
		met++
		index[v], low[v], onStack[v] = met, met, true
		stack = append(stack, v)
		if p := tables[v].Purging; p != nil {
			for _, k := range p.Keys {
				w, found := at[[2]string{k.Schema, k.Name}]
				switch {
				case !found:
				case index[w] == 0:
					visit(w)
					low[v] = min(low[v], low[w])
				case onStack[w]:
					low[v] = min(low[v], index[w])
				}
			}
		}
		if low[v] != index[v] {
			return
		}
		var group []*Table
		for {
			w := stack[len(stack)-1]
			stack, onStack[w] = stack[:len(stack)-1], false
			group = append(group, tables[w])
			if w == v {
				slices.Reverse(group)
				groups = append(groups, group)
				return
			}
		}
	}
	for i := range tables {
		if index[i] == 0 {
			visit(i)
		}
	}
	return groups
}
