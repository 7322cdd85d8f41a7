package indexes

import (
	"fmt"

	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// Unused is the problem of an index that nothing has read for a long time.
const Unused Problem = "unused"

var unused = definition{
	Description: Description{
		Problem: Unused,
		Label:   "unused",
		When:    "no scan in at least 30 days of statistics, 1 MB or more",
		Unless: "the age of the statistics is unknown (standby, `track_counts` off), or they were reset less than 30 " +
			"days ago (a crash resets them, too); the exporter saw the index appear less than 30 days ago; it is unique, " +
			"or supports a foreign key",
		Remedy: "check every replica, then consider dropping it",
		Source: docs + "monitoring-stats.html#MONITORING-PG-STAT-ALL-INDEXES-VIEW",
	},
	found: func(t *table, i *softdelete.Index) bool { return isUnused(t.Indexing, i) },
	advise: func(a adviser, i *softdelete.Index) Advice {
		return a.askForUse(i, fmt.Sprintf("Check whether %s needs index %s.", a.FullName(), i.Name),
			fmt.Sprintf(
				"Nothing has read index %s (%s) in the %d days of this server's statistics, and every write maintains it.",
				i.Name, softdelete.Size(i.Bytes), a.days()))
	},
}

// isUnused reports whether nothing has read the index for long enough.
func isUnused(x *softdelete.Indexing, i *softdelete.Index) bool {
	return idle(x, i) && !isConstraint(i) && !requiredByOthers(i) && i.Constraint == "" && !supportsForeignKey(x, i) &&
		i.Bytes >= worthBytes
}

// idle reports whether the index has not been read, and the counters and the exporter's own memory reach back
// far enough to call it unused.
func idle(x *softdelete.Indexing, i *softdelete.Index) bool {
	return i.Scans == 0 && !x.Since.IsZero() && x.At.Sub(x.Since) >= unusedAfter &&
		(i.Seen.IsZero() || x.At.Sub(i.Seen) >= unusedAfter)
}

// askForUse advises what to do about an index that nothing reads.
func (a adviser) askForUse(i *softdelete.Index, title, reason string) Advice {
	return Advice{
		Title:  title,
		Bytes:  i.Bytes,
		Reason: reason,
		Costs: []string{"Each replica has its own counters, so its reads do not show here. Check each replica first.",
			"PostgreSQL does not record when an index was created: an index younger than the statistics had less time to " +
				"be used."},
		Do:       []Step{{Action: CheckUse, Index: i}},
		Consider: []Step{{Action: DropIndex, Index: i}},
	}
}
