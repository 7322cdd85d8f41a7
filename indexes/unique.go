package indexes

import (
	"slices"
	"strings"

	"github.com/softdelete-exporter/softdelete_exporter/predicate"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// allowsLiveDuplicates tells of a unique index that enforces nothing among live
// rows: one of its columns is NULL in each of them, and NULLs are distinct.
func (t table) allowsLiveDuplicates(i *softdelete.Index) bool {
	if !i.Unique || i.NullsNotDistinct || i.Scope.Live == softdelete.None {
		return false
	}
	rest, without := t.withoutNulls(i)
	return without && len(rest) > 0 && !slices.ContainsFunc(t.Indexing.Indexes, func(other softdelete.Index) bool {
		return isConstraint(&other) && other.Valid && within(&other, rest) && t.holdsLiveOf(&other, i)
	})
}

// withoutNulls are the keys that are not NULL in all live rows; without tells that
// there were others.
func (t table) withoutNulls(i *softdelete.Index) (rest []softdelete.Key, without bool) {
	always := predicate.NullWhileLive(t.Markers)
	for _, k := range i.Keys {
		if always[k.Column] {
			without = true
		} else {
			rest = append(rest, k)
		}
	}
	return rest, without
}

// holdsLiveOf tells whether an index holds all live rows that another one holds:
// each part of its predicate is one of the other's, or true of every live row.
func (t table) holdsLiveOf(i, other *softdelete.Index) bool {
	given := predicate.Conjuncts(other.Predicate)
	return !slices.ContainsFunc(predicate.Conjuncts(i.Predicate), func(part string) bool {
		return !slices.Contains(given, part) && predicate.ScopeOf(t.Markers, part).Live != softdelete.All
	})
}

// within tells whether all keys of the index are among the given ones: what is
// unique by fewer columns is unique by more.
func within(i *softdelete.Index, keys []softdelete.Key) bool {
	return !slices.ContainsFunc(i.Keys, func(k softdelete.Key) bool {
		return !slices.ContainsFunc(keys, func(o softdelete.Key) bool { return k.Column == o.Column && k.Expression == o.Expression })
	})
}

// ignoresDeleted tells of a unique index in which a deleted row blocks its key,
// where that is likely not meant so. Most unique indexes are meant so: tokens and
// hashes must not come again. What speaks against it is a key that people choose, or
// a sister index that does let deleted rows go.
func (t table) ignoresDeleted(i *softdelete.Index) bool {
	if t.Numbers == nil || t.Numbers.Deleted.Low() == 0 ||
		!i.Unique || requiredByOthers(i) || i.Predicate != "" || mentions(i, t.Markers.Columns()) || len(i.Keys) == 0 {
		return false
	}
	if slices.ContainsFunc(i.Keys, permanent) {
		return false
	}
	sister := slices.ContainsFunc(t.Indexing.Indexes, func(o softdelete.Index) bool { return o.Unique && o.Valid && o.Scope.LiveOnly() })
	return sister || slices.ContainsFunc(i.Keys, func(k softdelete.Key) bool { return chosen(k, len(i.Keys) > 1) })
}

// permanent tells of a key that must stay unique even among deleted rows.
func permanent(k softdelete.Key) bool {
	return holds(k, "token", "hash", "uuid", "guid", "secret", "digest", "checksum", "fingerprint", "external", "invoice", "number", "serial", "apikey")
}

// chosen tells of a key that a person chose and will want again: an e-mail address,
// or a name, within others.
func chosen(k softdelete.Key, within bool) bool {
	return holds(k, "email", "username", "login") || within && holds(k, "name", "slug", "title")
}

func holds(k softdelete.Key, words ...string) bool {
	folded := softdelete.Fold(k.Column + k.Expression)
	return slices.ContainsFunc(words, func(w string) bool { return strings.Contains(folded, w) })
}
