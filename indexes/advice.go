package indexes

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// Advice is what to do about one index, or about one that is missing, for a DBA to
// weigh. Its SQL is written by queries.
type Advice struct {
	// Problem is what is wrong with Index; empty when an index is missing, of which
	// Purpose tells what for.
	Problem Problem
	Purpose Purpose
	Index   *softdelete.Index
	// Health is the verdict that it would mend.
	Health softdelete.Health
	// Title says in one sentence what to do, Reason why, Gain what is won, Costs what it
	// takes.
	Title, Reason, Gain string
	Costs               []string
	// Bytes is what is won: of disk, cache and writes, or what a purge need not read.
	// Proved tells that a hypothetical index was asked;
	// else it is an estimate from sizes and the deletion ratio.
	Bytes  int64
	Proved bool
	// Rows is what is won where bytes are not the point: rows that are enforced, or
	// whose keys are free again.
	Rows int64
	// Do are the next steps; Consider comes only when they proved good.
	Do, Consider []Step
	// Source is where PostgreSQL's documentation says so.
	Source string
}

// Step is one thing to do.
type Step struct {
	Action Action
	// Index is the subject of all actions on an index that is there.
	Index *softdelete.Index
	// New is the index that CreateIndex makes, and that FindDuplicates makes way for.
	New *NewIndex
}

// Action is what a step does.
type Action string

// The actions of a step.
const (
	CreateIndex    Action = "create_index"
	ReindexIndex   Action = "reindex_index"
	FindDuplicates Action = "find_duplicates"
	CheckUse       Action = "check_use" // on each replica
	ShowDefinition Action = "show_definition"
	DropIndex      Action = "drop_index" // only ever to be considered
)

// Advise says what to do about the indexes of a table, the most important first.
func Advise(t *softdelete.Table) []Advice {
	if t.Indexing == nil {
		return nil
	}
	a := adviser{table: look(t), names: namer{taken: t.Indexing.Names, given: map[string]bool{}}}
	var all []Advice
	for _, f := range Findings(t) {
		d := f.Problem.definition()
		advice := d.advise(a, f.Index)
		advice.Problem, advice.Index, advice.Health, advice.Source = d.Problem, f.Index, d.health, d.Source
		all = append(all, advice)
	}
	all = append(all, a.missing(all)...)
	for n := range all {
		if all[n].Gain == "" {
			all[n].Gain = all[n].bytesLess("%s%s less of disk, cache and writes.")
		}
	}
	all = slices.DeleteFunc(all, func(broken Advice) bool {
		return broken.Problem == Invalid && slices.ContainsFunc(all,
			func(o Advice) bool { return o.Problem != Invalid && o.repairs(broken.Index) })
	})
	slices.SortStableFunc(all, Advice.Compare)
	return all
}

// Compare orders advice: first what is wrong with the data, then what is broken,
// then what is won, the most bytes first, and last what is but a question.
func (a Advice) Compare(b Advice) int {
	return cmp.Or(cmp.Compare(a.rank(), b.rank()), cmp.Compare(b.Bytes, a.Bytes), cmp.Compare(b.Rows, a.Rows))
}

// repairs tells that a step mends an invalid index.
func (a Advice) repairs(i *softdelete.Index) bool {
	return slices.ContainsFunc(a.Do, func(s Step) bool {
		return s.Action == ReindexIndex && s.Index == i || s.Action == CreateIndex && s.New.Exists && s.New.Name == i.Name
	})
}

func (a Advice) rank() int { return a.Problem.definition().rank }

// bytesLess puts the bytes that are won into a sentence.
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
}

// days is how far back the counters reach.
func (a adviser) days() int {
	return int(a.Indexing.At.Sub(a.Indexing.Since).Hours() / 24)
}

// columns are the keys as a person would name them.
func columns(keys []softdelete.Key) string {
	names := make([]string, len(keys))
	for i, k := range keys {
		names[i] = k.Column + k.Expression
	}
	return strings.Join(names, ", ")
}
