package inspect

import (
	"context"
	"fmt"

	"github.com/go-kit/log/level"

	"github.com/softdelete-exporter/softdelete_exporter/postgres"
	"github.com/softdelete-exporter/softdelete_exporter/queries"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// obstacle is what queries.PurgeObstacles answers.
type obstacle struct {
	Root                        uint32
	What, Name, Schema, Relname string
}

// purgeAll finds what stands in the way of purging the tables that have rows to purge.
func (d *databaseRefresh) purgeAll(ctx context.Context) {
	var roots []uint32
	var columns []string
	for i := range d.tables {
		t := &d.tables[i]
		t.Purging = nil
		if t.OID == 0 || t.Numbers == nil || t.Numbers.Old == nil || t.Numbers.Old.Value < 1 {
			continue
		}
		for _, c := range t.Markers.Columns() {
			roots, columns = append(roots, t.OID), append(columns, c)
		}
	}
	if len(roots) == 0 || ctx.Err() != nil || d.session.Broken() && !d.reopen(ctx) {
		return
	}
	var rows []obstacle
	err := d.withRetry(ctx, func() (err error) {
		rows, err = postgres.Query[obstacle](ctx, d.session, queries.PurgeObstacles(roots, columns))
		return err
	})
	if err != nil {
		level.Warn(d.refresh.log(ctx)).Log("msg", "cannot tell what stands in the way of purges", "datname", d.session.Database, "err", err)
		return
	}
	found := map[uint32]*softdelete.Purging{}
	for _, root := range roots {
		found[root] = &softdelete.Purging{}
	}
	for _, o := range rows {
		found[o.Root].Problems = append(found[o.Root].Problems, o.String())
	}
	for i := range d.tables {
		t := &d.tables[i]
		t.Purging = found[t.OID]
	}
}

// String says what stands in the way.
func (o obstacle) String() string {
	relation := o.Schema + "." + o.Relname
	switch o.What {
	case "foreign key":
		return fmt.Sprintf("%s references it by %s", relation, o.Name)
	case "default":
		return fmt.Sprintf("column %s of %s has or had a default, which live rows may hold", o.Name, relation)
	case "not null":
		return fmt.Sprintf("column %s of %s is NOT NULL, so that live rows hold a value, too", o.Name, relation)
	default:
		return fmt.Sprintf("%s has the %s %s", relation, o.What, o.Name)
	}
}
