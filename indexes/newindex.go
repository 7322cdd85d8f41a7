package indexes

import (
	"fmt"
	"hash/fnv"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// NewIndex is an index to create.
type NewIndex struct {
	// Name is valid and was unused when the Snapshot was taken. The index is in its table's schema. Exists is
	// true if only some of its parts are missing.
	Name   string
	Exists bool

	Method  string
	Unique  bool
	Keys    []softdelete.Key
	Include []string
	// Rows says which rows the index contains by the markers: the live ones, the ones to purge, or all if
	// empty. Predicate, if any, restricts them further.
	Rows      Purpose
	Markers   softdelete.Markers
	Predicate string
	// Partitions are the indexes of the partitions, in the order of Indexing.Partitions.
	Partitions []NewPartitionIndex
	// On is the table of the index; nil for the table that the advice is about.
	On *softdelete.Partition
}

// NewPartitionIndex is the index of a partition.
type NewPartitionIndex struct {
	Partition    softdelete.Partition
	Schema, Name string
	Exists       bool
}

func (n *NewIndex) missing() int {
	count := 0
	for _, p := range n.Partitions {
		if !p.Exists {
			count++
		}
	}
	return count
}

// build advises to create an index. If an equal index exists, it advises nothing; if one is being built, it
// advises to wait; and if its build failed, it advises to repair it.
func (a adviser) build(advice *Advice, n *NewIndex, equal func(*softdelete.Index) bool) {
	var failed, building *softdelete.Index
	for k := range a.Indexing.Indexes {
		switch i := &a.Indexing.Indexes[k]; {
		case !equal(i) || !i.Valid && isLeftover(i):
		case i.Valid:
			return
		case i.Building:
			building = i
		default:
			failed = i
		}
	}
	switch {
	case building != nil:
		advice.Reason += fmt.Sprintf(" Index %s, which solves this, is being built.", building.Name)
		advice.Consider = nil // not before it is built
	case failed != nil:
		advice.Reason += fmt.Sprintf(" Index %s was created for this, but is invalid because its build failed.", failed.Name)
		advice.Do = a.repair(failed).Do
	default:
		advice.Do = []Step{{Action: CreateIndex, New: a.create(n)}}
	}
}

// create names an index and its parts.
func (a adviser) create(n *NewIndex) *NewIndex {
	n.Name = a.names.name(a.Name, n)
	n.Partitions = a.parts(a.Indexing.Partitions, n)
	return n
}

// parts names the indexes of the partitions.
func (a adviser) parts(partitions []softdelete.Partition, n *NewIndex) []NewPartitionIndex {
	var parts []NewPartitionIndex
	for _, p := range partitions {
		parts = append(parts, NewPartitionIndex{Partition: p, Schema: p.Schema, Name: a.names.name(p.Name, n)})
	}
	return parts
}

// maxName is the longest name in PostgreSQL, in bytes.
const maxName = 63

// namer chooses names that are not used yet.
type namer struct {
	taken []string // sorted
	given map[string]bool
}

// suffixes are the ends of the names of new indexes, by what they contain.
var suffixes = map[Purpose]string{LiveRows: "_live", Purge: "_purge", References: "_reference", "": "_part"}

// isAdvised reports whether the name of an index says that it was made by following advice about live rows.
func isAdvised(relation string, i *softdelete.Index) bool {
	start := strings.TrimRight(i.Name, "0123456789")
	return start == namer{}.name(relation, &NewIndex{Keys: i.Keys, Rows: LiveRows})
}

// name makes a name from a relation, the columns, and what the index contains. The end is kept whatever the
// length, because Indexing.Names lists the names with these ends.
func (x namer) name(relation string, n *NewIndex) string {
	parts := []string{relation}
	for _, k := range n.Keys {
		if k.Column == "" {
			parts = append(parts, "expr")
		} else {
			parts = append(parts, k.Column)
		}
	}
	for number := 0; ; number++ {
		end := suffixes[n.Rows]
		if number > 0 {
			end += strconv.Itoa(number)
		}
		name := fit(strings.Join(parts, "_"), end)
		if _, taken := slices.BinarySearch(x.taken, name); !taken && !x.given[name] {
			if x.given != nil {
				x.given[name] = true
			}
			return name
		}
	}
}

// fit cuts a name to the length that PostgreSQL allows. A hash keeps names apart that differ only in the
// removed part.
func fit(start, end string) string {
	if len(start)+len(end) <= maxName {
		return start + end
	}
	hash := fnv.New32a()
	hash.Write([]byte(start))
	end = fmt.Sprintf("_%08x%s", hash.Sum32(), end)
	cut := start[:maxName-len(end)]
	for !utf8.ValidString(cut) {
		cut = cut[:len(cut)-1]
	}
	return cut + end
}
