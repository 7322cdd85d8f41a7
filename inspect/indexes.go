package inspect

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/go-kit/log/level"

	"github.com/softdelete-exporter/softdelete_exporter/postgres"
	"github.com/softdelete-exporter/softdelete_exporter/queries"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// What the questions about indexes answer: indexRow queries.Indexes, constraintRow
// queries.IndexConstraints, heapRow queries.IndexHeaps, partitionRow
// queries.IndexPartitions.
type (
	indexRow struct {
		OID, Relid            uint32
		Version, Schema, Name string
		Partitioned, Valid    bool
		Parent                uint32
		Bytes, Scans          int64
		Building              bool
	}
	constraintRow struct {
		Relid, Index uint32
		Name         string
		ForeignKey   bool
		Columns      []string
	}
	heapRow struct {
		OID                 uint32
		Bytes, Updates, HOT int64
	}
	partitionRow struct {
		Root, Parent, OID uint32
		Schema, Name      string
		Leaf              bool
	}
)

// catalog is what was read of the indexes of all tables of a database, by the table
// that it belongs to.
type catalog struct {
	// indexes are those of the table and of its partitions.
	indexes     map[uint32][]indexRow
	partitions  map[uint32][]partitionRow
	constraints map[uint32][]constraintRow
	heaps       map[uint32]heapRow
	// referenced are the indexes that a foreign key relies on.
	referenced map[uint32]bool
	names      []string
	since      time.Time
}

// indexAll brings what is known of the indexes of every table up to date, and tells
// whether the catalogs could be read. A table of which something could not be read
// keeps what was known of it.
func (v *visit) indexAll(ctx context.Context) bool {
	var relids []uint32
	for i := range v.relations {
		if r := &v.relations[i]; r.OID != 0 && len(r.Markers) > 0 {
			relids = append(relids, r.OID)
		}
	}
	if len(relids) == 0 {
		return true
	}
	if v.Broken() && !v.reopen(ctx) {
		return false
	}
	c, err := v.readCatalog(ctx, relids)
	if err == nil {
		err = v.indexTables(ctx, c)
	}
	if err == nil {
		v.tryAll(ctx)
	}
	if err != nil {
		v.warn(ctx, "cannot read the indexes", v.Database, err)
	}
	return err == nil
}

// readCatalog reads what may change at any time, one question a subject.
func (v *visit) readCatalog(ctx context.Context, relids []uint32) (*catalog, error) {
	c := &catalog{indexes: map[uint32][]indexRow{}, partitions: map[uint32][]partitionRow{}, constraints: map[uint32][]constraintRow{},
		heaps: map[uint32]heapRow{}, referenced: map[uint32]bool{}}
	partitions, err := postgres.Query[partitionRow](ctx, v.Session, queries.IndexPartitions(relids))
	if err != nil {
		return nil, fmt.Errorf("reading the partitions: %w", err)
	}
	root := map[uint32]uint32{}
	for _, id := range relids {
		root[id] = id
	}
	all := relids
	for _, p := range partitions {
		c.partitions[p.Root] = append(c.partitions[p.Root], p)
		root[p.OID] = p.Root
		all = append(all, p.OID)
	}
	indexes, err := postgres.Query[indexRow](ctx, v.Session, queries.Indexes(all))
	if err != nil {
		return nil, fmt.Errorf("reading the indexes: %w", err)
	}
	for _, i := range indexes {
		c.indexes[root[i.Relid]] = append(c.indexes[root[i.Relid]], i)
	}
	heaps, err := postgres.Query[heapRow](ctx, v.Session, queries.IndexHeaps(all))
	if err != nil {
		return nil, fmt.Errorf("reading the sizes of tables: %w", err)
	}
	for _, h := range heaps {
		sum := c.heaps[root[h.OID]]
		c.heaps[root[h.OID]] = heapRow{OID: root[h.OID], Bytes: sum.Bytes + h.Bytes, Updates: sum.Updates + h.Updates, HOT: sum.HOT + h.HOT}
	}
	constraints, err := postgres.Query[constraintRow](ctx, v.Session, queries.IndexConstraints(relids))
	if err != nil {
		return nil, fmt.Errorf("reading the constraints: %w", err)
	}
	for _, con := range constraints {
		c.constraints[con.Relid] = append(c.constraints[con.Relid], con)
		if con.ForeignKey {
			c.referenced[con.Index] = true
		}
	}
	return c, v.readServer(ctx, c)
}

// readServer reads what all tables have in common.
func (v *visit) readServer(ctx context.Context, c *catalog) error {
	names, err := postgres.Query[struct{ Name string }](ctx, v.Session, queries.IndexNames())
	if err != nil {
		return fmt.Errorf("reading the names of relations: %w", err)
	}
	for _, n := range names {
		c.names = append(c.names, n.Name)
	}
	since, err := postgres.Query[struct{ Since *time.Time }](ctx, v.Session, queries.IndexStatistics())
	if err != nil {
		return fmt.Errorf("reading the age of the statistics: %w", err)
	}
	if len(since) == 1 && since[0].Since != nil {
		c.since = *since[0].Since
	}
	return nil
}

