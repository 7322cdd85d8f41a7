package indexes

import (
	"fmt"

	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// Unused is the problem of an index that nothing was seen to read, for long enough to say so.
const Unused Problem = "unused"

var unused = definition{
	Description: Description{
		Problem: Unused,
		Label:   "unused",
		When:    "no scan in at least 30 days of statistics, 1 MB or more",
		Unless: "the age of the statistics is not known (standby, `track_counts` off), or is that of a crash " +
			"or reset less than 30 days ago; the index appeared while we watched, less than 30 days ago; " +
			"it is unique, or supports a foreign key",
		Remedy: "ask every replica, then consider dropping it",
		Source: docs + "monitoring-stats.html#MONITORING-PG-STAT-ALL-INDEXES-VIEW",
	},
	found: func(t *table, i *softdelete.Index) bool { return isUnused(t.Indexing, i) },
	advise: func(a adviser, i *softdelete.Index) Advice {
		return a.askForUse(i, fmt.Sprintf("Ask whether %s needs index %s.", a.FullName(), i.Name),
			fmt.Sprintf(
				"Nothing has read index %s of %s in the %d days of this server's statistics, and every write maintains it.",
				i.Name, softdelete.Size(i.Bytes), a.days()))
	},
}

// isUnused tells that nothing was seen to read the index, for long enough to say so.
func isUnused(x *softdelete.Indexing, i *softdelete.Index) bool {
	return idle(x, i) && !isConstraint(i) && !requiredByOthers(i) && i.Constraint == "" && !supportsForeignKey(x, i) &&
		i.Bytes >= worthBytes
}

// idle tells that the counters, and our own memory, reach back far enough to call
// an index that has not been read unused.
func idle(x *softdelete.Indexing, i *softdelete.Index) bool {
	return i.Scans == 0 && !x.Since.IsZero() && x.At.Sub(x.Since) >= unusedAfter &&
		(i.Seen.IsZero() || x.At.Sub(i.Seen) >= unusedAfter)
}

// askForUse is the advice on an index that nothing reads.
func (a adviser) askForUse(i *softdelete.Index, title, reason string) Advice {
	return Advice{
		Title:  title,
		Bytes:  i.Bytes,
		Reason: reason,
		Costs: []string{"Replicas count for themselves: what they read is not seen here. Ask each of them first.",
			"PostgreSQL keeps no creation time: an index that is younger than the statistics has had less time to be used."},
		Do:       []Step{{Action: CheckUse, Index: i}},
		Consider: []Step{{Action: DropIndex, Index: i}},
	}
}
