package indexes

import (
	"fmt"
	"math"
	"slices"

	"github.com/softdelete-exporter/softdelete_exporter/predicate"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// purgeBatches is how many batches a purge takes: of what is past retention now, or, where
// that is purged already, of what comes in a day.
func (t *table) purgeBatches() float64 {
	n := t.Numbers
	rows := n.Deleted.Low() / (t.Policy.Retention.Hours() / 24)
	if n.Old != nil {
		rows = max(rows, n.Old.Low())
	}
	return math.Ceil(rows / purgeBatch)
}

// purgeReadBytes is what a purge reads without an index that finds its rows, less what such
// an index costs.
func (t *table) purgeReadBytes() int64 {
	return int64(float64(t.Indexing.Bytes)*t.purgeBatches()) - t.firstMention(nil)
}

// purgePays tells whether an index that finds the rows to purge would pay.
func (t *table) purgePays() bool {
	return t.HasAges() && t.Numbers.Deleted.Low() >= purgeBatch && t.purgeReadBytes() >= purgeBytes
}

// Unpurgeable are the markers by whose time no index finds the rows to purge.
func Unpurgeable(t *softdelete.Table) []softdelete.Marker {
	var missing []softdelete.Marker
	for _, m := range t.Markers {
		if m.Time != nil && !slices.ContainsFunc(t.Indexing.Indexes,
			func(i softdelete.Index) bool { return purges(&i, m) }) {
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

// PurgeColumn is the column by which an index finds the rows to purge, the oldest
// first; empty where none is known to.
func PurgeColumn(t *softdelete.Table) string {
	if !t.HasAges() || t.Indexing == nil || len(t.Markers) != 1 || len(Unpurgeable(t)) > 0 {
		return ""
	}
	return t.Markers[0].Time.Column
}

// purge is the advice to have an index for removing what is past retention.
func (a adviser) purge(m softdelete.Marker) Advice {
	keys := []softdelete.Key{{Column: m.Time.Column}}
	advice := Advice{
		Purpose: Purge,
		Health:  softdelete.Fair,
		Title:   fmt.Sprintf("Index the deletion time of %s for its purge.", a.FullName()),
		Bytes:   a.purgeReadBytes(),
		Reason: fmt.Sprintf(
			"Without an index on %s a purge in batches of %d rows reads the %s of the table %.0f times; a partial index "+
				"holds deleted rows only.",
			m.Time.Column, purgeBatch, softdelete.Size(a.Indexing.Bytes), a.purgeBatches()),
		Costs: append([]string{fmt.Sprintf("It holds an entry for each of the %.0f deleted rows.",
			a.Numbers.Deleted.Value)}, a.hotCost()...),
		Source: docs + "indexes-partial.html",
	}
	advice.Gain = advice.bytesLess("%s%s less to read for the whole purge.")
	a.build(&advice, &NewIndex{Method: "btree", Keys: keys, Rows: Purge, Markers: softdelete.Markers{m}},
		func(i *softdelete.Index) bool { return findsOld(i, m) })
	return advice
}
