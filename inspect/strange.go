package inspect

import (
	"fmt"
	"maps"
	"slices"

	"github.com/softdelete-exporter/softdelete_exporter/discovery"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// unclearError means that what was counted is not certain to be what it is called.
type unclearError struct{ softdelete.Problem }

func (e *unclearError) Error() string { return e.Message }

// noteStrange keeps of each marker a value that it does not account for.
func (c *count) noteStrange(values []*string) {
	if c.strange == nil {
		c.strange = make([]*string, len(c.table.Markers))
	}
	for i, v := range values {
		if v != nil && (c.strange[i] == nil || *v < *c.strange[i]) {
			c.strange[i] = v
		}
	}
}

// accept takes the zero time of Go's libraries for live where it was found, and reports whether
// the table must be counted again with that.
func (c *count) accept() (again bool) {
	d := c.refresh.databases[c.session.Database]
	for i, v := range c.strange {
		m := c.table.Markers[i]
		attnum, known := c.table.attnums[m.Column]
		if v == nil || !known || !discovery.IsZeroTime(m, *v) || slices.Contains(m.Live, *v) {
			continue
		}
		// What is part of a Snapshot is not changed.
		d.ColumnFacts = maps.Clone(d.ColumnFacts)
		if d.ColumnFacts == nil {
			d.ColumnFacts = map[softdelete.ColumnID]softdelete.ColumnFacts{}
		}
		id := softdelete.ColumnID{Relation: c.table.OID, Attnum: attnum}
		facts := d.ColumnFacts[id]
		facts.Zero = *v
		d.ColumnFacts[id] = facts
		c.refresh.databases[c.session.Database] = d
		m.Kind, m.Live = softdelete.Sentinel, append(slices.Clone(m.Live), *v)
		slices.Sort(m.Live)
		c.table.Markers = slices.Clone(c.table.Markers)
		c.table.Markers[i] = m
		again = true
	}
	return again
}

// unclear is why what was counted is not certain to be what it is called; nil if it is.
func (c *count) unclear() error {
	for i, v := range c.strange {
		if v == nil {
			continue
		}
		t := c.table
		u := discovery.UnclearValue(t.Schema, t.Name, t.Markers[i], softdelete.Legible(*v))
		return &unclearError{softdelete.Problem{Reason: softdelete.MarkerUnclear, Remedy: u.Remedy,
			Message: fmt.Sprintf("%s.%s: %s", t.Schema, t.Name, u.Message)}}
	}
	return nil
}
