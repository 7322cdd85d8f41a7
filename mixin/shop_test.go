//go:build e2e

package mixin

import (
	"math"
	"math/rand/v2"
	"slices"
)

// clock is the time since the month began, in minutes. It began on a Monday at midnight.
type clock int

func at(days, hours int) clock   { return clock(days*day + hours*hour) }
func (t clock) seconds() float64 { return 60 * float64(t) }

// restarts are the times at which the exporter's pod is replaced. That takes three minutes; then the new pod counts
// for five more.
var restarts = []clock{at(3, 10), at(11, 15), at(17, 9), at(24, 16)}

// pod returns the number of the pod that runs, and whether it is starting or still counting.
func (t clock) pod() (number int, starting, counting bool) {
	for _, r := range restarts {
		if t >= r {
			number++
			starting, counting = t < r+3, t < r+8
		}
	}
	return number, starting, counting
}

// facts are the exporter's values of a table, by metric without the prefix softdelete_.
type facts map[string]float64

// absent stands in for a missing sample.
var absent = math.NaN()

// table is a table of the shop. Its facts are called in the order of time.
type table struct {
	name  string
	facts func(clock) facts
}

// counted returns the facts of an exactly counted table.
func counted(active, deleted float64) facts {
	return facts{
		"active_rows": active, "deleted_rows": deleted, "total_rows": active + deleted,
		"deletion_ratio": deleted / (active + deleted), "deletion_ratio_margin": 0,
	}
}

// purged adds the facts about ages of a table in which perDay rows are deleted a day, evenly, and kept for keep days,
// and whose last purge was at last.
func (f facts) purged(t, last clock, perDay, keep float64) facts {
	f["retention_seconds"] = keep * 86400
	f["oldest_deleted_timestamp_seconds"] = last.seconds() - keep*86400
	f["old_deleted_rows"] = perDay * float64(t-last) / day
	f["old_deleted_rows_margin"] = 0
	return f
}

// every returns the last time of a job that runs on these weekdays at an hour.
func every(t clock, hours int, weekdays ...int) clock {
	for d := int(t) / day; ; d-- {
		last := at(d, hours)
		if last <= t && slices.Contains(weekdays, ((d%7)+7)%7) {
			return last
		}
	}
}

var (
	daily    = []int{0, 1, 2, 3, 4, 5, 6}
	workdays = []int{0, 1, 2, 3, 4}
)

const (
	saturday = 5
	sunday   = 6
)

// The times at which something goes wrong.
var (
	lock      = [2]clock{at(8, 11), at(8, 11) + 20}   // a migration
	longLock  = [2]clock{at(22, 11), at(22, 12) + 10} // another one, blocked by a forgotten session
	imported  = at(9, 11)
	accident  = [2]clock{at(18, 14), at(18, 16)}
	restored  = at(25, 12)
	broken    = at(26, 1)
	failover  = [2]clock{at(14, 10), at(14, 10) + 1}
	outage    = [2]clock{at(21, 3), at(21, 3) + 12}
	flaky     = [2]clock{at(12, 13), at(12, 16)}
	saturated = [2]clock{at(6, 20), at(6, 21)}
)

func within(t clock, span [2]clock) bool { return t >= span[0] && t < span[1] }

// shop returns the tables of the database.
func shop(random *rand.Rand) []table {
	noise := func(of float64) float64 { return of * (2*random.Float64() - 1) }
	return []table{{
		// Purged every night, until the job disappears and nobody notices. An accident is undone; later a backup that is
		// ten days old is restored.
		"orders", func(t clock) facts {
			last := every(t, 2, daily...)
			switch {
			case t >= restored && last < restored:
				last = at(15, 2)
			case t >= broken:
				last = at(26, 2) - day
				if restored > last {
					last = at(26, 2)
				}
				last = min(last, every(t, 2, daily...))
			}
			gone := 0.0
			if within(t, accident) {
				gone = 25000
			}
			f := counted(400000-gone, 90*3000+gone).purged(t, last, 3000, 90)
			f["recently_deleted_rows"] = 125
			if within(t, [2]clock{accident[0], accident[0] + hour}) {
				f["recently_deleted_rows"] += gone
			}
			if within(t, lock) || within(t, longLock) {
				f["problem locked"] = 1
			}
			return f
		},
	}, {
		"events", func(t clock) facts { // purged on Sundays
			f := counted(9e6, 1e6).purged(t, every(t, 4, sunday), 20000, 30)
			f["recently_deleted_rows"] = 800
			return f
		},
	}, {
		"ledger", func(t clock) facts { return counted(3e6, 2e5).purged(t, 2*hour, 500, 365) }, // on the first
	}, {
		// Too large for an exact age of its oldest row; purged on workdays.
		"sessions", func(t clock) facts {
			f := counted(45e6, 5e6)
			f["deletion_ratio"], f["deletion_ratio_margin"] = 0.1+noise(0.004), 0.01
			f["old_deleted_rows"] = 4000*float64(t-every(t, 2, workdays...))/day + noise(200)
			f["old_deleted_rows_margin"] = 600 + noise(300)
			f["retention_seconds"] = 30 * 86400
			return f
		},
	}, {
		// Every night, a job deletes the abandoned ones.
		"carts", func(t clock) facts {
			since := t - every(t, 3, daily...)
			f := counted(2e6+60000*float64(since)/day, 4e5).purged(t, every(t, 2, daily...), 60000, 7)
			f["recently_deleted_rows"] = 0
			if since < hour {
				f["recently_deleted_rows"] = 60000
			}
			return f
		},
	}, {
		// A job deletes on Saturdays.
		"newsletters", func(t clock) facts {
			since := t - every(t, 10, saturday)
			f := counted(5e5+30000*float64(since)/(7*day), 9e4).purged(t, every(t, 4, sunday), 4000, 20)
			f["recently_deleted_rows"] = 0
			if since < hour {
				f["recently_deleted_rows"] = 30000
			}
			return f
		},
	}, {
		// An import adds deleted rows that are a year old.
		"products", func(t clock) facts {
			f := counted(3e5, 2e4).purged(t, every(t, 2, daily...), 50, 90)
			if t >= imported {
				f = counted(5e5, 5e4).purged(t, every(t, 2, daily...), 50, 90)
				if every(t, 2, daily...) < imported {
					f["oldest_deleted_timestamp_seconds"] = -365 * 86400
					f["old_deleted_rows"] = 30000
				}
			}
			f["recently_deleted_rows"] = 2
			return f
		},
	}, {
		// Sampled; the ratio moves around one half for the whole month.
		"messages", func(t clock) facts {
			ratio := 0.51 + 0.035*math.Sin(2*math.Pi*float64(t)/(2.3*day)) + noise(0.004)
			f := counted(2e7*(1-ratio), 2e7*ratio)
			f["deletion_ratio_margin"] = 0.012 + noise(0.006)
			return f
		},
	}, {
		"settings", func(clock) facts { // small, and never purged
			f := counted(100, 250)
			f["recently_deleted_rows"] = 0
			return f
		},
	}}
}
