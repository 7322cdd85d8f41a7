package indexes

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// HoldsDeleted is the problem of an index most of whose entries are of deleted rows.
const HoldsDeleted Problem = "holds_deleted"

var holdsDeleted = definition{
	Description: Description{
		Problem: HoldsDeleted,
		Label:   "contains mostly deleted rows",
		When:    "more than half of the entries of a full index are for deleted rows, and it would shrink by 1 MB or more",
		Unless: "it is unique, supports a foreign key, or has the marker among its keys; or a partial index would " +
			"cost more than it saves",
		Remedy: "create a partial index, then consider dropping the full one",
		Source: docs + "indexes-partial.html",
	},
	partial: true,
	found: func(t *table, i *softdelete.Index) bool {
		return t.Numbers != nil && t.Numbers.Ratio.Low() > mostly && slices.Contains(t.shrinking, i)
	},
	advise: adviser.withoutDeleted,
}

// shrinks reports whether an index would be sufficiently smaller without deleted rows, and nothing is known to
// need them.
func (t *table) shrinks(i *softdelete.Index) bool {
	return t.Numbers != nil && t.Numbers.Ratio.Low() >= worthRatio && t.saves(i) >= worthBytes &&
		i.Valid && i.Predicate == "" && !isConstraint(i) && !requiredByOthers(i) && i.Constraint == "" &&
		!mentions(i, t.Markers.Columns()) && !supportsForeignKey(t.Indexing, i) && !isUnused(t.Indexing, i)
}

// saves returns how much smaller the index would be without the deleted rows.
func (t *table) saves(i *softdelete.Index) int64 {
	if i.Trial != nil {
		return i.Bytes - i.Trial.Bytes
	}
	return int64(float64(i.Bytes) * t.Numbers.Ratio.Low())
}

// Shrinking returns the indexes that would be sufficiently smaller without deleted rows.
func Shrinking(t *softdelete.Table) []*softdelete.Index {
	if t.Indexing == nil {
		return nil
	}
	return look(t).shrinking
}

// shrinkingIndexes returns the indexes that would shrink, largest gain first. It returns none if their total
// gain does not exceed the cost of being the first to mention the marker.
func (t *table) shrinkingIndexes() []*softdelete.Index {
	var all []*softdelete.Index
	gain := int64(0)
	for n := range t.Indexing.Indexes {
		if i := &t.Indexing.Indexes[n]; t.twins[i] == nil && t.shrinks(i) {
			all = append(all, i)
			gain += t.saves(i)
		}
	}
	if len(all) == 0 || gain-t.firstMention(all) < worthBytes {
		return nil
	}
	slices.SortStableFunc(all, func(a, b *softdelete.Index) int { return cmp.Compare(t.saves(b), t.saves(a)) })
	return all
}

// withoutDeleted advises to replace an index with one without the deleted rows.
func (a adviser) withoutDeleted(i *softdelete.Index) Advice {
	deleted := a.Numbers.Ratio.Value
	advice := Advice{
		Title:  fmt.Sprintf("Remove the deleted rows from index %s of %s.", i.Name, a.FullName()),
		Bytes:  max(0, a.saves(i)-a.hot(i)),
		Proved: i.Trial != nil,
		Reason: fmt.Sprintf(
			"%.0f%% of the entries of index %s (%s) are for deleted rows, which no query for live rows needs.", 100*deleted,
			i.Name, softdelete.Size(i.Bytes)),
		Costs:    append(a.hotCost(), a.predicateCost()...),
		Consider: []Step{{Action: CheckUse, Index: i}, {Action: DropIndex, Index: i}},
	}
	a.build(&advice, &NewIndex{Method: i.Method, Keys: i.Keys, Include: i.Include, Rows: LiveRows, Markers: a.Markers},
		func(o *softdelete.Index) bool { return holdsLive(o, i.Keys, false) })
	return advice
}

// hot returns the cost of being the first index to mention the marker. It is subtracted from the largest gain.
func (a adviser) hot(i *softdelete.Index) int64 {
	if all := a.shrinking; len(all) > 0 && all[0] == i {
		return a.firstMention(all)
	}
	return 0
}
