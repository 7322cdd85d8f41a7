package discovery

import (
	"math"

	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// ranges are the values that a time near ours can have in each unit: from 10^8 seconds
// (1973) to 10^11 (5138). A number outside of them is an id.
var ranges = []struct {
	from, below float64
	unit        softdelete.Unit
}{
	{1e8, 1e11, softdelete.Seconds}, {1e11, 1e14, softdelete.Milliseconds}, {1e14, 1e17, softdelete.Microseconds},
	{1e17, math.Inf(1), softdelete.Nanoseconds},
}

// ClassifyInteger tells what an integer column that needs it holds, by some of its values: what
// most of those that are not zero say. One that is called a flag is never a time in
// nanoseconds: where it holds numbers of that size, they are the row's own id
// (snowflake ids have 19 digits).
func ClassifyInteger(need Need, values []float64) softdelete.IntegerMeaning {
	votes := map[softdelete.IntegerMeaning]int{}
	var best softdelete.IntegerMeaning
	for _, v := range values {
		if v == 0 {
			continue
		}
		s := softdelete.IntegerMeaning{Kind: softdelete.Number}
		for _, r := range ranges {
			if r.from <= v && v < r.below && !(need == NeedKind && r.unit == softdelete.Nanoseconds) {
				s = softdelete.IntegerMeaning{Kind: softdelete.Epoch, Unit: r.unit}
			}
		}
		votes[s]++
		if votes[s] > votes[best] {
			best = s
		}
	}
	return best
}
