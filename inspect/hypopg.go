package inspect

import (
	"context"

	"github.com/go-kit/log/level"

	"github.com/softdelete-exporter/softdelete_exporter/indexes"
	"github.com/softdelete-exporter/softdelete_exporter/postgres"
	"github.com/softdelete-exporter/softdelete_exporter/queries"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// tryAll asks the hypopg extension, where there is one, how large the indexes would
// be that seem to shrink without deleted rows. An answer holds until the index has
// another size.
func (v *visit) tryAll(ctx context.Context) {
	hypopg, more := "", true
	for n := range v.relations {
		r := &v.relations[n]
		if !more || r.Indexing == nil || r.Indexing.At.Before(v.began) || len(r.Indexing.Partitions) > 0 {
			continue // published already, or partitioned, which hypopg does not know
		}
		_ = v.spare(r, "trial", true, func() error {
			more = v.tryOne(ctx, r, &hypopg)
			return nil
		})
	}
}

// tryOne does so for one table, and tells whether others can be tried, too. The schema
// of the extension is asked for when it is needed first.
func (v *visit) tryOne(ctx context.Context, r *relation, hypopg *string) (more bool) {
	for _, i := range indexes.Shrinking(&r.Table) {
		if i.Trial != nil && i.Trial.Of == i.Bytes {
			continue
		}
		if *hypopg == "" {
			rows, err := postgres.Query[struct{ Schema string }](ctx, v.Session, queries.Hypopg())
			if err != nil || len(rows) == 0 {
				return false
			}
			*hypopg = rows[0].Schema
		}
		bytes, err := v.TryIndex(ctx, queries.TryLive(*hypopg, &r.Table, i))
		if err != nil {
			level.Debug(v.Logger).Log("msg", "cannot try a hypothetical index", "datname", v.Database, "indexrelname", i.Name, "err", err)
			if v.Broken() {
				return false
			}
			continue
		}
		i.Trial = &softdelete.Trial{Bytes: bytes, Of: i.Bytes}
	}
	return true
}
