package indexes

import (
	"fmt"
	"slices"

	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// UniqueBlocksSecondDelete is the problem of a unique index in which a key can be deleted only once.
const UniqueBlocksSecondDelete Problem = "unique_blocks_second_delete"

var blocksSecondDelete = definition{
	Description: Description{
		Problem: UniqueBlocksSecondDelete,
		Label:   "a key can be deleted only once",
		When: "the unique index also holds deleted rows, and one of its columns is a flag, which is the same in all of " +
			"them: the second row with the same other columns cannot be deleted",
		Unless: "a column of it is a deletion time, or NULL in deleted rows; another unique index allows the other " +
			"columns only once; these are a token, hash, external id, number or the like",
		Remedy: "create a unique index on live rows, then consider dropping the old one",
		Source: docs + "indexes-partial.html#INDEXES-PARTIAL-EX3",
	},
	rank:    -1,
	partial: true,
	found:   (*table).blocksSecondDelete,
	advise:  adviser.allowSecondDelete,
	replaced: func(t *table, i *softdelete.Index) replacement {
		_, rest := t.flags(i)
		return replacement{rest, besideLive(i)}
	},
}

// blocksSecondDelete reports whether the unique index lets each key be deleted only once.
func (t *table) blocksSecondDelete(i *softdelete.Index) bool {
	rest, once := t.onlyOnce(i)
	return once && !slices.ContainsFunc(t.Indexing.Indexes, func(o softdelete.Index) bool {
		return o.Unique && o.Valid && o.Predicate == "" && within(o.Keys, rest)
	})
}

// onlyOnce reports whether the unique index allows only one deleted row for each of the keys beside flags, and
// returns these keys.
func (t *table) onlyOnce(i *softdelete.Index) (rest []softdelete.Key, once bool) {
	if !i.Unique || requiredByOthers(i) || i.Scope.Live == softdelete.None || i.Scope.Deleted == softdelete.None {
		return nil, false
	}
	flags, rest := t.flags(i)
	return rest, len(flags) > 0 && len(rest) > 0 && !slices.ContainsFunc(rest, func(k softdelete.Key) bool {
		return permanent(k) || keyMentions(k, t.Markers.Columns())
	})
}

// flags splits the keys into those that are the same in all deleted rows, and the others.
func (t *table) flags(i *softdelete.Index) (flags, rest []softdelete.Key) {
	for _, k := range i.Keys {
		if _, deleted := t.outcomes(k); deleted.Fixed() {
			flags = append(flags, k)
		} else {
			rest = append(rest, k)
		}
	}
	return flags, rest
}

// allowSecondDelete advises to make a unique index that holds no deleted rows.
func (a adviser) allowSecondDelete(i *softdelete.Index) Advice {
	flags, rest := a.flags(i)
	alike := a.alike[i]
	advice := Advice{
		Title: fmt.Sprintf("Let rows of %s with the same %s be deleted more than once.", a.FullName(), columns(rest)),
		Reason: fmt.Sprintf(
			"When a second row with the same %s is deleted, the statement fails: unique %s also %s for deleted rows, "+
				"and %s is the "+
				"same in all of them.",
			columns(rest), indexNames(alike), each(alike, "holds", "hold"), columns(flags)),
		Gain: "Deleting no longer fails.",
		Costs: append(replacedCosts(alike, onlyWithWhere(rest)),
			"Restoring a deleted row fails if its key has been used again."),
	}
	a.replace(&advice, alike, &NewIndex{Method: i.Method, Unique: true, Keys: rest, Rows: LiveRows, Markers: a.Markers,
		Predicate: besideLive(i)}, func(o *softdelete.Index) bool {
		return a.enforces(o, rest) && a.holdsLiveOf(o, i) && o.Scope.LiveOnly()
	})
	return advice
}
