package indexes

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// Duplicate is the problem of an index that repeats another one.
const Duplicate Problem = "duplicate"

var duplicate = definition{
	Description: Description{
		Problem: Duplicate,
		Label:   "repeats another index",
		When: "same access method, columns and expressions, operator classes, collations, order, `INCLUDE` " +
			"and predicate as another index that does all it does",
		Unless: "the spare one owns a constraint, is referenced by a foreign key, or is a replica identity",
		Remedy: "compare the definitions, then consider dropping the one that is needed less",
		Source: docs + "indexes-intro.html",
	},
	found: func(t *table, i *softdelete.Index) bool { return t.twins[i] != nil },
	advise: func(a adviser, i *softdelete.Index) Advice {
		twin := a.twins[i]
		return Advice{
			Title: fmt.Sprintf("Ask whether %s needs index %s twice.", a.FullName(), i.Name),
			Bytes: i.Bytes,
			Reason: fmt.Sprintf("Index %s repeats %s, column for column, so that every write is done twice.", i.Name,
				twin.Name),
			Costs:    []string{"None that we know of; compare the two definitions first."},
			Do:       []Step{{Action: ShowDefinition, Index: i}, {Action: ShowDefinition, Index: twin}},
			Consider: []Step{{Action: DropIndex, Index: i}},
		}
	},
}

// duplicates are the indexes that repeat another one, by themselves. Of a group of
// equals the one that is needed most is the one that stays.
func duplicates(x *softdelete.Indexing) map[*softdelete.Index]*softdelete.Index {
	twins := map[*softdelete.Index]*softdelete.Index{}
	for a := range x.Indexes {
		for b := range a {
			keep, spare := &x.Indexes[b], &x.Indexes[a]
			if outranks(spare, keep) {
				keep, spare = spare, keep
			}
			if keep.Valid && spare.Valid && covers(keep, spare) && !requiredByOthers(spare) && spare.Constraint == "" &&
				twins[keep] == nil {
				twins[spare] = keep
			}
		}
	}
	return twins
}

// outranks tells which of two equal indexes is to stay.
func outranks(i *softdelete.Index, other *softdelete.Index) bool {
	rank := func(i *softdelete.Index) int {
		for n, needed := range []bool{i.Primary, i.Referenced, i.ReplicaIdentity, i.Constraint != "", i.Unique} {
			if needed {
				return n
			}
		}
		return 5
	}
	return cmp.Or(cmp.Compare(rank(i), rank(other)), cmp.Compare(i.OID, other.OID)) < 0
}

// covers tells that the index does all that another one does.
func covers(i *softdelete.Index, other *softdelete.Index) bool {
	same := i.Method == other.Method && i.Predicate == other.Predicate &&
		slices.Equal(i.Keys, other.Keys) && slices.Equal(i.Include, other.Include) && i.Exclusion == other.Exclusion
	return same && (!other.Unique || i.Unique && !i.Deferrable && i.NullsNotDistinct == other.NullsNotDistinct)
}
