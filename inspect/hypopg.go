package inspect

import (
	"context"

	"github.com/go-kit/log/level"

	"github.com/softdelete-exporter/softdelete_exporter/indexes"
	"github.com/softdelete-exporter/softdelete_exporter/postgres"
	"github.com/softdelete-exporter/softdelete_exporter/queries"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// tryIndexes asks the hypopg extension, if it is installed, how large indexes would be without deleted rows, if they
// would probably shrink. An answer is kept until the size of the index changes.
func (d *databaseRefresh) tryIndexes(ctx context.Context) {
	hypopg, more := "", true
	for n := range d.tables {
		t := &d.tables[n]
		if !more || t.Indexing == nil || t.Indexing.At.Before(d.refresh.began) || len(t.Indexing.Partitions) > 0 {
			continue // published already; or partitioned, which hypopg does not support
		}
		_ = d.catchTable(t, "trial", true, func() error {
			more = d.tryIndexesOf(ctx, t, &hypopg)
			return nil
		})
	}
}

// tryIndexesOf does this for one table, and reports whether other tables can be tried as well. The schema of the
// extension is read when it is first needed.
func (d *databaseRefresh) tryIndexesOf(ctx context.Context, t *table, hypopg *string) (more bool) {
	for _, i := range indexes.Shrinking(&t.Table) {
		if i.Trial != nil && i.Trial.Of == i.Bytes {
			continue
		}
		if *hypopg == "" {
			rows, err := postgres.Query[struct{ Schema string }](ctx, d.session, queries.Hypopg())
			if err != nil || len(rows) == 0 {
				return false
			}
			*hypopg = rows[0].Schema
		}
		bytes, err := d.session.TryIndex(ctx, queries.TryLive(*hypopg, &t.Table, i))
		if err != nil {
			level.Debug(d.refresh.Logger).Log("msg", "cannot try a hypothetical index", "datname", d.session.Database,
				"indexrelname", i.Name, "err", err)
			if d.session.Broken() {
				return false
			}
			continue
		}
		i.Trial = &softdelete.Trial{Bytes: bytes, Of: i.Bytes}
	}
	return true
}
