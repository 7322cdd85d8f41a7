package discovery

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// year2000 is when that year began, in seconds since 1970. Soft delete is not much older.
const year2000 = 946684800

// ClassifyInteger says what an integer column contains, given some of its values that include the smallest and the
// largest. It is a time if all of them are between 2000 and tomorrow in one unit, and otherwise a number. Zero and
// the values of new rows are ignored. A column that is called a flag is never a time in nanoseconds: numbers of that
// size are the row's own id (snowflake ids have 19 digits).
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
	unit := plausible(slices.Min(telling), slices.Max(telling), now)
	if unit == "" || need == NeedKind && unit == softdelete.Nanoseconds {
		return softdelete.IntegerMeaning{Kind: softdelete.Number}
	}
	return softdelete.IntegerMeaning{Kind: softdelete.Epoch, Unit: unit, Example: slices.Max(telling)}
}

// plausible returns the unit in which all values between the two are between 2000 and tomorrow; empty if there is
// none.
func plausible(least, greatest float64, now time.Time) softdelete.Unit {
	tomorrow := float64(now.Add(24 * time.Hour).Unix())
	for _, unit := range softdelete.Units {
		per := float64(unit.PerSecond())
		if year2000*per <= least && greatest <= tomorrow*per {
			return unit
		}
	}
	return ""
}

// year10000 is when that year begins, in seconds since 1970: no PostgreSQL server deletes a row then.
const year10000 = 253402300800

// UnclearInteger returns what contradicts the meaning of an integer marker, given the smallest and the largest value
// of the deleted rows; nil if nothing does.
func UnclearInteger(schema, table string, m softdelete.Marker, least, greatest float64, now time.Time) *Unclear {
	e := explainer{schema: schema, table: table}
	t := m.Time
	switch {
	case t == nil:
		first, last := plausible(least, least, now), plausible(greatest, greatest, now)
		if first == "" || last == "" || first == last {
			return nil
		}
		return &Unclear{
			Message: fmt.Sprintf("column %q holds times in %s and in %s: whether they are times is not known", m.Column,
				first, last),
			Remedy: settle(schema, table, m),
		}
	case t.UnitGiven || plausible(least, greatest, now) == t.Unit:
		return nil
	default:
		return &Unclear{
			Message: fmt.Sprintf("column %q was taken for a time in %s, but it holds values from %.0f to %.0f, and these do "+
				"not all lie between the year 2000 and tomorrow", t.Column, t.Unit, least, greatest),
			Remedy: e.configure(m.Column, timeColumn(m)+", unit: "+softdelete.FillIn),
		}
	}
}

// WrongUnit returns why a configured unit cannot be right, given the smallest and the largest value of the deleted
// rows; nil if it can.
func WrongUnit(t *softdelete.Time, least, greatest float64, now time.Time) error {
	if t == nil || !t.UnitGiven {
		return nil
	}
	per := float64(t.Unit.PerSecond())
	switch other := plausible(least, greatest, now); {
	case other == t.Unit:
		return nil
	case other != "":
		return fmt.Errorf("column %q does not hold times in %s: read so, its values lie about the year %s; they are "+
			"times in %s: correct unit: in the configuration", t.Column, t.Unit, yearOf(greatest/per), other)
	case least >= year10000*per:
		return fmt.Errorf("column %q does not hold times in %s: read so, its values lie after the year %s: correct unit: "+
			"in the configuration", t.Column, t.Unit, yearOf(least/per))
	default:
		return nil
	}
}

// yearOf returns the year of a time in seconds since 1970, for a person.
func yearOf(seconds float64) string {
	const year = 365.2425 * 24 * 60 * 60
	return fmt.Sprintf("%.0f", 1970+math.Floor(seconds/year))
}
