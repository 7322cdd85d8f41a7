package indexes

import (
	"slices"

	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// liveIndexState reports whether an index without deleted rows would help, and whether there is one.
func (t *table) liveIndexState() (pays, present bool) {
	ratio := t.Numbers.Ratio.Low()
	saved := 0.0
	for n := range t.Indexing.Indexes {
		if i := &t.Indexing.Indexes[n]; i.Valid && i.Scope.LiveOnly() {
			present = true
			saved += float64(i.Bytes) * ratio / max(1-ratio, 0.01)
		}
	}
	pays = !t.Markers.Planned() && (len(t.shrinking) > 0 || ratio >= worthRatio && saved >= worthBytes)
	return pays, present
}

// Purpose says what an index is for.
type Purpose string

// The purposes that a table with soft delete has an index for.
const (
	LiveRows Purpose = "live_rows" // what the application reads
	Purge    Purpose = "purge"     // finding the rows to remove permanently
	// References is for foreign keys: whether a row to remove is still referenced. No metric counts them.
	References Purpose = "references"
)

// Need is a purpose for which an index would help, and whether there is one.
type Need struct {
	For     Purpose
	Present bool
}

// Needs returns the purposes for which an index would help, and for each whether there is one.
func Needs(of *softdelete.Table) []Need {
	if of.Indexing == nil || of.Numbers == nil {
		return nil
	}
	var all []Need
	t := look(of)
	if pays, present := t.liveIndexState(); pays {
		all = append(all, Need{LiveRows, present})
	}
	if t.purgePays() {
		all = append(all, Need{Purge, len(Unpurgeable(t.Table)) == 0})
	}
	return all
}

// missing returns the advice about indexes that would help; others is the advice given already.
func (a adviser) missing(others []Advice) []Advice {
	if a.Numbers == nil {
		return nil
	}
	var all []Advice
	if pays, present := a.liveIndexState(); pays {
		for _, i := range a.shrinking {
			said := slices.ContainsFunc(others, func(o Advice) bool { return o.Index == i })
			if said || present && !a.hasLive(i.Keys, false) {
				continue
			}
			advice := a.withoutDeleted(i)
			advice.Purpose, advice.Index, advice.Health, advice.Source = LiveRows, i, softdelete.Fair, holdsDeleted.Source
			all = append(all, advice)
		}
	}
	if a.purgePays() {
		for _, m := range Unpurgeable(a.Table) {
			all = append(all, a.purge(m))
		}
	}
	return all
}

// hasLive reports whether there is an index on these keys without deleted rows.
func (t *table) hasLive(keys []softdelete.Key, unique bool) bool {
	return slices.ContainsFunc(t.Indexing.Indexes,
		func(i softdelete.Index) bool { return i.Valid && holdsLive(&i, keys, unique) })
}

// holdsLive reports whether the index is on these keys and without deleted rows.
func holdsLive(i *softdelete.Index, keys []softdelete.Key, unique bool) bool {
	return i.Scope.LiveOnly() && i.Scope.Live == softdelete.All && slices.Equal(i.Keys, keys) && (i.Unique || !unique)
}

// Missing returns a phrase that says that there is no index for the purpose.
func (p Purpose) Missing() string {
	if p == Purge {
		return "an index for the purge would help"
	}
	return "an index without deleted rows would help"
}
