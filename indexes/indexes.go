// Package indexes finds what is wrong with the indexes of a table that uses soft delete, which index is
// missing, and what to do about it. It judges facts of the Snapshot; package queries writes the SQL of its
// advice.
package indexes

import (
	"cmp"
	"slices"
	"strings"

	"github.com/softdelete-exporter/softdelete_exporter/predicate"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// Problem says what is wrong with an index, one of a short list.
type Problem string

// Description is what people are told of a problem.
type Description struct {
	Problem Problem
	// Label describes the problem in the report.
	Label string
	// When and Unless say when the problem is found and when it is not, Remedy what to do;
	// docs/indexes.md lists them.
	When, Unless, Remedy string
	// Source is the page of PostgreSQL's documentation that the advice follows.
	Source string
}

// definition is one kind of problem: how it is found, how bad it is, and what to do.
type definition struct {
	Description
	// health is the verdict on a table with this problem, and reason says why. Both are zero if the problem
	// does not change the verdict.
	health softdelete.Health
	reason string
	// partial means that the advice is an index of the live rows alone, which there cannot be where
	// deletions are planned: the condition of an index does not know the time.
	partial bool
	// rank orders the advice about different problems.
	rank   int
	found  func(*table, *softdelete.Index) bool
	advise func(adviser, *softdelete.Index) Advice
	// replaced returns the unique index on live rows that is to take the place of this one. Indexes with the same
	// one are one piece of advice. It is nil if there is no such index.
	replaced func(*table, *softdelete.Index) replacement
}

// replacement is a unique index on live rows: its keys, and what else its rows must fulfil.
type replacement struct {
	keys      []softdelete.Key
	predicate string
}

func (r replacement) equal(o replacement) bool {
	return r.predicate == o.predicate && sameKeys(r.keys, o.keys)
}

const docs = "https://www.postgresql.org/docs/current/"

// problems are checked in this order: an index has the first one that is found.
var problems = []definition{invalid, allowsLiveDuplicates, blocksSecondDelete, duplicate, plainFlag, unused,
	holdsDeleted,
	ignoresDeleted}

// definition returns the definition of a problem; the zero value for the empty problem.
func (p Problem) definition() definition {
	for _, d := range problems {
		if d.Problem == p {
			return d
		}
	}
	return definition{}
}

// Descriptions returns the descriptions of all problems, in the order in which they are checked.
func Descriptions() []Description {
	all := make([]Description, len(problems))
	for i, d := range problems {
		all[i] = d.Description
	}
	return all
}

// Label returns a few words about what is wrong with an index that has the problem.
func (p Problem) Label() string { return cmp.Or(p.definition().Label, string(p)) }

// Verdict returns how good a table with the problem is, and why; good without a reason if the problem does not
// change the verdict.
func (p Problem) Verdict() (softdelete.Health, string) {
	d := p.definition()
	return d.health, d.reason
}

// Finding is a problem of one index.
type Finding struct {
	Index   *softdelete.Index
	Problem Problem
}

// Findings returns the problems of the table's indexes, sorted by index name, at most one per index. The indexes
// of a table without rows are only judged by whether they are valid.
func Findings(of *softdelete.Table) []Finding {
	if of.Indexing == nil {
		return nil
	}
	return look(of).findings()
}

// empty reports whether the table is known to have no rows.
func empty(t *softdelete.Table) bool {
	return t.Numbers != nil && t.Numbers.Method == softdelete.Exact && t.Numbers.Total.Value == 0
}

func (t *table) findings() []Finding {
	judged := problems
	if empty(t.Table) {
		judged = []definition{invalid}
	}
	var all []Finding
	for n := range t.Indexing.Indexes {
		i := &t.Indexing.Indexes[n]
		if i.Building && !i.Valid {
			continue
		}
		for _, d := range judged {
			if d.found(t, i) && !(d.partial && t.Markers.Planned()) {
				all = append(all, Finding{Index: i, Problem: d.Problem})
				break
			}
		}
	}
	return all
}

// table is a table whose indexes are judged, with facts that several problems use.
type table struct {
	*softdelete.Table
	// twins maps each index that repeats another one to that other one.
	twins map[*softdelete.Index]*softdelete.Index
	// shrinking are the indexes that would be sufficiently smaller without deleted rows, largest gain first.
	shrinking []*softdelete.Index
}

func look(of *softdelete.Table) *table {
	t := &table{Table: of, twins: duplicates(of.Indexing)}
	t.shrinking = t.shrinkingIndexes()
	return t
}

// mentions reports whether one of the columns is in the index or its predicate, so that an update of it must
// touch the index.
func mentions(i *softdelete.Index, columns []string) bool {
	return i.Scope.Mentions || slices.ContainsFunc(i.Include,
		func(c string) bool { return slices.Contains(columns, c) }) ||
		slices.ContainsFunc(i.Keys, func(k softdelete.Key) bool { return keyMentions(k, columns) })
}

func keyMentions(k softdelete.Key, columns []string) bool {
	return slices.Contains(columns, k.Column) || predicate.Mentions(k.Expression+k.Generated, columns)
}

// outcomes are what a key can be in live and in deleted rows. A generated column is what it is made of.
func (t *table) outcomes(k softdelete.Key) (live, deleted predicate.Outcomes) {
	if of := k.Expression + k.Generated; of != "" {
		return predicate.OutcomesOf(t.Markers, of)
	}
	return predicate.ColumnOutcomes(t.Markers, k.Column)
}

// sameKeys reports whether unique indexes on these keys enforce the same: their order does not matter.
func sameKeys(a, b []softdelete.Key) bool { return within(a, b) && within(b, a) }

// within reports whether all keys are among others, whatever their order. Which keys are equal can depend on the
// collation.
func within(keys, others []softdelete.Key) bool {
	collation := func(k softdelete.Key) string {
		if !strings.HasPrefix(k.Rest, "COLLATE ") {
			return ""
		}
		return k.Rest
	}
	return !slices.ContainsFunc(keys, func(k softdelete.Key) bool {
		return !slices.ContainsFunc(others, func(o softdelete.Key) bool {
			return k.Column == o.Column && k.Expression == o.Expression && collation(k) == collation(o)
		})
	})
}

// isConstraint reports whether the index enforces something, rather than being there only for reading.
func isConstraint(i *softdelete.Index) bool { return i.Unique || i.Primary || i.Exclusion }

// requiredByOthers reports whether something else relies on the index as it is.
func requiredByOthers(i *softdelete.Index) bool {
	return i.Primary || i.Exclusion || i.Referenced || i.ReplicaIdentity
}

// supportsForeignKey reports whether the index serves one of the table's foreign keys. Deleting or changing a
// parent looks for its children, whether deleted or live.
func supportsForeignKey(x *softdelete.Indexing, i *softdelete.Index) bool {
	return slices.ContainsFunc(x.ForeignKeys, func(key []string) bool {
		return len(i.Keys) > 0 && slices.Contains(key, i.Keys[0].Column)
	})
}
