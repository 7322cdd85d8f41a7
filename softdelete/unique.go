package softdelete

import (
	"slices"
	"strings"
)

// allowsLiveDuplicates tells of a unique index that enforces nothing among live
// rows: one of its columns is NULL in each of them, and NULLs are distinct.
func (t *Table) allowsLiveDuplicates(i *Index) bool {
	if !i.Unique || i.NullsNotDistinct || i.Scope.Live == None {
		return false
	}
	rest, without := t.withoutNulls(i)
	return without && len(rest) > 0 && !slices.ContainsFunc(t.Indexing.Indexes, func(other Index) bool {
		return other.enforces() && other.Valid && other.within(rest) && t.holdsLiveOf(&other, i)
	})
}

// withoutNulls are the keys that are not NULL in all live rows; without tells that
// there were others.
func (t *Table) withoutNulls(i *Index) (rest []Key, without bool) {
	always := NullWhileLive(t.Markers)
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
func (t *Table) holdsLiveOf(i, other *Index) bool {
	given := Conjuncts(other.Predicate)
	return !slices.ContainsFunc(Conjuncts(i.Predicate), func(part string) bool {
		return !slices.Contains(given, part) && ScopeOf(t.Markers, part).Live != All
	})
}

// within tells whether all keys of the index are among the given ones: what is
// unique by fewer columns is unique by more.
func (i *Index) within(keys []Key) bool {
	return !slices.ContainsFunc(i.Keys, func(k Key) bool {
		return !slices.ContainsFunc(keys, func(o Key) bool { return k.Column == o.Column && k.Expression == o.Expression })
	})
}

// ignoresDeleted tells of a unique index in which a deleted row blocks its key,
// where that is likely not meant so. Most unique indexes are meant so: tokens and
// hashes must not come again. What speaks against it is a key that people choose, or
// a sister index that does let deleted rows go.
func (t *Table) ignoresDeleted(i *Index) bool {
	if t.Numbers == nil || t.Numbers.Deleted.Low() == 0 ||
		!i.Unique || i.bound() || i.Predicate != "" || i.mentions(t.Markers.Columns()) || len(i.Keys) == 0 {
		return false
	}
	if slices.ContainsFunc(i.Keys, Key.permanent) {
		return false
	}
	sister := slices.ContainsFunc(t.Indexing.Indexes, func(o Index) bool { return o.Unique && o.Valid && o.Scope.LiveOnly() })
	return sister || slices.ContainsFunc(i.Keys, func(k Key) bool { return k.chosen(len(i.Keys) > 1) })
}

// permanent tells of a key that must stay unique even among deleted rows.
func (k Key) permanent() bool {
	return k.holds("token", "hash", "uuid", "guid", "secret", "digest", "checksum", "fingerprint", "external", "invoice", "number", "serial", "apikey")
}

// chosen tells of a key that a person chose and will want again: an e-mail address,
// or a name, within others.
func (k Key) chosen(within bool) bool {
	return k.holds("email", "username", "login") || within && k.holds("name", "slug", "title")
}

func (k Key) holds(words ...string) bool {
	folded := Fold(k.Column + k.Expression)
	return slices.ContainsFunc(words, func(w string) bool { return strings.Contains(folded, w) })
}
