package inspect

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/softdelete-exporter/softdelete_exporter/postgres"
	"github.com/softdelete-exporter/softdelete_exporter/sampling"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// shareRow is a row of queries.Relation.Shares: shares of the rows.
type shareRow struct {
	Rows, Bytes float64
	// Known is the share of the rows that the statistics cover; nil if there are none.
	Known        *float64
	Deleted, Old float64
	// Since are those with a known deletion time: all of them, and those since each edge of the age classes.
	Since []float64
	observed
}

// byStatistics computes the numbers from the results of ANALYZE, without reading a row. Their error is unknown.
func (c *count) byStatistics(ctx context.Context) (*softdelete.Numbers, error) {
	if len(c.table.Markers) != 1 {
		return nil, errors.New("statistics cover one column at a time, and this table has several markers")
	}
	var total, deleted, old, bytes float64
	var since [sampling.MaxClasses]float64
	classes := 0
	for _, l := range c.table.partitions {
		if l.children {
			return nil, fmt.Errorf("%s.%s: %w", l.Schema, l.Name, errElsewhere)
		}
		rows, err := postgres.Query[shareRow](ctx, c.session, c.on(l).Shares())
		if err != nil {
			return nil, fmt.Errorf("reading the statistics of %s.%s: %w", l.Schema, l.Name, err)
		}
		if len(rows) == 0 {
			return nil, fmt.Errorf("%s.%s is gone", l.Schema, l.Name)
		}
		switch s := rows[0]; {
		case s.Rows == 0:
		case s.Rows < 0 || s.Known == nil || *s.Known <= 0:
			return nil, fmt.Errorf("there are no statistics of %s.%s; run ANALYZE on it", l.Schema, l.Name)
		default:
			c.observed.add(s.observed)
			total += s.Rows
			deleted += s.Rows * s.Deleted / *s.Known
			old += s.Rows * s.Old / *s.Known
			bytes += s.Bytes * s.Deleted / *s.Known
			classes = len(s.Since)
			for i, share := range s.Since {
				since[i] += s.Rows * share / *s.Known
			}
		}
	}
	guess := func(value float64) softdelete.Estimate {
		return softdelete.Estimate{Value: value, Margin: softdelete.NoMargin}
	}
	n := &softdelete.Numbers{Method: softdelete.Statistics, Total: guess(total), Deleted: guess(deleted),
		Active: guess(total - deleted), Ratio: guess(0), DeletedBytes: &bytes}
	if total > 0 {
		n.Ratio = guess(deleted / total)
	}
	if c.table.HasAges() && c.table.Markers[0].Kind != softdelete.Pair {
		old := guess(old)
		n.Old = &old
	}
	n.Ages = c.guessedAges(since[:classes])
	c.kept.NextChange = time.Time{}
	return n, nil
}
