package assess

import (
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

const day = 24 * time.Hour

// Ages says in a few words each what the deletion times of the rows that are still in the table show: since when
// nothing was purged, how fast rows are deleted, and when there will be too many. It says only what the numbers
// support.
func (t *TableHealth) Ages(now time.Time) []string {
	var said []string
	for _, words := range []string{t.oldestDeletion(now), t.pace(), t.forecast()} {
		if words != "" {
			said = append(said, words)
		}
	}
	return said
}

// Overdue returns for how many days the oldest row has been past the retention; of a sampled table, for how many at
// least. It is 0 if none is, or that is not known.
func (t *TableHealth) Overdue(now time.Time) int {
	oldest := t.OldestDeletion()
	if !t.HasAges() || oldest.IsZero() {
		return 0
	}
	return max(0, daysBetween(oldest.Add(t.Policy.Retention), now))
}

// daysBetween returns how many whole days are between two times. A time.Duration ends at 292 years, but a time in a
// table can be any.
func daysBetween(from, to time.Time) int { return int((to.Unix() - from.Unix()) / (24 * 60 * 60)) }

// OldestDeletion is the oldest deletion time that is known: of a sampled table the oldest one of the sample, and there
// may be older ones. It is zero if none is known.
func (t *TableHealth) OldestDeletion() time.Time {
	switch {
	case t.Numbers == nil:
		return time.Time{}
	case t.Numbers.Oldest.IsZero():
		return t.Numbers.OldestSeen
	default:
		return t.Numbers.Oldest
	}
}

// oldestDeletion says how long ago the oldest row was deleted, compared with the retention.
func (t *TableHealth) oldestDeletion(now time.Time) string {
	oldest := t.OldestDeletion()
	switch {
	case oldest.IsZero():
		return ""
	case oldest.After(now):
		return "every deletion time is in the future, the first is " + date(oldest)
	}
	least, known := "", "the oldest deletion is of "
	if t.Numbers.Oldest.IsZero() {
		least, known = "at least ", "the sample has a deletion of "
	}
	switch overdue := t.Overdue(now); {
	case overdue > 0:
		return fmt.Sprintf("overdue by %s%s: %s%s, retention is %s", least, softdelete.Plural(overdue, "day"), known,
			date(oldest), softdelete.Days(t.Policy.Retention))
	case least != "":
		return ""
	case t.everyTimeKnown():
		return fmt.Sprintf("nothing deleted before %s is left", date(oldest))
	default:
		return known + date(oldest)
	}
}

// everyTimeKnown reports whether every deleted row was read, and has a deletion time.
func (t *TableHealth) everyTimeKnown() bool {
	return t.Numbers.Ages != nil && t.Numbers.Ages.Exact() && t.Numbers.Ages.All() == t.Numbers.Deleted
}

// pace says how many of the rows were deleted a day.
func (t *TableHealth) pace() string {
	// A purge removes rows past retention, and the mean of days of which rows are gone would be too low.
	for _, days := range []int{30, 14, 7} {
		if t.Policy.Retention > 0 && t.Policy.Retention < time.Duration(days)*day {
			continue
		}
		if rate := t.rate(days); rate >= 1.5 {
			return fmt.Sprintf("about %s of the rows still here were deleted a day in the last %d days",
				roughly(rate), days)
		}
		return ""
	}
	return ""
}

// rate is how many of the rows that are still here were deleted a day, on the last so many days of UTC up to the
// count. It is 0 if that is not known exactly.
func (t *TableHealth) rate(days int) float64 {
	n := t.Numbers
	if n == nil || n.Ages == nil || !n.Ages.Exact() {
		return 0
	}
	within, future := n.Ages.Within(t.Counted, days), n.Ages.Within(t.Counted, 0)
	if within == nil || future == nil {
		return 0
	}
	return (within.Value - future.Value) / (float64(t.Counted.Sub(softdelete.AgeEdge(t.Counted, days))) / float64(day))
}

// What a forecast needs: a pace that was about the same for a week and for a month, a ratio that already matters, and
// an end within a year.
const (
	steadyPace   = 2
	ratioFrom    = 0.05
	furthestDays = 365
)

// forecast says when the deletion ratio passes the limit of poor at the pace of the last days. It says nothing of a
// table from which a purge may remove rows until then.
func (t *TableHealth) forecast() string {
	n, limit := t.Numbers, t.Limits.DeletionRatio.Poor
	week, month := t.rate(7), t.rate(30)
	if week <= 0 || month <= 0 || max(week, month) > steadyPace*min(week, month) || t.Limits.small(n) ||
		n.Total.Value < t.Limits.RatioMinRows.Poor || n.Ratio.Value < ratioFrom || n.Ratio.Value > limit {
		return ""
	}
	days := (limit*n.Total.Value - n.Deleted.Value) / month
	if days >= furthestDays || t.purgedWithin(days) {
		return ""
	}
	return fmt.Sprintf("at this pace, with no rows added or purged, the ratio passes %s%% in some %s",
		strconv.FormatFloat(math.Round(1000*limit)/10, 'f', -1, 64), someDays(days))
}

// purgedWithin reports whether a purge that keeps to the retention would remove rows within so many days, or may have
// removed some of the last month. No purge is running if rows have been past their retention for a week.
func (t *TableHealth) purgedWithin(days float64) bool {
	if !t.HasAges() {
		return false
	}
	if t.Numbers.Oldest.IsZero() || t.Policy.Retention < 30*day {
		return true
	}
	left := t.Policy.Retention - t.Counted.Sub(t.Numbers.Oldest)
	return left > -7*day && days > float64(left)/float64(day)
}

// date writes a day of UTC.
func date(at time.Time) string { return at.UTC().Format(time.DateOnly) }

// roughly writes a number with two digits that count.
func roughly(n float64) string {
	scale := math.Pow(10, max(0, math.Floor(math.Log10(n))-1))
	return softdelete.Thousands(math.Round(n/scale) * scale)
}

// someDays writes a number of days as precisely as a forecast can be.
func someDays(days float64) string {
	if days >= 20 {
		days = 10 * math.Round(days/10)
	}
	return softdelete.Plural(max(1, int(math.Round(days))), "day")
}
