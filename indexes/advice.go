package indexes

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// Advice is what to do about one index, or about a missing one, for a DBA to consider. Package queries writes
// its SQL.
type Advice struct {
	// Problem is what is wrong with Index. It is empty if an index is missing; Purpose is then what it is for.
	Problem Problem
	Purpose Purpose
	Index   *softdelete.Index
	// Health is the verdict that the advice would improve.
	Health softdelete.Health
	// Title is a sentence that says what to do, Reason why, Gain what it brings, and Costs what it costs.
	Title, Reason, Gain string
	Costs               []string
	// Bytes is the gain in disk, cache and writes, or what a purge does not have to read. Proved is true if a
	// hypothetical index was measured; otherwise Bytes is an estimate from sizes and the deletion ratio.
	Bytes  int64
	Proved bool
	// Rows is the gain if it is not in bytes: rows with enforced uniqueness, or rows whose keys become free.
	Rows int64
	// Do are the next steps. Consider are steps to consider after those have worked.
	Do, Consider []Step
	// Source is the page of PostgreSQL's documentation about it.
	Source string
}

// Step is one thing to do.
type Step struct {
	Action Action
	// Index is the existing index that the action is about.
	Index *softdelete.Index
	// New is the index that CreateIndex makes, and for which FindDuplicates looks for duplicates.
	New *NewIndex
}

// Action says what a step does.
type Action string

// The actions of a step.
const (
	CreateIndex    Action = "create_index"
	ReindexIndex   Action = "reindex_index"
	FindDuplicates Action = "find_duplicates"
	CheckUse       Action = "check_use" // on each replica
	ShowDefinition Action = "show_definition"
	DropIndex      Action = "drop_index" // only in Consider
)

// Advise returns what to do about the indexes of a table, most important first.
func Advise(t *softdelete.Table) []Advice {
	if t.Indexing == nil {
		return nil
	}
	a := adviser{table: look(t), names: namer{taken: t.Indexing.Names, given: map[string]bool{}}}
	found := a.findings()
	a.alike = a.group(found)
	var all []Advice
	for _, f := range found {
		d := f.Problem.definition()
		if a.alike[f.Index][0] != f.Index {
			continue // the advice about the first of them is about all
		}
		advice := d.advise(a, f.Index)
		advice.Problem, advice.Index, advice.Health, advice.Source = d.Problem, f.Index, d.health, d.Source
		all = append(all, advice)
	}
	all = slices.Concat(all, a.missing(all), a.references())
	for n := range all {
		if all[n].Gain == "" {
			all[n].Gain = all[n].bytesLess("%s%s less disk, cache and writes.")
		}
	}
	all = slices.DeleteFunc(all, func(broken Advice) bool {
		return broken.Problem == Invalid && slices.ContainsFunc(all,
			func(o Advice) bool { return o.Problem != Invalid && o.repairs(broken.Index) })
	})
	slices.SortStableFunc(all, Advice.Compare)
	return all
}

// Compare orders advice: wrong data comes first, then broken indexes, then gains by their size, and then questions to
// the user.
func (a Advice) Compare(b Advice) int {
	return cmp.Or(cmp.Compare(a.rank(), b.rank()), cmp.Compare(b.Bytes, a.Bytes), cmp.Compare(b.Rows, a.Rows))
}

// repairs reports whether a step repairs an invalid index.
func (a Advice) repairs(i *softdelete.Index) bool {
	return slices.ContainsFunc(a.Do, func(s Step) bool {
		return s.Action == ReindexIndex && s.Index == i || s.Action == CreateIndex && s.New.Exists && s.New.Name == i.Name
	})
}

func (a Advice) rank() int { return a.Problem.definition().rank }

// bytesLess inserts the saved bytes into a sentence.
func (a Advice) bytesLess(sentence string) string {
	about := "About "
	if a.Proved {
		about = ""
	}
	if a.Bytes <= 0 {
		return "Less to maintain at each write."
	}
	return fmt.Sprintf(sentence, about, softdelete.Size(a.Bytes))
}

// adviser writes the advice for one table.
type adviser struct {
	*table
	names namer
	alike map[*softdelete.Index][]*softdelete.Index
}

// group finds the indexes that one piece of advice is about: those with the same problem, in whose place the
// same index is to be created. It maps each of them to all.
func (t *table) group(found []Finding) map[*softdelete.Index][]*softdelete.Index {
	all := map[*softdelete.Index][]*softdelete.Index{}
	for _, f := range found {
		replaced := f.Problem.definition().replaced
		for _, o := range found {
			if o == f || replaced != nil && o.Problem == f.Problem && replaced(t, o.Index).equal(replaced(t, f.Index)) {
				all[f.Index] = append(all[f.Index], o.Index)
			}
		}
	}
	return all
}

// replace advises to create a unique index, and to consider dropping those in whose place it is.
func (a adviser) replace(advice *Advice, alike []*softdelete.Index, n *NewIndex, equal func(*softdelete.Index) bool) {
	for _, column := range a.Indexing.PartitionKeys {
		if !slices.ContainsFunc(n.Keys, func(k softdelete.Key) bool { return k.Column == column }) {
			advice.Reason += fmt.Sprintf(" No index can take its place: the table is partitioned by %s, which each unique "+
				"index must contain.", column)
			return
		}
	}
	for _, i := range alike {
		if !requiredByOthers(i) {
			advice.Consider = append(advice.Consider, Step{Action: DropIndex, Index: i})
		}
	}
	a.build(advice, n, equal)
}

// replacedCosts are the costs of a unique index on live rows in the place of others. Conflict says what becomes
// of ON CONFLICT where it worked.
func replacedCosts(alike []*softdelete.Index, conflict string) []string {
	var costs []string
	if slices.ContainsFunc(alike, func(i *softdelete.Index) bool { return !i.Deferrable }) {
		costs = append(costs, conflict)
	}
	for _, i := range alike {
		if i.Deferrable {
			costs = append(costs, fmt.Sprintf("Constraint %s can be deferred, an index cannot: it checks each row at once. "+
				"ON CONFLICT never worked with the constraint.", cmp.Or(i.Constraint, i.Name)))
		}
	}
	return costs
}

// indexNames are "index a" or "indexes a, b and c".
func indexNames(all []*softdelete.Index) string {
	names := make([]string, len(all))
	for n, i := range all {
		names[n] = i.Name
	}
	last := len(names) - 1
	if last == 0 {
		return "index " + names[0]
	}
	return "indexes " + strings.Join(names[:last], ", ") + " and " + names[last]
}

// each chooses the word for one index or for several.
func each[T any](all []T, one, several string) string {
	if len(all) == 1 {
		return one
	}
	return several
}

// days returns how far back the counters reach.
func (a adviser) days() int {
	return int(a.Indexing.At.Sub(a.Indexing.Since).Hours() / 24)
}

// columns lists the keys for a person.
func columns(keys []softdelete.Key) string {
	names := make([]string, len(keys))
	for i, k := range keys {
		names[i] = k.Column + k.Expression
	}
	return strings.Join(names, ", ")
}
