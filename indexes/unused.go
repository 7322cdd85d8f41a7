package indexes

import (
	"fmt"

	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// unused: nothing was seen to read the index, for long enough to say so.
var unused = definition{
	problem: Unused,
	source:  docs + "monitoring-stats.html#MONITORING-PG-STAT-ALL-INDEXES-VIEW",
	found:   func(t *table, i *softdelete.Index) bool { return isUnused(t.Indexing, i) },
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
