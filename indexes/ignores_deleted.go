package indexes

import (
	"fmt"
	"slices"
	"strings"

	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// UniqueIgnoresDeleted is the problem of a unique index in which a deleted row blocks its key.
const UniqueIgnoresDeleted Problem = "unique_ignores_deleted"

var ignoresDeleted = definition{
	Description: Description{
		Problem: UniqueIgnoresDeleted,
		Label:   "deleted rows block their keys",
		When: "a deleted row blocks a key that people choose (an e-mail address; a name or slug together " +
			"with another column), or another unique index of the table leaves out deleted rows",
		Unless: "the key is a token, hash, external id, number or the like; the index is a primary key, a " +
			"replica identity, or referenced; nothing is deleted",
		Remedy: "this may be intended; if not, create a unique index on live rows",
		Source: docs + "indexes-partial.html#INDEXES-PARTIAL-EX3",
	},
	rank:    1,
	partial: true,
	found:   (*table).ignoresDeleted,
	advise:  adviser.askForKeys,
}

// askForKeys asks whether a deleted row should block its key.
func (a adviser) askForKeys(i *softdelete.Index) Advice {
	advice := Advice{
		Title: fmt.Sprintf("Check whether deleted rows of %s should block their keys.", a.FullName()),
		Rows:  int64(a.Numbers.Deleted.Value),
		Reason: fmt.Sprintf("A deleted row blocks its %s for ever. Should unique index %s also apply to deleted rows?",
			columns(i.Keys), i.Name),
		Costs: append([]string{
			fmt.Sprintf(
				"ON CONFLICT (%s) fails as soon as the full index is gone: first add the WHERE of the partial index to it.",
				columns(i.Keys)),
			"Restoring a deleted row fails if its key has been used again.",
		}, a.hotCost()...),
		Consider: []Step{{Action: DropIndex, Index: i}},
	}
	if advice.Rows > 0 {
		advice.Gain = fmt.Sprintf("The keys of %s deleted rows become free.", softdelete.Thousands(float64(advice.Rows)))
	}
	a.build(&advice, &NewIndex{Method: i.Method, Unique: true, Keys: i.Keys, Include: i.Include, Rows: LiveRows,
		Markers: a.Markers},
		func(o *softdelete.Index) bool { return holdsLive(o, i.Keys, true) })
	return advice
}

// ignoresDeleted reports whether a deleted row blocks its key in a unique index, and that is probably not
// intended. For most unique indexes it is intended: tokens and hashes must not be used again. It is probably
// not intended if people choose the key, or if another unique index of the table leaves out deleted rows.
func (t *table) ignoresDeleted(i *softdelete.Index) bool {
	if t.Numbers == nil || t.Numbers.Deleted.Low() == 0 ||
		!i.Unique || requiredByOthers(i) || i.Predicate != "" || mentions(i, t.Markers.Columns()) || len(i.Keys) == 0 {
		return false
	}
	if slices.ContainsFunc(i.Keys, permanent) {
		return false
	}
	sister := slices.ContainsFunc(t.Indexing.Indexes,
		func(o softdelete.Index) bool { return o.Unique && o.Valid && o.Scope.LiveOnly() })
	return sister || slices.ContainsFunc(i.Keys, func(k softdelete.Key) bool { return chosen(k, len(i.Keys) > 1) })
}

// permanent reports whether a key must stay unique even among deleted rows.
func permanent(k softdelete.Key) bool {
	return holds(k, "token", "hash", "uuid", "guid", "secret", "digest", "checksum", "fingerprint", "external", "invoice",
		"number", "serial", "apikey")
}

// chosen reports whether people choose a key and may want it again: an e-mail address, or a name as one of
// several columns.
func chosen(k softdelete.Key, within bool) bool {
	return holds(k, "email", "username", "login") || within && holds(k, "name", "slug", "title")
}

func holds(k softdelete.Key, words ...string) bool {
	folded := softdelete.Fold(k.Column + k.Expression)
	return slices.ContainsFunc(words, func(w string) bool { return strings.Contains(folded, w) })
}
