package indexes

import (
	"cmp"
	"fmt"
	"regexp"
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
		When: "a deleted row blocks a key that people choose (an e-mail address, code, slug or handle; a name together " +
			"with another column), or another unique index with one of the columns leaves out deleted rows",
		Unless: "the key is a token, hash, external id, number, address on the web or the like; the index is a " +
			"primary key, a " +
			"replica identity, or referenced; nothing is deleted",
		Remedy: "this may be intended; if not, create a unique index on live rows",
		Source: docs + "indexes-partial.html#INDEXES-PARTIAL-EX3",
	},
	rank:     1,
	partial:  true,
	found:    (*table).ignoresDeleted,
	advise:   adviser.askForKeys,
	replaced: func(t *table, i *softdelete.Index) replacement { return replacement{keys: t.blocked(i)} },
}

// askForKeys asks whether a deleted row should block its key.
func (a adviser) askForKeys(i *softdelete.Index) Advice {
	alike := a.alike[i]
	named := slices.Clone(alike) // and those that repeat them, which are advice of their own
	for o, twin := range a.twins {
		if slices.Contains(alike, twin) && o.Unique {
			named = append(named, o)
		}
	}
	slices.SortFunc(named, func(a, b *softdelete.Index) int { return cmp.Compare(a.Name, b.Name) })
	keys := a.blocked(i)
	advice := Advice{
		Title: fmt.Sprintf("Check whether deleted rows of %s should block their keys.", a.FullName()),
		Rows:  int64(a.Numbers.Deleted.Value),
		Reason: fmt.Sprintf(
			"A deleted row blocks its %s for ever, unless the application changes it when it deletes the row. Should unique "+
				"%s also apply to deleted rows?", columns(keys), indexNames(named)),
		Costs: slices.Concat(replacedCosts(named, fmt.Sprintf(
			"ON CONFLICT (%s) fails as soon as the full index is gone: first add the WHERE of the partial index to it.",
			columns(keys))),
			[]string{"Restoring a deleted row fails if its key has been used again."}, a.hotCost()),
	}
	if advice.Rows > 0 {
		advice.Gain = fmt.Sprintf("The keys of %s deleted rows become free.", softdelete.Thousands(float64(advice.Rows)))
	}
	a.replace(&advice, alike, &NewIndex{Method: i.Method, Unique: true, Keys: keys, Include: i.Include, Rows: LiveRows,
		Markers: a.Markers},
		func(o *softdelete.Index) bool {
			return o.Unique && o.Scope.LiveOnly() && o.Scope.Live == softdelete.All && sameKeys(o.Keys, keys)
		})
	return advice
}

// ignoresDeleted reports whether a deleted row blocks its key in a unique index, and that is probably not
// intended.
func (t *table) ignoresDeleted(i *softdelete.Index) bool { return t.blocked(i) != nil }

// blocked returns the keys that a deleted row probably should not block, but does in the index; nil if there are
// none. An index with a flag beside such keys blocks them, too, when one without the flag no longer does.
func (t *table) blocked(i *softdelete.Index) []softdelete.Key {
	if t.Numbers == nil || t.Numbers.Deleted.Low() == 0 {
		return nil
	}
	if t.shouldBeFree(i) {
		return i.Keys
	}
	rest, once := t.onlyOnce(i)
	for n := range t.Indexing.Indexes {
		if o := &t.Indexing.Indexes[n]; once && t.shouldBeFree(o) && within(o.Keys, rest) {
			return o.Keys
		}
	}
	return nil
}

// shouldBeFree reports whether the keys of a full unique index should probably be free when a row is deleted. For
// most unique indexes that is not so: tokens and hashes must not be used again. It is so if people choose the
// key, or if another unique index with one of its columns leaves out deleted rows, unless that one was made by
// following this advice.
func (t *table) shouldBeFree(i *softdelete.Index) bool {
	if !i.Unique || requiredByOthers(i) || i.Predicate != "" || mentions(i, t.Markers.Columns()) || len(i.Keys) == 0 ||
		slices.ContainsFunc(i.Keys, permanent) {
		return false
	}
	sister := slices.ContainsFunc(t.Indexing.Indexes, func(o softdelete.Index) bool {
		shares := slices.ContainsFunc(o.Keys, func(k softdelete.Key) bool { return within([]softdelete.Key{k}, i.Keys) })
		return o.Unique && o.Valid && o.Scope.LiveOnly() && shares && !isAdvised(t.Name, &o)
	})
	return sister || slices.ContainsFunc(i.Keys, func(k softdelete.Key) bool { return chosen(k, len(i.Keys) > 1) })
}

// permanent reports whether a key must stay unique even among deleted rows: nobody chooses it, or the world
// outside knows the row by it.
func permanent(k softdelete.Key) bool {
	return holds(k, "token", "hash", "uuid", "guid", "secret", "digest", "checksum", "fingerprint", "external", "invoice",
		"number", "serial", "apikey", "verification", "activation", "confirmation", "recovery") ||
		hasWord(k, "uri", "url", "otp", "invite", "invitation", "reset") ||
		slices.Contains([]string{"apid", "actorid"}, softdelete.Fold(k.Column))
}

// chosen reports whether people choose a key and may want it again: an e-mail address, a code or a handle, or
// a name as one of several columns.
func chosen(k softdelete.Key, within bool) bool {
	return holds(k, "email", "username", "login", "subdomain") || hasWord(k, "code", "slug", "handle") ||
		within && holds(k, "name", "slug", "title")
}

func holds(k softdelete.Key, words ...string) bool {
	folded := softdelete.Fold(k.Column + k.Expression)
	return slices.ContainsFunc(words, func(w string) bool { return strings.Contains(folded, w) })
}

// wordsOfName finds the words of a name in snake_case or camelCase, or of an expression.
var wordsOfName = regexp.MustCompile(`[A-Z]?[a-z]+|[A-Z]+`)

func hasWord(k softdelete.Key, words ...string) bool {
	return slices.ContainsFunc(wordsOfName.FindAllString(k.Column+k.Expression, -1),
		func(w string) bool { return slices.Contains(words, strings.ToLower(w)) })
}
