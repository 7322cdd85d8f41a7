package sampling

// fewest is how many units are needed to say anything about how much units differ.
const fewest = 5

// units are the clusters of rows that were read (blocks, or groups of blocks), and what is needed to extrapolate from
// them to their partitions.
type units struct {
	rows     []Rows
	variance func(z []float64) float64 // of the sum of z over these units
	freedom  float64                   // degrees of freedom of variance
	blocks   float64                   // of the sampled partitions
	met      float64                   // chance that one of these blocks was read, at least
	weight   float64                   // the partitions' sum is weight × the units' sum
	fullest  float64                   // rows of a block, at most
}

// estimate extrapolates from the units and adds the partitions that were counted exactly.
func (u units) estimate(exact []Counted) Estimate {
	var e Estimate
	var counted, read Rows
	for _, unit := range u.rows {
		read = read.Plus(unit)
		e.DeletedBlocks += unit.deletedShare() * u.blocks / float64(len(u.rows))
	}
	e.Blocks = u.blocks
	for _, partition := range exact {
		counted = counted.Plus(partition.Rows)
		e.DeletedBlocks += partition.DeletedBlocks()
		e.Blocks += float64(partition.Blocks)
	}
	e.Total = u.count(counted.Total, func(r Rows) float64 { return float64(r.Total) })
	e.Deleted = u.count(counted.Deleted, func(r Rows) float64 { return float64(r.Deleted) }).clamp(0, e.Total.High)
	e.Old = u.count(counted.Old, func(r Rows) float64 { return float64(r.Old) }).clamp(0, e.Deleted.High)
	e.Ratio = u.ratio(counted, read).clamp(0, 1)
	return e
}

// count estimates a number of rows. It works with a share: the rows that there are, out of those that the sampled
// partitions would hold if all their blocks were full.
func (u units) count(counted int64, of func(Rows) float64) Interval {
	if u.blocks == 0 {
		return Exact(counted)
	}
	full := u.blocks * u.fullest
	var share float64
	z := make([]float64, len(u.rows))
	for i, unit := range u.rows {
		z[i] = of(unit) * u.weight / full
		share += z[i]
	}
	low, high := around(share, u.variance(z), student(u.freedom), u.unseen()/u.blocks)
	return Interval{
		Value: float64(counted) + share*full,
		Low:   float64(counted) + max(low, 0)*full,
		High:  float64(counted) + max(min(high, 1), share)*full,
	}
}

// ratio estimates deleted / total. The interval is made for the ratio of the sampled part alone, because that part
// is skewed, but with residuals from the common ratio. The counted partitions then move and shrink it.
func (u units) ratio(counted, read Rows) Interval {
	total, deleted := float64(counted.Total), float64(counted.Deleted)
	unseen := u.unseen() * u.fullest
	if read.Total == 0 {
		if total+unseen == 0 {
			return Interval{}
		}
		return Interval{counted.deletedShare(), deleted / (total + unseen), (deleted + unseen) / (total + unseen)}
	}
	sampled := u.weight * float64(read.Total)
	common := (deleted + u.weight*float64(read.Deleted)) / (total + sampled)
	z := make([]float64, len(u.rows))
	for i, unit := range u.rows {
		z[i] = (float64(unit.Deleted) - common*float64(unit.Total)) / float64(read.Total)
	}
	low, high := around(read.deletedShare(), u.variance(z), student(u.freedom), unseen/sampled)
	return Interval{
		Value: common,
		Low:   (deleted + low*sampled) / (total + sampled),
		High:  (deleted + high*sampled) / (total + sampled),
	}
}

// unseen returns how many blocks may be of a kind that was not read.
func (u units) unseen() float64 { return min(unseenBlocks(u.met), u.blocks) }
