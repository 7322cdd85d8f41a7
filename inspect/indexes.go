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

// Rows of the queries about indexes: indexRow of queries.Indexes, constraintRow of queries.IndexConstraints, heapRow
// of queries.IndexHeaps, partitionRow of queries.IndexPartitions.
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
		PartitionKeys       []string
	}
	partitionRow struct {
		Root, Parent, OID uint32
		Schema, Name      string
		Leaf              bool
	}
)

// catalog is what was read about the indexes of all tables of a database, by table.
type catalog struct {
	// indexes are the indexes of the table and of its partitions.
	indexes     map[uint32][]indexRow
	partitions  map[uint32][]partitionRow
	constraints map[uint32][]constraintRow
	heaps       map[uint32]heapRow
	// referenced are the indexes on which a foreign key depends.
	referenced map[uint32]bool
	names      []string
	since      time.Time
}

func (p partitionRow) partition() softdelete.Partition {
	return softdelete.Partition{OID: p.OID, Parent: p.Parent, Schema: p.Schema, Name: p.Name, HoldsRows: p.Leaf}
}

// indexAll reads the indexes of every table, and reports whether the catalogs could be read. If something about a
// table could not be read, the table keeps its last results.
func (d *databaseRefresh) indexAll(ctx context.Context) bool {
	var relids []uint32
	for i := range d.tables {
		if t := &d.tables[i]; t.OID != 0 && len(t.Markers) > 0 {
			relids = append(relids, t.OID)
		}
	}
	if len(relids) == 0 {
		return true
	}
	if d.session.Broken() && !d.reopen(ctx) {
		return false
	}
	c, err := d.readCatalog(ctx, relids)
	if err == nil {
		err = d.indexTables(ctx, c)
	}
	if err == nil {
		d.tryIndexes(ctx)
	}
	if err != nil {
		d.refresh.warn(ctx, "cannot read the indexes", d.session.Database, err)
	}
	return err == nil
}

// readCatalog reads everything that may change at any time, with one query for each subject.
func (d *databaseRefresh) readCatalog(ctx context.Context, relids []uint32) (*catalog, error) {
	c := &catalog{indexes: map[uint32][]indexRow{}, partitions: map[uint32][]partitionRow{},
		constraints: map[uint32][]constraintRow{},
		heaps:       map[uint32]heapRow{}, referenced: map[uint32]bool{}}
	d.askCatalogAhead(relids)
	partitions, err := postgres.Query[partitionRow](ctx, d.session, queries.IndexPartitions(relids))
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
	indexes, err := postgres.Query[indexRow](ctx, d.session, queries.Indexes(all))
	if err != nil {
		return nil, fmt.Errorf("reading the indexes: %w", err)
	}
	for _, i := range indexes {
		c.indexes[root[i.Relid]] = append(c.indexes[root[i.Relid]], i)
	}
	heaps, err := postgres.Query[heapRow](ctx, d.session, queries.IndexHeaps(all))
	if err != nil {
		return nil, fmt.Errorf("reading the sizes of tables: %w", err)
	}
	for _, h := range heaps {
		sum := c.heaps[root[h.OID]]
		c.heaps[root[h.OID]] = heapRow{OID: root[h.OID], Bytes: sum.Bytes + h.Bytes, Updates: sum.Updates + h.Updates,
			HOT: sum.HOT + h.HOT, PartitionKeys: append(sum.PartitionKeys, h.PartitionKeys...)}
	}
	constraints, err := postgres.Query[constraintRow](ctx, d.session, queries.IndexConstraints(relids))
	if err != nil {
		return nil, fmt.Errorf("reading the constraints: %w", err)
	}
	for _, con := range constraints {
		c.constraints[con.Relid] = append(c.constraints[con.Relid], con)
		if con.ForeignKey {
			c.referenced[con.Index] = true
		}
	}
	return c, d.readServer(ctx, c)
}

// askCatalogAhead asks what readCatalog needs, so that all its questions share the time to the server and back. Which
// relations belong to partitioned tables must be known first.
func (d *databaseRefresh) askCatalogAhead(relids []uint32) {
	if d.reopened {
		return
	}
	all := []string{queries.IndexPartitions(relids), queries.IndexConstraints(relids), queries.IndexNames(),
		queries.IndexStatistics()}
	if !slices.ContainsFunc(d.tables, func(t table) bool { return t.Partitioned }) {
		all = append(all, queries.Indexes(relids), queries.IndexHeaps(relids))
	}
	for _, question := range all {
		d.session.Ask(question, nil)
	}
}

// readServer reads what all tables have in common.
func (d *databaseRefresh) readServer(ctx context.Context, c *catalog) error {
	names, err := postgres.Query[struct{ Name string }](ctx, d.session, queries.IndexNames())
	if err != nil {
		return fmt.Errorf("reading the names of relations: %w", err)
	}
	for _, n := range names {
		c.names = append(c.names, n.Name)
	}
	since, err := postgres.Query[struct{ Since *time.Time }](ctx, d.session, queries.IndexStatistics())
	if err != nil {
		return fmt.Errorf("reading the age of the statistics: %w", err)
	}
	if len(since) == 1 && since[0].Since != nil {
		c.since = *since[0].Since
	}
	return nil
}

