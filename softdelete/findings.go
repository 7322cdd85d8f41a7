package softdelete

import (
	"cmp"
	"slices"
	"time"
)

// What decides whether an index pays. These are no health limits: they say from
// where on a DBA would bother, not what is good.
const (
	// worthBytes is the least that a change of an index must win: less is read from
	// the cache in a millisecond.
	worthBytes = 1 << 20
	// worthRatio is the share of deleted rows from which on an index without them is
	// worth its keep: it is about what such an index saves.
	worthRatio = 0.25
	// mostly is the share of deleted rows that makes up most of an index.
	mostly = 0.5
	// purgeBytes is what a purge may read without an index of its own: a purge deletes
	// in batches of purgeBatch, so as not to lock or lag for long, and without an index
	// each of them reads the table again. Reading this much takes a second or less.
	purgeBytes = 256 << 20
	purgeBatch = 1000
	// rareShare is the share of rows up to which an index on a flag finds its rarer
	// value faster than a scan of the table, rows being spread over all blocks.
	rareShare = 0.1
	// unusedAfter is how long an index must have gone unused: a month has seen the
	// monthly report.
	unusedAfter = 30 * 24 * time.Hour
	// deadShare is how many dead entries an index may hold before autovacuum comes:
	// autovacuum_vacuum_scale_factor.
	deadShare = 0.2
)

// IndexProblem is what is wrong with an index, one of a short list.
type IndexProblem string

// The problems of an index.
const (
	Invalid                   IndexProblem = "invalid"
	Unused                    IndexProblem = "unused"
	Duplicate                 IndexProblem = "duplicate"
	PlainFlag                 IndexProblem = "plain_flag"
	HoldsDeleted              IndexProblem = "holds_deleted"
	UniqueIgnoresDeleted      IndexProblem = "unique_ignores_deleted"
	UniqueAllowsLiveDuplicate IndexProblem = "unique_allows_live_duplicates"
)

// Finding is a problem of one index.
type Finding struct {
	Index   *Index
	Problem IndexProblem
	// Twin is the index that a duplicate repeats; nil for other problems.
	Twin *Index
}

// Purpose is what an index is for.
type Purpose string

// The purposes that a table with soft delete has an index for.
const (
	LiveRows Purpose = "live_rows" // what the application reads
	Purge    Purpose = "purge"     // finding what to remove for good
)

// Presence tells whether there is an index for a purpose for which one would pay.
type Presence struct {
	Purpose Purpose
	Present bool
}

// Presences tell of each purpose for which an index would pay whether there is one.
func Presences(t *Table) []Presence {
	if t.Indexing == nil || t.Numbers == nil {
		return nil
	}
	var ps []Presence
	if pays, present := t.live(); pays {
		ps = append(ps, Presence{LiveRows, present})
	}
	if t.purgePays() {
		ps = append(ps, Presence{Purge, len(t.Unpurgeable()) == 0})
	}
	return ps
}

// Findings are the problems of the table's indexes, in the order of their names, at
// most one an index.
func Findings(t *Table) []Finding {
	if t.Indexing == nil {
		return nil
	}
	duplicates, shrinking := t.Indexing.duplicates(), t.shrinking()
	var fs []Finding
	for n := range t.Indexing.Indexes {
		i := &t.Indexing.Indexes[n]
		f := Finding{Index: i, Twin: duplicates[i]}
		switch {
		case !i.Valid:
			if i.Building {
				continue
			}
			f.Problem = Invalid
		case t.allowsLiveDuplicates(i):
			f.Problem = UniqueAllowsLiveDuplicate
		case f.Twin != nil:
			f.Problem = Duplicate
		case t.plainFlag(i):
			f.Problem = PlainFlag
		case t.Indexing.unused(i):
			f.Problem = Unused
		case t.Numbers != nil && t.Numbers.Ratio.Low() > mostly && slices.Contains(shrinking, i):
			f.Problem = HoldsDeleted
		case t.ignoresDeleted(i):
			f.Problem = UniqueIgnoresDeleted
		default:
			continue
		}
		fs = append(fs, f)
	}
	return fs
}

// unused tells that nothing was seen to read the index, for long enough to say so.
func (x *Indexing) unused(i *Index) bool {
	return x.idle(i) && !i.enforces() && !i.bound() && i.Constraint == "" && !x.supports(i) && i.Bytes >= worthBytes
}

// idle tells that the counters, and our own memory, reach back far enough to call
// an index that has not been read unused.
func (x *Indexing) idle(i *Index) bool {
	return i.Scans == 0 && !x.Since.IsZero() && x.At.Sub(x.Since) >= unusedAfter &&
		(i.Seen.IsZero() || x.At.Sub(i.Seen) >= unusedAfter)
}

// duplicates are the indexes that repeat another one, by themselves. Of a group of
// equals the one that is needed most is the one that stays.
func (x *Indexing) duplicates() map[*Index]*Index {
	twins := map[*Index]*Index{}
	for a := range x.Indexes {
		for b := range a {
			keep, spare := &x.Indexes[b], &x.Indexes[a]
			if spare.outranks(keep) {
				keep, spare = spare, keep
			}
			if keep.Valid && spare.Valid && keep.covers(spare) && !spare.bound() && spare.Constraint == "" && twins[keep] == nil {
				twins[spare] = keep
			}
		}
	}
	return twins
}

// outranks tells which of two equal indexes is to stay.
func (i *Index) outranks(other *Index) bool {
	rank := func(i *Index) int {
		for n, needed := range []bool{i.Primary, i.Referenced, i.ReplicaIdentity, i.Constraint != "", i.Unique} {
			if needed {
				return n
			}
		}
		return 5
	}
	return cmp.Or(cmp.Compare(rank(i), rank(other)), cmp.Compare(i.OID, other.OID)) < 0
}

// covers tells that the index does all that another one does.
func (i *Index) covers(other *Index) bool {
	same := i.Method == other.Method && i.Predicate == other.Predicate &&
		slices.Equal(i.Keys, other.Keys) && slices.Equal(i.Include, other.Include) && i.Exclusion == other.Exclusion
	return same && (!other.Unique || i.Unique && !i.Deferrable && i.NullsNotDistinct == other.NullsNotDistinct)
}

// plainFlag tells of a full index on nothing but the marker, neither of whose
// values is rare, and which nothing reads.
func (t *Table) plainFlag(i *Index) bool {
	if t.Numbers == nil || len(i.Keys) != 1 || i.Predicate != "" || i.enforces() || i.bound() {
		return false
	}
	isFlag := slices.ContainsFunc(t.Markers, func(m Marker) bool { return m.Column == i.Keys[0].Column && m.few() })
	r := t.Numbers.Ratio
	rarer := min(r.Value, 1-r.Value) - r.Margin
	return isFlag && rarer > rareShare && t.Indexing.idle(i) && i.Bytes >= worthBytes
}

// few tells that the marker column has but a few values.
func (m Marker) few() bool {
	return slices.Contains([]Kind{Flag, InvertedFlag, Number, Letter, Status}, m.Decides())
}

// PurgeOrder is the column by which an index finds the rows to purge, the oldest
// first; empty where none is known to.
func (t *Table) PurgeOrder() string {
	if !t.HasAges() || t.Indexing == nil || len(t.Markers) != 1 || len(t.Unpurgeable()) > 0 {
		return ""
	}
	return t.Markers[0].Time.Column
}