// indexTables gives every table what is known of its indexes now.
func (v *visit) indexTables(ctx context.Context, c *catalog) error {
	now := time.Now()
	tables := make([]*softdelete.Indexing, len(v.relations))
	changed := map[uint32]*softdelete.Index{}
	for n := range v.relations {
		r := &v.relations[n]
		if r.OID == 0 || len(r.Markers) == 0 {
			continue
		}
		err := v.spare(r, "indexes", true, func() error {
			tables[n] = c.indexing(r, now)
			return nil
		})
		if err != nil {
			continue
		}
		for i := range tables[n].Indexes {
			index := &tables[n].Indexes[i]
			if index.Method == "" {
				changed[index.OID] = index
			}
		}
	}
	deparse, unread, err := v.readDetails(ctx, changed)
	if err != nil {
		return err
	}
	var failed []string
	var reason error
	for n, x := range tables {
		if x == nil {
			continue
		}
		r := &v.relations[n]
		err := v.spare(r, "expressions", true, func() error {
			for i := range x.Indexes {
				if err := unread[x.Indexes[i].OID]; err != nil {
					return err
				}
			}
			if err := namable(v.Session, x); err != nil {
				return err
			}
			return v.deparse(ctx, r, x, deparse)
		})
		switch {
		case err == nil:
			r.Indexing = x
		case v.Broken() || ctx.Err() != nil:
			return fmt.Errorf("lost the connection at the indexes of %s.%s: %w", r.Schema, r.Name, err)
		default:
			failed, reason = append(failed, r.Schema+"."+r.Name), err
		}
	}
	if len(failed) > 0 {
		level.Warn(v.log(ctx)).Log("msg", "cannot read the indexes of some tables, what was known of them stays", "datname", v.Database,
			"tables", len(failed), "last", failed[len(failed)-1], "err", reason)
	}
	return nil
}

// indexing puts together what is known of the indexes of one table. Those that are
// new or have changed have no Method yet.
func (c *catalog) indexing(r *relation, now time.Time) *softdelete.Indexing {
	heap := c.heaps[r.OID]
	x := &softdelete.Indexing{Bytes: heap.Bytes, HOT: 1, Names: c.names, At: now, Since: c.since}
	if heap.Updates > 0 {
		x.HOT = float64(heap.HOT) / float64(heap.Updates)
	}
	for _, p := range c.partitions[r.OID] {
		x.Partitions = append(x.Partitions, softdelete.Partition{OID: p.OID, Parent: p.Parent, Schema: p.Schema, Name: p.Name, HoldsRows: p.Leaf})
	}
	owner := map[uint32]string{}
	for _, con := range c.constraints[r.OID] {
		if con.ForeignKey {
			x.ForeignKeys = append(x.ForeignKeys, con.Columns)
		} else {
			owner[con.Index] = con.Name
		}
	}
	known := map[uint32]*softdelete.Index{}
	if r.Indexing != nil {
		for i := range r.Indexing.Indexes {
			known[r.Indexing.Indexes[i].OID] = &r.Indexing.Indexes[i]
		}
	}
	for _, row := range join(r.OID, c.indexes[r.OID]) {
		index := softdelete.Index{OID: row.OID}
		if r.Indexing != nil {
			index.Seen = now
		}
		if before := known[row.OID]; before != nil && before.Version == row.Version {
			index = *before
		} else if before != nil {
			index.Seen = before.Seen
		}
		index.Schema, index.Name, index.Version = row.Schema, row.Name, row.Version
		index.Valid, index.Building, index.Partitioned = row.Valid, row.Building, row.Partitioned
		index.Bytes, index.Scans, index.Partitions = row.Bytes, row.Scans, row.parts
		index.Constraint, index.Referenced = owner[row.OID], c.referenced[row.OID]
		x.Indexes = append(x.Indexes, index)
	}
	slices.SortFunc(x.Indexes, func(a, b softdelete.Index) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.OID, b.OID))
	})
	return x
}

// joined is an index with those of the partitions that belong to it.
type joined struct {
	indexRow
	parts []softdelete.PartitionIndex
}

// join adds the indexes of partitions to the partitioned ones of the table. What is
// left of the partitions' own is kept only if it is invalid.
func join(table uint32, rows []indexRow) []*joined {
	at := map[uint32]*joined{}
	for _, row := range rows {
		at[row.OID] = &joined{indexRow: row}
	}
	var kept []*joined
	for _, row := range rows {
		top := at[row.OID]
		for at[top.Parent] != nil {
			top = at[top.Parent]
		}
		switch {
		case top.Relid == table && top.OID != row.OID:
			top.parts = append(top.parts, softdelete.PartitionIndex{Partition: row.Relid, Schema: row.Schema, Name: row.Name, Valid: row.Valid})
			top.Bytes += row.Bytes
			top.Scans += row.Scans
		case top.Relid == table || !row.Valid && !row.Partitioned && row.Parent == 0:
			kept = append(kept, top)
		}
	}
	return kept
}
