package indexes

import (
	"fmt"
	"regexp"
	"slices"

	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// Invalid is the problem of an index whose build failed or was interrupted.
const Invalid Problem = "invalid"

var invalid = definition{
	Description: Description{
		Problem: Invalid,
		Label:   "invalid: no query uses it",
		When:    "`indisvalid` is false and the index is not being built",
		Unless:  "a concurrent build is running: it holds `SHARE UPDATE EXCLUSIVE` on the table",
		Remedy: "rebuild it (`REINDEX INDEX CONCURRENTLY`), a unique index after removing duplicates; for a " +
			"partitioned index create and attach the missing parts; consider dropping a leftover `_ccnew` or `_ccold`",
		Source: docs + "sql-createindex.html#SQL-CREATEINDEX-CONCURRENTLY",
	},
	health: softdelete.Fair,
	reason: "an index is invalid",
	rank:   -1,
	found:  func(_ *table, i *softdelete.Index) bool { return !i.Valid },
	advise: adviser.repair,
}

// repair advises what to do about the remains of a failed concurrent build.
func (a adviser) repair(i *softdelete.Index) Advice {
	advice := Advice{
		Title:  fmt.Sprintf("Repair invalid index %s of %s.", i.Name, a.FullName()),
		Bytes:  i.Bytes,
		Reason: fmt.Sprintf("Index %s is invalid: no query uses it, and every write still maintains it.", i.Name),
	}
	switch missing := a.completed(i); {
	case missing != nil:
		advice.Reason = fmt.Sprintf("Partitioned index %s is invalid: %d of %d partitions have no index attached to it.",
			i.Name, missing.missing(), len(missing.Partitions))
		advice.Do = []Step{{Action: CreateIndex, New: missing}}
	case isLeftover(i):
		advice.Reason = fmt.Sprintf(
			"Index %s was left behind by an interrupted REINDEX CONCURRENTLY: no query uses it, and every write still "+
				"maintains it.", i.Name)
		advice.Do = []Step{{Action: ShowDefinition, Index: i}}
		advice.Consider = []Step{{Action: DropIndex, Index: i}}
	case i.Unique:
		advice.Costs = []string{"It is unique: the build fails again as long as there are rows with equal keys. Find " +
			"them first."}
		advice.Do = []Step{{Action: FindDuplicates, New: &NewIndex{Keys: i.Keys, Predicate: i.Predicate}},
			{Action: ReindexIndex, Index: i}}
	default:
		advice.Do = []Step{{Action: ReindexIndex, Index: i}}
	}
	return advice
}

// completed returns the missing parts of a partitioned index; nil if nothing is missing, or if the index is not
// partitioned.
func (a adviser) completed(i *softdelete.Index) *NewIndex {
	n := &NewIndex{Name: i.Name, Exists: true, Method: i.Method, Unique: i.Unique, Keys: i.Keys, Include: i.Include,
		Predicate: i.Predicate}
	if i.Schema != a.Schema || !i.Partitioned {
		return nil
	}
	for _, p := range a.Indexing.Partitions {
		part := NewPartitionIndex{Partition: p, Schema: p.Schema}
		if at := slices.IndexFunc(i.Partitions,
			func(have softdelete.PartitionIndex) bool { return have.Partition == p.OID }); at >= 0 {
			part.Schema, part.Name, part.Exists = i.Partitions[at].Schema, i.Partitions[at].Name, true
		} else {
			part.Name = a.names.name(p.Name, n)
		}
		n.Partitions = append(n.Partitions, part)
	}
	if n.missing() == 0 {
		return nil
	}
	return n
}

// isLeftover reports whether a REINDEX CONCURRENTLY made the index, or meant to replace it.
func isLeftover(i *softdelete.Index) bool { return leftovers.MatchString(i.Name) }

var leftovers = regexp.MustCompile(`_cc(new|old)\d*$`)
