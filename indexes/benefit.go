package indexes

import (
	"fmt"
	"slices"
	"time"

	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// firstMention returns the cost of the first index that mentions the marker. With it, soft deletes are no
// longer HOT, so each leaves a dead entry in every full index until the next VACUUM. The cost is zero if such
// an index exists already.
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

// These limits decide whether an index helps. They are not health limits: they say when the effort is worth it,
// not what is good.
const (
	// worthBytes is the smallest gain for which an index is changed: less is read from the cache in a
	// millisecond.
	worthBytes = 1 << 20
	// worthRatio is the share of deleted rows from which an index without them is worth maintaining: such an
	// index saves about this share.
	worthRatio = 0.25
	// mostly is the share of deleted rows above which they are most of an index.
	mostly = 0.5
	// purgeBytes is how much a purge may read without an index of its own. A purge deletes in batches of
	// purgeBatch rows, to keep locks and replication lag short, and without an index each batch reads the table
	// again. Reading this much takes a second or less.
	purgeBytes = 256 << 20
	purgeBatch = 1000
	// rareShare is the share of rows up to which an index on a flag finds the rarer value faster than a scan of
	// the table, if the rows are spread over all blocks.
	rareShare = 0.1
	// unusedAfter is how long an index must have been unused: a month includes the monthly report.
	unusedAfter = 30 * 24 * time.Hour
	// deadShare is the share of dead entries that an index may have before autovacuum runs:
	// autovacuum_vacuum_scale_factor.
	deadShare = 0.2
)

// hotCost warns that soft deletes would no longer be HOT, if that is so.
func (a adviser) hotCost() []string {
	if a.Numbers == nil || a.firstMention(nil) == 0 {
		return nil
	}
	soFar := ""
	if a.Indexing.Updated {
		soFar = fmt.Sprintf(" (%.0f%% of all updates were HOT so far)", 100*a.Indexing.HOT)
	}
	return []string{fmt.Sprintf(
		"No index mentions %s yet. With this one, soft deletes can no longer be HOT updates%s: each adds an entry to "+
			"every full index.", a.Markers.Label(), soFar)}
}

// predicateCost warns about queries that cannot use a partial index.
func (a adviser) predicateCost() []string {
	costs := []string{"Queries that also look for deleted rows cannot use a partial index, and would lose the full one."}
	if slices.ContainsFunc(a.Markers, func(m softdelete.Marker) bool { return m.Decides().Definition().FewValues }) {
		costs = append(costs,
			fmt.Sprintf("A generic plan of %s = $1 cannot use a partial index either: queries must contain the value itself.",
				a.Markers[0].Column))
	}
	return costs
}
