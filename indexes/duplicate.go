package indexes

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// Duplicate is the problem of an index that does the same as another one.
const Duplicate Problem = "duplicate"

var duplicate = definition{
	Description: Description{
		Problem: Duplicate,
		Label:   "same as another index",
		When: "another index does everything that this one does, and has the same access method, columns and " +
			"expressions, operator classes, collations, order, `INCLUDE` and predicate",
		Unless: "the index to drop is a primary key, belongs to an exclusion constraint, is referenced by a foreign key, " +
			"or is a replica identity",
		Remedy: "compare the definitions, then consider dropping the less needed index",
		Source: docs + "indexes-intro.html",
	},
	found: func(t *table, i *softdelete.Index) bool { return t.twins[i] != nil },
	advise: func(a adviser, i *softdelete.Index) Advice {
		twin := a.twins[i]
		costs := "No cost is known; compare the two definitions first."
		if i.Constraint != "" {
			costs = fmt.Sprintf("ON CONFLICT ON CONSTRAINT %s fails without it. Compare the two definitions first.",
				i.Constraint)
		}
		return Advice{
			Title: fmt.Sprintf("Check whether %s needs index %s twice.", a.FullName(), i.Name),
			Bytes: i.Bytes,
			Reason: fmt.Sprintf("Index %s has the same definition as %s, so every write maintains both.", i.Name,
				twin.Name),
			Costs:    []string{costs},
			Do:       []Step{{Action: ShowDefinition, Index: i}, {Action: ShowDefinition, Index: twin}},
			Consider: []Step{{Action: DropIndex, Index: i}},
		}
	},
}

// duplicates maps each index that repeats another one to that other one. Of a group of equal indexes, the most
// needed one stays.
func duplicates(x *softdelete.Indexing) map[*softdelete.Index]*softdelete.Index {
	twins := map[*softdelete.Index]*softdelete.Index{}
	for a := range x.Indexes {
		for b := range a {
			keep, spare := &x.Indexes[b], &x.Indexes[a]
			if covers(spare, keep) && (!covers(keep, spare) || outranks(spare, keep)) {
				keep, spare = spare, keep
			}
			if keep.Valid && spare.Valid && covers(keep, spare) && !requiredByOthers(spare) && twins[keep] == nil {
				twins[spare] = keep
			}
		}
	}
	return twins
}

// outranks reports whether the first of two equal indexes should stay.
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

// covers reports whether the index does everything that another one does.
func covers(i *softdelete.Index, other *softdelete.Index) bool {
	same := i.Method == other.Method && i.Predicate == other.Predicate &&
		slices.Equal(i.Keys, other.Keys) && slices.Equal(i.Include, other.Include) && i.Exclusion == other.Exclusion
	return same &&
		(!other.Unique || i.Unique && (!i.Deferrable || other.Deferrable) && i.NullsNotDistinct == other.NullsNotDistinct)
}
