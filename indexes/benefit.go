package indexes

import (
	"fmt"
	"slices"
	"time"

	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// firstMention is what it costs to be the first index that mentions the marker: soft
// deletes are no longer HOT, so that each leaves a dead entry in every full index
// until the next VACUUM. Zero if there is such an index already.
func (t *table) firstMention(replaced []*softdelete.Index) int64 {
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

// hotCost warns of the end of HOT soft deletes, where it would come.
func (a adviser) hotCost() []string {
	if a.Numbers == nil || a.firstMention(nil) == 0 {
		return nil
	}
	return []string{fmt.Sprintf(
		"No index mentions %s yet. With this one soft deletes are never HOT again (%.0f%% of all updates were so far): "+
			"each adds an entry to every full index.",
		a.Markers.Label(), 100*a.Indexing.HOT)}
}

// predicateCost warns of the queries that cannot use a partial index.
func (a adviser) predicateCost() []string {
	costs := []string{"Queries that look for deleted rows, too, cannot use it; they would lose the full index."}
	if slices.ContainsFunc(a.Markers, func(m softdelete.Marker) bool { return m.Decides().Definition().FewValues }) {
		costs = append(costs,
			fmt.Sprintf("A generic plan of %s = $1 cannot use it either: queries must write the value out.",
				a.Markers[0].Column))
	}
	return costs
}
