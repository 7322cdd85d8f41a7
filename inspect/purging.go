package inspect

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/go-kit/log/level"

	"github.com/softdelete-exporter/softdelete_exporter/postgres"
	"github.com/softdelete-exporter/softdelete_exporter/queries"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// purgingFor is how long facts about a purge are kept. Nothing depends on them: a script checks everything itself.
const purgingFor = time.Hour

// purgeRow is a row of queries.PurgeCheck: facts about the table, and about one key that references it, if there is
// any.
type purgeRow struct {
	Facts, Owner                        string
	Accepted, Problems                  []string
	Defaulted                           bool
	KeyOID                              *uint32
	Schema, Name, Key, Columns          *string
	Itself, Period, Unindexed, Cascades *bool
}

// hasOld reports whether there is something to purge.
func hasOld(t *softdelete.Table) bool {
	return t.Numbers != nil && t.Numbers.Old != nil && t.Numbers.Old.Value >= 1
}

// purgingDue reports whether it must be read what stands in the way of a purge.
func purgingDue(t *softdelete.Table, now time.Time) bool {
	return hasOld(t) && (t.Purging == nil || now.Sub(t.Purging.At) >= purgingFor)
}

// purgeAll updates the obstacles to a purge for the tables that have something to purge.
func (d *databaseRefresh) purgeAll(ctx context.Context) {
	var due []*softdelete.Table
	for i := range d.tables {
		t := &d.tables[i].Table
		switch {
		case !hasOld(t):
			t.Purging = nil
		case purgingDue(t, d.refresh.began):
			due = append(due, t)
		}
	}
	var ahead lookahead
	for n, t := range due {
		if d.refresh.budget.over() || ctx.Err() != nil || d.session.Broken() && !d.reopen(ctx) {
			return
		}
		ahead.before(d, n, len(due), func(next int) bool {
			d.session.Ask(queries.PurgeCheck(due[next], nil), nil)
			return true
		})
		var found *softdelete.Purging
		err := d.withRetry(ctx, func() (err error) {
			found, err = findPurging(ctx, d.session, t, nil)
			return err
		})
		if err != nil {
			level.Warn(d.refresh.log(ctx)).Log("msg", "cannot tell what stands in the way of a purge", "datname",
				d.session.Database,
				"schemaname", t.Schema, "relname", t.Name, "err", err)
			continue
		}
		t.Purging = found
	}
}

// findPurging returns what a script for a table would find now.
func findPurging(ctx context.Context, s *postgres.Session, t *softdelete.Table,
	accepted []string) (*softdelete.Purging, error) {
	rows, err := postgres.Query[purgeRow](ctx, s, queries.PurgeCheck(t, accepted))
	if err != nil {
		return nil, err
	}
	if len(rows) == 0 {
		return nil, fmt.Errorf("%s.%s is gone", t.Schema, t.Name)
	}
	first := rows[0]
	p := &softdelete.Purging{At: time.Now(), Columns: first.Facts, Defaulted: first.Defaulted, Owner: first.Owner,
		Problems: first.Problems, Accepted: first.Accepted}
	unindexed := map[uint32]int{}
	for _, row := range rows {
		if row.Key == nil {
			continue
		}
		k := softdelete.PurgeKey{Schema: *row.Schema, Name: *row.Name, Key: *row.Key, Columns: *row.Columns,
			Itself: *row.Itself, Cascades: *row.Cascades}
		if *row.Unindexed {
			unindexed[*row.KeyOID] = len(p.Keys)
			p.Problems = append(p.Problems, fmt.Sprintf("foreign key %q of %s.%s needs an index that begins with %s", k.Key,
				k.Schema, k.Name, k.Columns))
		}
		if row.Period != nil && *row.Period {
			p.Problems = append(p.Problems, fmt.Sprintf("foreign key %q of %s.%s uses PERIOD", k.Key, k.Schema, k.Name))
		}
		p.Keys = append(p.Keys, k)
	}
	return p, completeUnindexed(ctx, s, p.Keys, unindexed)
}

// referenceRow is what queries.IndexReferences answers.
type referenceRow struct {
	Key, Relid   uint32
	Schema, Name string
	Columns      []string
	OIDs         []uint32
	Names, Lacks []string
}

// completeUnindexed finds out what an index on the columns of each of the given keys needs. Unindexed are the
// places of the keys, by their oids.
func completeUnindexed(ctx context.Context, s *postgres.Session, keys []softdelete.PurgeKey,
	unindexed map[uint32]int) error {
	if len(unindexed) == 0 {
		return nil
	}
	rows, err := postgres.Query[referenceRow](ctx, s, queries.IndexReferences(slices.Sorted(maps.Keys(unindexed))))
	if err != nil {
		return fmt.Errorf("reading the indexes of the tables that reference: %w", err)
	}
	var tables []uint32
	for _, row := range rows {
		tables = append(tables, row.Relid)
	}
	partitions, err := postgres.Query[partitionRow](ctx, s, queries.IndexPartitions(tables))
	if err != nil {
		return fmt.Errorf("reading the partitions of the tables that reference: %w", err)
	}
	for _, row := range rows {
		u := &softdelete.UnindexedKey{Table: softdelete.Partition{OID: row.Relid, Schema: row.Schema, Name: row.Name},
			Columns: row.Columns}
		for _, p := range partitions {
			if p.Root == row.Relid {
				u.Partitions = append(u.Partitions, p.partition())
			}
		}
		for n := range row.OIDs {
			u.Near = append(u.Near, softdelete.NearIndex{
				Index: softdelete.Index{OID: row.OIDs[n], Schema: row.Schema, Name: row.Names[n]}, Lacks: row.Lacks[n]})
		}
		keys[unindexed[row.Key]].Unindexed = u
	}
	return nil
}

// FindPurging finds, for tables of one database, what scripts would find. It uses the given names of accepted
// triggers. A table about which that could not be found out has no Purging, and the error says why.
func (i *Inspector) FindPurging(ctx context.Context, database string, tables []*softdelete.Table,
	accepted []string) error {
	if len(accepted) > 0 {
		for _, t := range tables {
			t.Purging = nil
		}
	}
	s, err := i.newRefresh(&softdelete.Snapshot{}, nil).open(ctx, database)
	if err != nil {
		return err
	}
	defer s.Close()
	var failed []error
	for _, t := range tables {
		if t.OID == 0 || len(t.Markers) == 0 || t.Purging != nil {
			continue
		}
		p, err := findPurging(ctx, s, t, accepted)
		if err != nil {
			failed = append(failed, fmt.Errorf("%s.%s of database %q: %w", t.Schema, t.Name, database, err))
			continue
		}
		t.Purging = p
	}
	return errors.Join(failed...)
}
