package softdelete

// Purging is what the catalogs say of a purge of one table.
type Purging struct {
	// Problems are why a DELETE may remove other rows than those past retention, or do more
	// than remove them.
	Problems []string
}

// Withheld is why no statement is printed that would purge the table; empty if one is.
// A fact that is missing is a reason.
func (t *Table) Withheld() []string {
	switch {
	case len(t.Markers) != 1 || t.Markers[0].Kind != Timestamp || t.Markers[0].Time == nil || t.Markers[0].Time.Type != Timestamptz:
		return []string{"the marker is not one column of type timestamptz, NULL in live rows"}
	case t.Purging == nil:
		return []string{"it is not known what stands in the way"}
	}
	return t.Purging.Problems
}
