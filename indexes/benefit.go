package indexes

import (
	"cmp"
	"math"
	"slices"

	"github.com/softdelete-exporter/softdelete_exporter/predicate"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// shrinks tells of an index that would be smaller by enough without deleted rows,
// and of which nothing is known that would need them.
func (t table) shrinks(i *softdelete.Index) bool {
	return t.Numbers != nil && t.Numbers.Ratio.Low() >= worthRatio && t.saves(i) >= worthBytes &&
		i.Valid && i.Predicate == "" && !isConstraint(i) && !requiredByOthers(i) && i.Constraint == "" &&
		!mentions(i, t.Markers.Columns()) && !supportsForeignKey(t.Indexing, i) && !unused(t.Indexing, i)
}

// saves is what the index would lose without the deleted rows.
func (t table) saves(i *softdelete.Index) int64 {
	if i.Trial != nil {
		return i.Bytes - i.Trial.Bytes
	}
	return int64(float64(i.Bytes) * t.Numbers.Ratio.Low())
}

// liveIndexState tells whether an index without deleted rows would pay, and whether there is one.
func (t table) liveIndexState() (pays, present bool) {
	ratio := t.Numbers.Ratio.Low()
	saved := 0.0
	for n := range t.Indexing.Indexes {
		if i := &t.Indexing.Indexes[n]; i.Valid && i.Scope.LiveOnly() {
			present = true
			saved += float64(i.Bytes) * ratio / max(1-ratio, 0.01)
		}
	}
	pays = len(t.shrinking()) > 0 || ratio >= worthRatio && saved >= worthBytes
	return pays, present
}

// Shrinking are the indexes that would be smaller without deleted rows, by enough.
func Shrinking(t *softdelete.Table) []*softdelete.Index {
	if t.Indexing == nil {
		return nil
	}
	return table{t}.shrinking()
}

// shrinking are the indexes that would shrink, the largest gain first; none if what
// they win together is eaten up by being the first to mention the marker.
func (t table) shrinking() []*softdelete.Index {
	duplicates := duplicates(t.Indexing)
	var all []*softdelete.Index
	gain := int64(0)
	for n := range t.Indexing.Indexes {
		if i := &t.Indexing.Indexes[n]; duplicates[i] == nil && t.shrinks(i) {
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

// firstMention is what it costs to be the first index that mentions the marker: soft
// deletes are no longer HOT, so that each leaves a dead entry in every full index
// until the next VACUUM. Zero if there is such an index already.
func (t table) firstMention(replaced []*softdelete.Index) int64 {
	cost := 0.0
	for n := range t.Indexing.Indexes {
		i := &t.Indexing.Indexes[n]
		if mentions(i, t.Markers.Columns()) {
			return 0
		}
		if !slices.Contains(replaced, i) {
			cost += float64(i.Bytes)
		}
	}
	return int64(cost * min(deadShare, t.Numbers.Ratio.Value) * t.Indexing.HOT)
}

// purgeBatches is how many batches a purge takes: of what is past retention now, or, where
// that is purged already, of what comes in a day.
func (t table) purgeBatches() float64 {
	n := t.Numbers
	rows := n.Deleted.Low() / (t.Policy.Retention.Hours() / 24)
	if n.Old != nil {
		rows = max(rows, n.Old.Low())
	}
	return math.Ceil(rows / purgeBatch)
}

// purgeReadBytes is what a purge reads without an index that finds its rows, less what such
// an index costs.
func (t table) purgeReadBytes() int64 {
	return int64(float64(t.Indexing.Bytes)*t.purgeBatches()) - t.firstMention(nil)
}

// purgePays tells whether an index that finds the rows to purge would pay.
func (t table) purgePays() bool {
	return t.HasAges() && t.Numbers.Deleted.Low() >= purgeBatch && t.purgeReadBytes() >= purgeBytes
}

// Unpurgeable are the markers by whose time no index finds the rows to purge.
func Unpurgeable(t *softdelete.Table) []softdelete.Marker {
	var missing []softdelete.Marker
	for _, m := range t.Markers {
		if m.Time != nil && !slices.ContainsFunc(t.Indexing.Indexes, func(i softdelete.Index) bool { return purges(&i, m) }) {
			missing = append(missing, m)
		}
	}
	return missing
}

// purges tells whether the index finds rows by when the marker says they were deleted.
func purges(i *softdelete.Index, m softdelete.Marker) bool {
	return i.Valid && findsOld(i, m)
}

// findsOld tells that the index is, or would be if it were valid, one that purges.
func findsOld(i *softdelete.Index, m softdelete.Marker) bool {
	return i.Method == "btree" && len(i.Keys) > 0 && i.Keys[0].Column == m.Time.Column &&
		predicate.ScopeOf(softdelete.Markers{m}, i.Predicate).Deleted == softdelete.All
}
