package softdelete

import (
	"fmt"
	"slices"
	"time"
)

// Purging is what the catalogs say about a purge of one table.
type Purging struct {
	// At is when they were read.
	At time.Time
	// Columns describes the marker columns in the form in which a script compares them.
	Columns string
	// Defaulted is true if a time among them has a default, or had one when it was added. Live rows may have that
	// value, or an earlier default.
	Defaulted bool
	// Owner is the role that should run a script.
	Owner string
	// Problems are why a script would remove nothing, or would do something else.
	Problems []string
	// Accepted are the triggers that the user accepts, each with the digest of its function.
	Accepted []string
	// Keys are the foreign keys that reference the table.
	Keys []PurgeKey
}

// PurgeKey is a foreign key that references a table with rows to purge. A row that the other table references stays.
type PurgeKey struct {
	// Schema and Name are those of the referencing table.
	Schema, Name string
	// Key is the constraint's name, Columns are its columns, quoted.
	Key, Columns string
	// Itself is true if the table references itself.
	Itself bool
	// Unindexed describes the index on the columns that is missing; nil if there is one. Without it each purged row
	// needs a full read of the other table.
	Unindexed *UnindexedKey
	// Cascades is true if the key would delete the referencing rows as well, with no effect on any table but its
	// own.
	Cascades bool
}

// UnindexedKey is a foreign key whose columns have no index, with what is needed to create one.
type UnindexedKey struct {
	// Table is the referencing table, Columns are the columns of the key, and Partitions are the partitions of the
	// table, each after its parent.
	Table      Partition
	Columns    []string
	Partitions []Partition
	// Near are indexes with one of the columns that do not help.
	Near []NearIndex
}

// NearIndex is an index of a table that references, and what it lacks to find the referencing rows.
type NearIndex struct {
	Index Index
	// Lacks is "order" if it does not begin with the columns, "rows" if it is partial, "validity" if its build
	// failed, "collation" if it is sorted by another one.
	Lacks string
}

// Doubt is why it is not certain which rows of a table are past retention, and the settings for the table's entry in
// the configuration that make it certain, each by itself, as YAML. A single setting has a placeholder for what only the
// reader knows, so that pasting it unchanged confirms no guess; of several, the reader has to choose one.
type Doubt struct {
	Why      string
	Settings []string
}

// Doubts returns why the rows past retention are not certain enough to be removed permanently. A missing fact counts
// as a doubt.
func (t *Table) Doubts() []Doubt {
	var doubts []Doubt
	allDeleted := t.Numbers != nil && t.Numbers.Total.Value > 0 && t.Numbers.Active.Value <= 0
	for i, m := range t.Markers {
		columns := "column: " + QuoteYAML(m.Column)
		add := func(setting, format string, args ...any) {
			doubts = append(doubts, Doubt{fmt.Sprintf(format, args...), []string{columns + "\n" + setting}})
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
				[]string{"time_zone: " + FillIn}})
		}
		if t.Purging != nil && t.Purging.Defaulted && !m.Given {
			add(m.meaningSetting(), "column %q has or had a default, and live rows may hold another one than it has now",
				m.Time.Column)
		}
		if allDeleted && !m.Given {
			add(m.meaningSetting(), "no live row is left: what column %q holds may be what live rows hold", m.Column)
		}
		if m.Found() && t.Numbers != nil && t.Numbers.agreement(i) == nil {
			doubts = append(doubts, Doubt{fmt.Sprintf("whether %q and %q agree is not known", m.Column, m.Time.Column),
				m.deciding()})
		}
	}
	for _, d := range t.Disputes() {
		if !d.Settled() {
			doubts = append(doubts, Doubt{d.Why(), d.Marker.deciding()})
		}
	}
	return doubts
}

// meaningSetting returns the setting that says what the marker's values mean, with placeholders.
func (m Marker) meaningSetting() string {
	if m.Kind == Sentinel {
		return "live_values: [" + FillIn + "]"
	}
	return "kind: " + FillIn
}

// Withheld returns why there is no script to purge the table; empty if there is one. A missing fact is a reason, too.
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

// PurgeGroups sorts tables with rows to purge: referencing tables come first. Tables that reference each other in a
// circle form one group.
func PurgeGroups(tables []*Table) [][]*Table {
	at := map[[2]string]int{}
	for i, t := range tables {
		at[[2]string{t.Schema, t.Name}] = i
	}
	// Tarjan's algorithm returns the components in exactly this order.
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
