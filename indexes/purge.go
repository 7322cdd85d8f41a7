package indexes

import (
	"fmt"
	"math"
	"slices"

	"github.com/softdelete-exporter/softdelete_exporter/predicate"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// purgeBatches returns how many batches a purge needs for the rows past retention now, or, if those are purged
// already, for the rows of one day.
func (t *table) purgeBatches() float64 {
	n := t.Numbers
	rows := n.Deleted.Low() / (t.Policy.Retention.Hours() / 24)
	if n.Old != nil {
		rows = max(rows, n.Old.Low())
	}
	return math.Ceil(rows / purgeBatch)
}

// purgeReadBytes returns how much a purge reads without an index that finds its rows, minus the cost of such an
// index.
func (t *table) purgeReadBytes() int64 {
	return int64(float64(t.Indexing.Bytes)*t.purgeBatches()) - t.firstMention(nil)
}

// purgePays reports whether an index that finds the rows to purge would help.
func (t *table) purgePays() bool {
	return t.HasAges() && t.Numbers.Deleted.Low() >= purgeBatch && t.purgeReadBytes() >= purgeBytes
}

// Unpurgeable returns the markers for whose time there is no index that finds the rows to purge.
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

// purges reports whether the index finds rows by the marker's deletion time.
func purges(i *softdelete.Index, m softdelete.Marker) bool {
	return i.Valid && findsOld(i, m)
}

// findsOld reports whether the index would find rows by the marker's deletion time if it were valid.
func findsOld(i *softdelete.Index, m softdelete.Marker) bool {
	return i.Method == "btree" && len(i.Keys) > 0 && i.Keys[0].Column == m.Time.Column &&
		predicate.ScopeOf(softdelete.Markers{m}, i.Predicate).Deleted == softdelete.All
}

// PurgeColumn returns the column by which an index finds the rows to purge, oldest first; empty if there is no
// such index.
func PurgeColumn(t *softdelete.Table) string {
	if !t.HasAges() || t.Indexing == nil || len(t.Markers) != 1 || len(Unpurgeable(t)) > 0 {
		return ""
	}
	return t.Markers[0].Time.Column
}

// purge advises to create an index for removing rows that are past retention.
func (a adviser) purge(m softdelete.Marker) Advice {
	keys := []softdelete.Key{{Column: m.Time.Column}}
	advice := Advice{
		Purpose: Purge,
		Health:  softdelete.Fair,
		Title:   fmt.Sprintf("Index the deletion time of %s for its purge.", a.FullName()),
		Bytes:   a.purgeReadBytes(),
		Reason: fmt.Sprintf(
			"Without an index on %s, a purge in batches of %d rows reads the table (%s) %.0f times. A partial index "+
				"contains only deleted rows.",
			m.Time.Column, purgeBatch, softdelete.Size(a.Indexing.Bytes), a.purgeBatches()),
		Costs: append([]string{fmt.Sprintf("It has an entry for each of the %.0f deleted rows.",
			a.Numbers.Deleted.Value)}, a.hotCost()...),
		Source: docs + "indexes-partial.html",
	}
	advice.Gain = advice.bytesLess("%s%s less to read for the whole purge.")
	a.build(&advice, &NewIndex{Method: "btree", Keys: keys, Rows: Purge, Markers: softdelete.Markers{m}},
		func(i *softdelete.Index) bool { return findsOld(i, m) })
	return advice
}
