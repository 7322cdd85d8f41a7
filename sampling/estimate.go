package sampling

// maxRowsPerBlock is the most rows that a block of 8 kB can hold: PostgreSQL's MaxHeapTuplesPerPage. It limits how
// many rows unread blocks can hold if the sample does not show how full a block can be.
const maxRowsPerBlock = 291

// MaxClasses is how many classes of deletion times can be distinguished.
const MaxClasses = 9

// Rows counts rows: of one block, or of several. Old ≤ Deleted ≤ Total.
type Rows struct {
	Total   int64 // live and deleted
	Deleted int64
	Old     int64 // deleted longer ago than the retention
	// Classes are the deleted rows by class of their deletion times, oldest first.
	Classes [MaxClasses]int64
}

// Counted is a partition that was counted exactly instead of being sampled.
type Counted struct {
	Blocks int64 // its size
	Rows   Rows
}

// DeletedBlocks is how much of the partition the deleted rows occupy, as in [Estimate].
func (c Counted) DeletedBlocks() float64 { return c.Rows.deletedShare() * float64(c.Blocks) }

// Estimate is what a sample, together with exactly counted partitions, says about a relation. Each interval contains
// the true value in about 95 of 100 samples.
type Estimate struct {
	Total, Deleted, Old Interval // rows
	Ratio               Interval // deleted / total, 0 to 1; 0 where there are no rows

	// Blocks is the size of the relation. DeletedBlocks is how much of it the deleted rows occupy, if all rows of a
	// block take equal space; it times the block size gives the deleted bytes. It has no interval.
	Blocks, DeletedBlocks float64
}

// Reached reports whether the margin of the ratio is at most target. Both are differences of ratios, 0 to 1. Reading
// more blocks is then not needed.
func (e Estimate) Reached(target float64) bool { return e.Ratio.Margin() <= target }

// WithDeleted returns the estimate if the deleted rows were counted exactly, with the help of an index, while the
// total was sampled. The total cannot be less than n.
func (e Estimate) WithDeleted(n int64) Estimate {
	deleted := Exact(n)
	if n == 0 {
		e.Deleted, e.Ratio, e.DeletedBlocks = deleted, Interval{}, 0
		return e
	}
	v := deleted.Value
	e.Total = Interval{max(e.Total.Value, v), max(e.Total.Low, v), max(e.Total.High, v)}
	e.Ratio = Interval{v / e.Total.Value, v / e.Total.High, v / e.Total.Low}
	if e.Deleted.Value > 0 {
		e.DeletedBlocks = min(e.DeletedBlocks*v/e.Deleted.Value, e.Blocks)
	} else {
		e.DeletedBlocks = e.Ratio.Value * e.Blocks
	}
	e.Deleted = deleted
	return e
}

// Plus returns the sum of both.
func (r Rows) Plus(o Rows) Rows {
	r.Total += o.Total
	r.Deleted += o.Deleted
	r.Old += o.Old
	for i, n := range o.Classes {
		r.Classes[i] += n
	}
	return r
}

// deletedShare returns the share of the rows that are deleted; 0 if there are no rows.
func (r Rows) deletedShare() float64 {
	return float64(r.Deleted) / float64(max(r.Total, 1))
}
