// Package indexes tells what is wrong with the indexes of a table that uses soft delete,
// which index is missing, and what to do about it. It judges facts of the Snapshot; the
// SQL of its advice is written by queries.
package indexes

import (
	"cmp"
	"slices"
	"time"

	"github.com/softdelete-exporter/softdelete_exporter/predicate"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
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

// Problem is what is wrong with an index, one of a short list.
type Problem string

// The problems of an index.
const (
	Invalid                   Problem = "invalid"
	Unused                    Problem = "unused"
	Duplicate                 Problem = "duplicate"
	PlainFlag                 Problem = "plain_flag"
	HoldsDeleted              Problem = "holds_deleted"
	UniqueIgnoresDeleted      Problem = "unique_ignores_deleted"
	UniqueAllowsLiveDuplicate Problem = "unique_allows_live_duplicates"
)

// table is a table whose indexes are judged.
type table struct{ *softdelete.Table }

// Finding is a problem of one index.
type Finding struct {
	Index   *softdelete.Index
	Problem Problem
	// Twin is the index that a duplicate repeats; nil for other problems.
	Twin *softdelete.Index
}

// Purpose is what an index is for.
type Purpose string

// The purposes that a table with soft delete has an index for.
const (
	LiveRows Purpose = "live_rows" // what the application reads
	Purge    Purpose = "purge"     // finding what to remove for good
)

// Need tells whether there is an index for a purpose for which one would pay.
type Need struct {
	For     Purpose
	Present bool
}

// Needs tell of each purpose for which an index would pay whether there is one.
func Needs(of *softdelete.Table) []Need {
	if of.Indexing == nil || of.Numbers == nil {
		return nil
	}
	var ps []Need
	t := table{of}
	if pays, present := t.liveIndexState(); pays {
		ps = append(ps, Need{LiveRows, present})
	}
	if t.purgePays() {
		ps = append(ps, Need{Purge, len(Unpurgeable(t.Table)) == 0})
	}
	return ps
}

// Findings are the problems of the table's indexes, in the order of their names, at
// most one an index.
func Findings(of *softdelete.Table) []Finding {
	if of.Indexing == nil {
		return nil
	}
	t := table{of}
	duplicates, shrinking := duplicates(t.Indexing), t.shrinking()
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
		case unused(t.Indexing, i):
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
func unused(x *softdelete.Indexing, i *softdelete.Index) bool {
	return idle(x, i) && !isConstraint(i) && !requiredByOthers(i) && i.Constraint == "" && !supportsForeignKey(x, i) && i.Bytes >= worthBytes
}

// idle tells that the counters, and our own memory, reach back far enough to call
// an index that has not been read unused.
func idle(x *softdelete.Indexing, i *softdelete.Index) bool {
	return i.Scans == 0 && !x.Since.IsZero() && x.At.Sub(x.Since) >= unusedAfter &&
		(i.Seen.IsZero() || x.At.Sub(i.Seen) >= unusedAfter)
}

// duplicates are the indexes that repeat another one, by themselves. Of a group of
// equals the one that is needed most is the one that stays.
func duplicates(x *softdelete.Indexing) map[*softdelete.Index]*softdelete.Index {
	twins := map[*softdelete.Index]*softdelete.Index{}
	for a := range x.Indexes {
		for b := range a {
			keep, spare := &x.Indexes[b], &x.Indexes[a]
			if outranks(spare, keep) {
				keep, spare = spare, keep
			}
			if keep.Valid && spare.Valid && covers(keep, spare) && !requiredByOthers(spare) && spare.Constraint == "" && twins[keep] == nil {
				twins[spare] = keep
			}
		}
	}
	return twins
}

// outranks tells which of two equal indexes is to stay.
func outranks(i *softdelete.Index, other *softdelete.Index) bool {
	rank := func(i *softdelete.Index) int {
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
func covers(i *softdelete.Index, other *softdelete.Index) bool {
	same := i.Method == other.Method && i.Predicate == other.Predicate &&
		slices.Equal(i.Keys, other.Keys) && slices.Equal(i.Include, other.Include) && i.Exclusion == other.Exclusion
	return same && (!other.Unique || i.Unique && !i.Deferrable && i.NullsNotDistinct == other.NullsNotDistinct)
}

// plainFlag tells of a full index on nothing but the marker, neither of whose
// values is rare, and which nothing reads.
func (t table) plainFlag(i *softdelete.Index) bool {
	if t.Numbers == nil || len(i.Keys) != 1 || i.Predicate != "" || isConstraint(i) || requiredByOthers(i) {
		return false
	}
	isFlag := slices.ContainsFunc(t.Markers, func(m softdelete.Marker) bool { return m.Column == i.Keys[0].Column && lowCardinality(m) })
	r := t.Numbers.Ratio
	rarer := min(r.Value, 1-r.Value) - r.Margin
	return isFlag && rarer > rareShare && idle(t.Indexing, i) && i.Bytes >= worthBytes
}

// lowCardinality tells that the marker column has but a few values.
func lowCardinality(m softdelete.Marker) bool {
	return slices.Contains([]softdelete.Kind{softdelete.Flag, softdelete.InvertedFlag, softdelete.Number, softdelete.Letter, softdelete.Status}, m.Decides())
}

// PurgeColumn is the column by which an index finds the rows to purge, the oldest
// first; empty where none is known to.
func PurgeColumn(t *softdelete.Table) string {
	if !t.HasAges() || t.Indexing == nil || len(t.Markers) != 1 || len(Unpurgeable(t)) > 0 {
		return ""
	}
	return t.Markers[0].Time.Column
}

// mentions tells whether a column stands in the key or the predicate: whether an
// update of it must touch the index.
func mentions(i *softdelete.Index, columns []string) bool {
	return i.Scope.Mentions || slices.ContainsFunc(i.Keys, func(k softdelete.Key) bool {
		return slices.Contains(columns, k.Column) || predicate.Mentions(k.Expression, columns)
	})
}

// isConstraint tells that the index is there for what it forbids, not for reading.
func isConstraint(i *softdelete.Index) bool { return i.Unique || i.Primary || i.Exclusion }

// requiredByOthers tells that something else relies on the index as it is.
func requiredByOthers(i *softdelete.Index) bool {
	return i.Primary || i.Exclusion || i.Referenced || i.ReplicaIdentity
}

// supportsForeignKey tells whether the index serves one of the table's foreign keys. What is
// done to their parents looks for children dead or alive.
func supportsForeignKey(x *softdelete.Indexing, i *softdelete.Index) bool {
	return slices.ContainsFunc(x.ForeignKeys, func(key []string) bool {
		return len(i.Keys) > 0 && slices.Contains(key, i.Keys[0].Column)
	})
}
