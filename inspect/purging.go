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
func (v *visit) purgeAll(ctx context.Context) {
	var roots []uint32
	var columns []string
	for i := range v.relations {
		r := &v.relations[i]
		r.Purging = nil
		if r.OID == 0 || r.Numbers == nil || r.Numbers.Old == nil || r.Numbers.Old.Value < 1 {
			continue
		}
		for _, c := range r.Markers.Columns() {
			roots, columns = append(roots, r.OID), append(columns, c)
		}
	}
	if len(roots) == 0 || ctx.Err() != nil || v.Broken() && !v.reopen(ctx) {
		return
	}
	var rows []obstacle
	err := v.attempt(ctx, func() (err error) {
		rows, err = postgres.Query[obstacle](ctx, v.Session, queries.PurgeObstacles(roots, columns))
		return err
	})
	if err != nil {
		level.Warn(v.log(ctx)).Log("msg", "cannot tell what stands in the way of purges", "datname", v.Database, "err", err)
		return
	}
	found := map[uint32]*softdelete.Purging{}
	for _, root := range roots {
		found[root] = &softdelete.Purging{}
	}
	for _, o := range rows {
		found[o.Root].Problems = append(found[o.Root].Problems, o.String())
	}
	for i := range v.relations {
		r := &v.relations[i]
		r.Purging = found[r.OID]
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
