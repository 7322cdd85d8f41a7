package indexes

import (
	"fmt"
	"hash/fnv"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// NewIndex is an index to be made.
type NewIndex struct {
	// Name is legal and was unused when the Snapshot was taken; it lives where its
	// table does. Exists tells that only some of its parts are missing.
	Name   string
	Exists bool

	Method  string
	Unique  bool
	Keys    []softdelete.Key
	Include []string
	// Rows says which rows it holds by the markers: the live ones, the ones to purge,
	// or all if empty. Predicate, if any, must hold too.
	Rows      Purpose
	Markers   softdelete.Markers
	Predicate string
	// Partitions are the indexes of the partitions, in the order of Indexing.Partitions.
	Partitions []NewPartitionIndex
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

// build advises to make an index. Where an equal one is there it is none; where the
// build of one goes on that is waited for, and where it failed that one is repaired.
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
		advice.Reason += fmt.Sprintf(" Index %s is being built for it.", building.Name)
		advice.Consider = nil // not before it is there
	case failed != nil:
		advice.Reason += fmt.Sprintf(" Index %s was made for it, and is invalid because its build failed.", failed.Name)
		advice.Do = a.repair(failed).Do
	default:
		advice.Do = []Step{{Action: CreateIndex, New: a.create(n)}}
	}
}

// create names an index and its parts.
func (a adviser) create(n *NewIndex) *NewIndex {
	n.Name = a.names.name(a.Name, n)
	for _, p := range a.Indexing.Partitions {
		n.Partitions = append(n.Partitions, NewPartitionIndex{Partition: p, Schema: p.Schema, Name: a.names.name(p.Name, n)})
	}
	return n
}

// maxName is the longest name in PostgreSQL, in bytes.
const maxName = 63

// namer gives names that are not taken.
type namer struct {
	taken []string // sorted
	given map[string]bool
}

// name is made of a relation, the columns, and what the index holds. The end is kept
// whatever the length, because Indexing.Names knows the names by it.
func (x namer) name(relation string, n *NewIndex) string {
	parts := []string{relation}
	for _, k := range n.Keys {
		if k.Column == "" {
			parts = append(parts, "expr")
		} else {
			parts = append(parts, k.Column)
		}
	}
	suffix := map[Purpose]string{LiveRows: "_live", Purge: "_purge", "": "_part"}[n.Rows]
	for number := 0; ; number++ {
		end := suffix
		if number > 0 {
			end = fmt.Sprintf("%s%d", suffix, number)
		}
		name := fit(strings.Join(parts, "_"), end)
		if _, taken := slices.BinarySearch(x.taken, name); !taken && !x.given[name] {
			x.given[name] = true
			return name
		}
	}
}

// fit cuts a name to what PostgreSQL allows. What is cut is told apart by its hash.
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