// indexTables updates what is known about the indexes of every table.
func (d *databaseRefresh) indexTables(ctx context.Context, c *catalog) error {
	now := time.Now()
	tables := make([]*softdelete.Indexing, len(d.tables))
	changed := map[uint32]*softdelete.Index{}
	for n := range d.tables {
		t := &d.tables[n]
		if t.OID == 0 || len(t.Markers) == 0 {
			continue
		}
		err := d.catchTable(t, "indexes", true, func() error {
			tables[n] = c.indexing(t, now)
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
	deparse, unread, err := d.readDetails(ctx, changed)
	if err != nil {
		return err
	}
	var failed []string
	var reason error
	var ahead lookahead
	for n, x := range tables {
		if x == nil {
			continue
		}
		t := &d.tables[n]
		ahead.before(d, n, len(tables), func(next int) bool {
			if x := tables[next]; x != nil {
				if oids := deparsed(x, deparse); len(oids) > 0 {
					d.session.Ask(queries.IndexDeparse(oids), nil)
				}
			}
			return true
		})
		err := d.catchTable(t, "expressions", true, func() error {
			for i := range x.Indexes {
				if err := unread[x.Indexes[i].OID]; err != nil {
					return err
				}
			}
			if err := namable(d.session, x); err != nil {
				return err
			}
			err := d.deparse(ctx, t, x, deparse)
			x.ByTime = t.byTime(x.Indexes)
			return err
		})
		switch {
		case err == nil:
			t.Indexing = x
		case d.session.Broken() || ctx.Err() != nil:
			return fmt.Errorf("lost the connection at the indexes of %s.%s: %w", t.Schema, t.Name, err)
		default:
			failed, reason = append(failed, t.Schema+"."+t.Name), err
		}
	}
	if len(failed) > 0 {
		d.refresh.revisit(d.session.Database)
		level.Warn(d.refresh.log(ctx)).Log("msg", "cannot read the indexes of some tables; the last results stay",
			"datname", d.session.Database,
			"tables", len(failed), "last", failed[len(failed)-1], "err", reason)
	}
	return nil
}

// indexing collects what is known about the indexes of one table. New and changed indexes do not have a Method yet.
func (c *catalog) indexing(t *table, now time.Time) *softdelete.Indexing {
	heap := c.heaps[t.OID]
	x := &softdelete.Indexing{Bytes: heap.Bytes, HOT: 1, Updated: heap.Updates > 0, PartitionKeys: heap.PartitionKeys,
		Names: c.names, At: now, Since: c.since}
	if x.Updated {
		x.HOT = float64(heap.HOT) / float64(heap.Updates)
	}
	for _, p := range c.partitions[t.OID] {
		x.Partitions = append(x.Partitions, p.partition())
	}
	owner := map[uint32]string{}
	for _, con := range c.constraints[t.OID] {
		if con.ForeignKey {
			x.ForeignKeys = append(x.ForeignKeys, con.Columns)
		} else {
			owner[con.Index] = con.Name
		}
	}
	known := map[uint32]*softdelete.Index{}
	if t.Indexing != nil {
		for i := range t.Indexing.Indexes {
			known[t.Indexing.Indexes[i].OID] = &t.Indexing.Indexes[i]
		}
	}
	for _, row := range joinPartitions(t.OID, c.indexes[t.OID]) {
		index := softdelete.Index{OID: row.OID}
		if t.Indexing != nil {
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

// indexWithPartitions is an index together with the indexes of partitions that belong to it.
type indexWithPartitions struct {
	indexRow
	parts []softdelete.PartitionIndex
}

// joinPartitions adds the indexes of partitions to the partitioned indexes of the table. Other indexes of partitions
// are kept only if they are invalid.
func joinPartitions(table uint32, rows []indexRow) []*indexWithPartitions {
	at := map[uint32]*indexWithPartitions{}
	for _, row := range rows {
		at[row.OID] = &indexWithPartitions{indexRow: row}
	}
	var kept []*indexWithPartitions
	for _, row := range rows {
		top := at[row.OID]
		for at[top.Parent] != nil {
			top = at[top.Parent]
		}
		switch {
		case top.Relid == table && top.OID != row.OID:
			top.parts = append(top.parts, softdelete.PartitionIndex{Partition: row.Relid, Schema: row.Schema, Name: row.Name,
				Valid: row.Valid})
			top.Bytes += row.Bytes
			top.Scans += row.Scans
		case top.Relid == table || !row.Valid && !row.Partitioned && row.Parent == 0:
			kept = append(kept, top)
		}
	}
	return kept
}
