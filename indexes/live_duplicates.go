package indexes

import (
	"fmt"
	"slices"

	"github.com/softdelete-exporter/softdelete_exporter/predicate"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// UniqueAllowsLiveDuplicate is the problem of a unique index that enforces nothing among live rows.
const UniqueAllowsLiveDuplicate Problem = "unique_allows_live_duplicates"

var allowsLiveDuplicates = definition{
	Description: Description{
		Problem: UniqueAllowsLiveDuplicate,
		Label:   "allows live duplicates",
		When:    "a column of the unique index is NULL in every live row, and NULLs are distinct",
		Unless: "`NULLS NOT DISTINCT`; 0, a sentinel or `coalesce` instead of NULL; another unique index " +
			"enforces the other columns among live rows",
		Remedy: "find the duplicates, create a unique index on live rows, then consider dropping the old one",
		Source: docs + "indexes-unique.html",
	},
	health:  softdelete.Poor,
	reason:  "a unique index allows live duplicates",
	rank:    -2,
	partial: true,
	found:   (*table).allowsLiveDuplicates,
	advise:  adviser.enforce,
	replaced: func(t *table, i *softdelete.Index) replacement {
		rest, _ := t.withoutNulls(i)
		return replacement{rest, besideLive(i)}
	},
}

// enforce advises to make an index that enforces among live rows what the unique index only seems to enforce.
func (a adviser) enforce(i *softdelete.Index) Advice {
	keys, _ := a.withoutNulls(i)
	alike := a.alike[i]
	enforcing := &NewIndex{Method: i.Method, Unique: true, Keys: keys, Rows: LiveRows, Markers: a.Markers,
		Predicate: besideLive(i)}
	advice := Advice{
		Title: fmt.Sprintf("Make %s unique among live rows.", a.FullName()),
		Gain:  "Uniqueness is then enforced for the live rows.",
		Reason: fmt.Sprintf(
			"Unique %s %s nothing among live rows: one of %s columns is NULL in each of them, and NULLs are distinct.",
			indexNames(alike), each(alike, "enforces", "enforce"), each(alike, "its", "their")),
		Costs: slices.Concat(
			[]string{"The build fails if there are live rows with equal keys, and leaves an invalid index that every " +
				"write maintains. Find them first."}, replacedCosts(alike, onlyWithWhere(keys)), a.hotCost()),
	}
	a.replace(&advice, alike, enforcing,
		func(o *softdelete.Index) bool { return a.enforces(o, keys) && a.holdsLiveOf(o, i) })
	if len(advice.Do) > 0 && advice.Do[0].Action == CreateIndex {
		advice.Do = slices.Insert(advice.Do, 0, Step{Action: FindDuplicates, New: enforcing})
	}
	if a.Numbers != nil {
		advice.Rows = int64(a.Numbers.Active.Value)
	}
	if advice.Rows > 0 {
		advice.Gain = fmt.Sprintf("Uniqueness is then enforced for %s live rows.",
			softdelete.Thousands(float64(advice.Rows)))
	}
	return advice
}

// onlyWithWhere says how ON CONFLICT finds a partial index.
func onlyWithWhere(keys []softdelete.Key) string {
	return fmt.Sprintf("ON CONFLICT must name (%s) and the WHERE of the partial index.", columns(keys))
}

// besideLive is what restricts an index in place of this one, beside that it holds live rows only.
func besideLive(i *softdelete.Index) string {
	if i.Scope.LiveOnly() && i.Scope.Live == softdelete.All {
		return ""
	}
	return i.Predicate
}

// allowsLiveDuplicates reports whether a unique index enforces nothing among live rows, because one of its
// columns is NULL in each of them, and NULLs are distinct.
func (t *table) allowsLiveDuplicates(i *softdelete.Index) bool {
	if !i.Unique || i.NullsNotDistinct || i.Scope.Live == softdelete.None {
		return false
	}
	rest, without := t.withoutNulls(i)
	return without && len(rest) > 0 && !slices.ContainsFunc(t.Indexing.Indexes, func(other softdelete.Index) bool {
		return other.Valid && t.enforces(&other, rest) && t.holdsLiveOf(&other, i)
	})
}

// withoutNulls returns the keys that are not always NULL in live rows, and whether there were others.
func (t *table) withoutNulls(i *softdelete.Index) (rest []softdelete.Key, without bool) {
	for _, k := range i.Keys {
		if live, _ := t.outcomes(k); live.Null == softdelete.All {
			without = true
		} else {
			rest = append(rest, k)
		}
	}
	return rest, without
}

// holdsLiveOf reports whether an index contains all live rows of another one: each part of its predicate is
// also in the other's predicate, or true for every live row.
func (t *table) holdsLiveOf(i, other *softdelete.Index) bool {
	given := predicate.Conjuncts(other.Predicate)
	return !slices.ContainsFunc(predicate.Conjuncts(i.Predicate), func(part string) bool {
		return !slices.Contains(given, part) && predicate.ScopeOf(t.Markers, part).Live != softdelete.All
	})
}

// enforces reports whether an index makes the keys unique among the live rows that it contains: rows that are
// unique by fewer columns are also unique by more, and a key that is the same in all live rows adds nothing.
func (t *table) enforces(i *softdelete.Index, keys []softdelete.Key) bool {
	return isConstraint(i) && within(slices.DeleteFunc(slices.Clone(i.Keys), func(k softdelete.Key) bool {
		live, _ := t.outcomes(k)
		return live.Fixed()
	}), keys)
}
