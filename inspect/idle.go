package inspect

import (
	"slices"
	"time"
	"weak"

	"github.com/softdelete-exporter/softdelete_exporter/config"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// reloads counts how often the configuration changed between refreshes.
type reloads struct {
	last  weak.Pointer[config.Config]
	times int
}

// note notes the configuration of a refresh.
func (r *reloads) note(c *config.Config) int {
	if now := weak.Make(c); r.last != now {
		r.last = now
		r.times++
	}
	return r.times
}

// visit says under which circumstances a database is visited now; nil if it cannot be known whether they are the same
// at the next refresh.
func (r *refresh) visit(datname string) *softdelete.Visit {
	activity := r.activity[datname]
	if activity == "" {
		return nil
	}
	return &softdelete.Visit{At: r.began, Activity: activity, Reloads: r.reloads}
}

// idle reports whether nothing in a database can have changed since it was last visited, so that it need not be
// visited: nothing was written, and nothing is due by time. Counters arrive late, so after recount_after they are not
// trusted.
func (r *refresh) idle(datname string) bool {
	d, now := r.databases[datname], r.visit(datname)
	all := softdelete.Checks{Connect: true, Discovery: true, Counting: true, Indexes: true}
	return now != nil && d.Visit != nil && now.Activity == d.Visit.Activity && now.Reloads == d.Visit.Reloads &&
		r.began.Sub(d.Visit.At) < r.config.Counting.RecountAfter.Std() && d.Problem == nil && d.Checks == all &&
		!slices.ContainsFunc(d.Tables, r.due)
}

// due reports whether a table needs a visit although nothing was written.
func (r *refresh) due(t softdelete.Table) bool {
	return t.Numbers == nil || t.Problem != nil || t.Waiting || t.Kept().Fingerprint == "" || t.Policy.Integrity ||
		r.began.Sub(t.Counted) >= r.config.Counting.RecountAfter.Std() || aged(&t, r.began) ||
		purgingDue(&t, r.began)
}

// revisit makes sure that a database is visited by the next refresh, because something could not be read.
func (r *refresh) revisit(datname string) { delete(r.activity, datname) }

// confirm records that a database has not changed.
func (r *refresh) confirm(datname string) {
	r.taken = r.began
	d := r.databases[datname]
	d.Tables = slices.Clone(d.Tables)
	for i := range d.Tables {
		d.Tables[i].Confirm(time.Now())
	}
	r.databases[datname] = d
}
