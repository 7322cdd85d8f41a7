package discovery

import (
	"slices"
	"strconv"
	"time"

	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// year2000 is when that began, in seconds since 1970. Soft delete is not much older.
const year2000 = 946684800

// ClassifyInteger says what an integer column that needs it holds, by some of its values,
// the least and the greatest among them: a time, if all of them lie between 2000 and tomorrow
// in one unit, else a number. Zero, and what rows are born with, tell nothing. One that is
// called a flag is never a time in nanoseconds: where it holds numbers of that size, they are
// the row's own id (snowflake ids have 19 digits).
func ClassifyInteger(need Need, values []float64, born []string, now time.Time) softdelete.IntegerMeaning {
	telling := slices.DeleteFunc(slices.Clone(values), func(v float64) bool {
		return v == 0 || slices.ContainsFunc(born, func(b string) bool {
			n, err := strconv.ParseFloat(b, 64)
			return err == nil && n == v //nolint:gocritic // Neither is computed.
		})
	})
	if len(telling) == 0 {
		return softdelete.IntegerMeaning{}
	}
	least, greatest := slices.Min(telling), slices.Max(telling)
	tomorrow := float64(now.Add(24 * time.Hour).Unix())
	for _, unit := range softdelete.Units {
		per := float64(unit.PerSecond())
		if year2000*per <= least && greatest <= tomorrow*per && !(need == NeedKind && unit == softdelete.Nanoseconds) {
			return softdelete.IntegerMeaning{Kind: softdelete.Epoch, Unit: unit}
		}
	}
	return softdelete.IntegerMeaning{Kind: softdelete.Number}
}
