package sampling

import "math"

// Interval is an estimate and its 95% confidence interval, all in the same unit: Low ≤ Value ≤ High.
type Interval struct {
	Value, Low, High float64
}

// Exact returns the interval of a number that was counted, not estimated.
func Exact(n int64) Interval {
	return Interval{float64(n), float64(n), float64(n)}
}

// Margin returns the distance from the value to the further end of the interval; 0 if exact.
func (i Interval) Margin() float64 {
	return max(i.Value-i.Low, i.High-i.Value)
}

// clamp moves all three numbers into [low, high].
func (i Interval) clamp(low, high float64) Interval {
	i.Low, i.High = max(i.Low, low), min(i.High, high)
	return i
}

// around returns the interval of a share, 0 to 1. It is given the share's variance, the quantile to use, and how much
// of the whole may be of a kind that occurs in no sampled block. The interval is the union of three, each of which
// is right where the others are too narrow:
//
//   - share ± quantile·√variance, which reaches down to 0 if all that was found lies in one of hundreds of blocks;
//   - Wilson's interval for as many independent draws as would have this variance (Wilson 1927; Korn and Graubard
//     1998): the variance grows with the share, so the end nearer to ½ lies further away;
//   - the floor: it assumes that the unseen part consists only of what is counted, or has nothing of it.
//
// The first one can leave [0, 1].
func around(share, variance, quantile, unseen float64) (low, high float64) {
	if math.IsInf(variance, 1) {
		return 0, 1
	}
	half := quantile * math.Sqrt(variance)
	low, high = share-half, share+half
	if spread := share * (1 - share); spread > 0 {
		a := quantile * quantile * variance / spread // Wilson's z²/n
		centre := (share + a/2) / (1 + a)
		half = math.Sqrt(a*(spread+a/4)) / (1 + a)
		low, high = min(low, centre-half), max(high, centre+half)
	}
	unseen = min(unseen, 1)
	return min(low, share*(1-unseen)), max(high, share+(1-share)*unseen)
}

// unseenBlocks returns u such that u blocks stay unread with a probability of 5%, if a fraction f of very many
// blocks, 0 ≤ f ≤ 1, is read at random: it solves (1-f)ᵘ = 0.05. For small f that is the rule of three, 3/f (Hanley
// and Lippman-Hand 1983). It is 0 if all blocks were read, and +Inf if none was.
func unseenBlocks(f float64) float64 {
	return math.Log(0.05) / math.Log1p(-f)
}

// student returns the 97.5% quantile of Student's t with the given degrees of freedom, within 1% from 2 upwards
// (Abramowitz and Stegun 26.7.5).
func student(freedom float64) float64 {
	const z = 1.959963984540054
	const z3 = z * z * z
	const z5 = z3 * z * z
	const z7 = z5 * z * z
	const z9 = z7 * z * z
	v := freedom
	return z + (z3+z)/(4*v) + (5*z5+16*z3+3*z)/(96*v*v) +
		(3*z7+19*z5+17*z3-15*z)/(384*v*v*v) +
		(79*z9+776*z7+1482*z5-1920*z3-945*z)/(92160*v*v*v*v)
}
