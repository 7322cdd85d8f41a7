// Package assess judges a Snapshot: it gives verdicts by the health limits, alerts, and recommendations. It
// does no I/O, and uses the same limits and rules as the mixin.
package assess

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/softdelete-exporter/softdelete_exporter/indexes"
	"github.com/softdelete-exporter/softdelete_exporter/rescue"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// Assessment is what a Snapshot and the last pings mean. Its verdicts are the same as those of the mixin's
// recording rules, from the same limits.
type Assessment struct {
	// Now is when the assessment was made.
	Now time.Time
	// Taken is when the last refresh that could connect began; zero if none could connect.
	Taken time.Time
	// Health is the worst of the databases and the connection, and unknown or worse if nothing is watched.
	// Healthy is true if the server answers and nothing is poor or unknown.
	Health     softdelete.Health
	Healthy    bool
	Connection Connection
	Databases  []DatabaseHealth
	// Services are sorted by name. A table without a service counts only for its database.
	Services []ServiceHealth
	// Tables are sorted, worst first.
	Tables          []TableHealth
	Alerts          []Alert
	Recommendations []Recommendation
	// Faults are panics, for the log; the affected tables have a problem.
	Faults []error
}

// Connection says how the server answers.
type Connection struct {
	Status ConnectionStatus
	Health softdelete.Health
	// Ping is the last ping; Pings are all known pings, oldest first.
	Ping  softdelete.Ping
	Pings []softdelete.Ping
}

// Failure returns a sentence about why the server does not answer.
func (c Connection) Failure() string {
	return "Cannot connect: " + strings.TrimSuffix(c.Ping.Err, ".") + "."
}

// Server says which server it is, as far as the pings know; nil if none of them does.
func (c Connection) Server() *softdelete.Server {
	for _, p := range slices.Backward(c.Pings) {
		if p.Server != nil {
			return p.Server
		}
	}
	return nil
}

// ConnectionStatus says how the server answers.
type ConnectionStatus string

// The states of a connection.
const (
	Healthy   ConnectionStatus = "healthy"
	Slow      ConnectionStatus = "slow"
	Unhealthy ConnectionStatus = "unhealthy" // no answer
)

// DatabaseHealth is the health of one database, the worst of its tables. It is unknown or worse if the tables
// could not be discovered, and says nothing if no table is watched.
type DatabaseHealth struct {
	*softdelete.Database
	Health softdelete.Health
}

// Judged reports whether the database has a verdict. It has none if there is nothing to judge.
func (d DatabaseHealth) Judged() bool { return d.Watched() || d.Health != softdelete.Good }

// NothingWatched reports whether the databases were read and none of their tables is watched.
func (a *Assessment) NothingWatched() bool {
	for _, d := range a.Databases {
		if !d.Checks.Connect || !d.Checks.Discovery || d.Watched() {
			return false
		}
	}
	return !a.Taken.IsZero()
}

// ServiceHealth is the health of the tables that one service owns.
type ServiceHealth struct {
	Name   string
	Health softdelete.Health
	// Tables counts the tables by verdict.
	Tables map[softdelete.Health]int
}

// TableHealth is one table and its verdict: the worst of its rows and its indexes.
type TableHealth struct {
	Database string
	*softdelete.Table
	Verdict Verdict
	// Rows and Indexes are the separate verdicts on each.
	Rows, Indexes Verdict
	Limits        Limits
	Findings      []indexes.Finding
	IndexNeeds    []indexes.Need
}

// Reasons returns the reasons of the verdict in one text, with the number of rows if there are few.
func (t *TableHealth) Reasons() string {
	text := strings.Join(t.Verdict.Reasons, ", ")
	if t.CleanupRecommended() && t.Verdict.Health == t.Rows.Health && t.Limits.small(t.Numbers) {
		text += " (" + softdelete.Plural(int(t.Numbers.Total.Value), "row") + ")"
	}
	return text
}

// CleanupRecommended reports whether the table has too many deleted rows.
func (t *TableHealth) CleanupRecommended() bool {
	return t.Rows.Health == softdelete.Fair || t.Rows.Health == softdelete.Poor
}

// Judge returns how well a server answered.
func (t Thresholds) Judge(p softdelete.Ping) (ConnectionStatus, softdelete.Health) {
	switch {
	case !p.Up:
		return Unhealthy, softdelete.Poor
	case p.Milliseconds() > t.ResponseMS.Slow:
		return Slow, softdelete.Fair
	default:
		return Healthy, softdelete.Good
	}
}

// Assess judges what is known at a moment. The pings are sorted, oldest first.
func Assess(pings []softdelete.Ping, s *softdelete.Snapshot, t Thresholds, c AlertConditions,
	now time.Time) *Assessment {
	return assess(pings, s, t, c, now, func(t *softdelete.Table) ([]indexes.Finding, []indexes.Need) {
		return indexes.Findings(t), indexes.Needs(t)
	})
}

// assess is Assess with a given function that checks a table's indexes. If it panics, it judges each table
// separately to find those that cause the panic; only these get a problem.
func assess(pings []softdelete.Ping, s *softdelete.Snapshot, t Thresholds, c AlertConditions, now time.Time,
	look func(*softdelete.Table) ([]indexes.Finding, []indexes.Need)) *Assessment {
	try := func(s *softdelete.Snapshot) (a *Assessment, err error) {
		err = rescue.Catch(func() error {
			a = judge(pings, s, t, c, now, look)
			return nil
		})
		return a, err
	}
	a, err := try(s)
	if err == nil {
		return a
	}
	rest := &softdelete.Snapshot{Taken: s.Taken, Databases: slices.Clone(s.Databases)}
	for i := range rest.Databases {
		d := &rest.Databases[i]
		d.Tables = slices.Clone(d.Tables)
		for j := range d.Tables {
			alone := *d
			alone.Tables = d.Tables[j : j+1]
			if _, err := try(&softdelete.Snapshot{Taken: s.Taken, Databases: []softdelete.Database{alone}}); err != nil {
				d.Tables[j] = d.Tables[j].Bare(softdelete.Problem{Reason: softdelete.OtherError, Message: err.Error()})
			}
		}
	}
	a = judge(pings, rest, t, c, now, look) // a panic here is not caused by a table
	a.Faults = []error{err}
	return a
}

// judge makes an assessment.
func judge(pings []softdelete.Ping, s *softdelete.Snapshot, t Thresholds, c AlertConditions, now time.Time,
	look func(*softdelete.Table) ([]indexes.Finding, []indexes.Need)) *Assessment {
	a := &Assessment{Now: now, Taken: s.Taken,
		Connection: Connection{Pings: pings, Ping: softdelete.Ping{Err: "not asked yet"}}}
	if len(pings) > 0 {
		a.Connection.Ping = pings[len(pings)-1]
	}
	a.Connection.Status, a.Connection.Health = t.Judge(a.Connection.Ping)
	a.Health = a.Connection.Health
	a.Alerts = a.Connection.alerts()

	services := map[string]*ServiceHealth{}
	for i := range s.Databases {
		d := DatabaseHealth{Database: &s.Databases[i]}
		if !d.Checks.Connect || !d.Checks.Discovery {
			d.Health = softdelete.Unknown
		}
		for j := range d.Tables {
			table := TableHealth{Database: d.Name, Table: &d.Tables[j]}
			table.Findings, table.IndexNeeds = look(table.Table)
			table.judge(t)
			a.Tables = append(a.Tables, table)
			d.Health = max(d.Health, table.Verdict.Health)
			if name := table.Policy.Service; name != "" {
				if services[name] == nil {
					services[name] = &ServiceHealth{Name: name, Tables: map[softdelete.Health]int{}}
				}
				services[name].Health = max(services[name].Health, table.Verdict.Health)
				services[name].Tables[table.Verdict.Health]++
			}
		}
		a.Databases = append(a.Databases, d)
		a.Health = max(a.Health, d.Health)
	}
	for _, name := range slices.Sorted(maps.Keys(services)) {
		a.Services = append(a.Services, *services[name])
	}
	slices.SortStableFunc(a.Tables, worse)
	for i := range a.Tables {
		a.Alerts = append(a.Alerts, c.alerts(&a.Tables[i], a.Tables[i].Limits)...)
	}
	if a.NothingWatched() {
		a.Health = max(a.Health, softdelete.Unknown)
	}
	a.Healthy = a.Connection.Ping.Up && a.Health < softdelete.Unknown
	a.recommend()
	return a
}

// judge sets the verdicts of the table.
func (t *TableHealth) judge(all Thresholds) {
	t.Limits = all.For(t.Database, t.Schema, t.Name)
	t.Rows, t.Indexes = t.Limits.rows(t.Table), indexVerdict(t.Findings, t.IndexNeeds)
	t.Verdict = t.Rows.worse(t.Indexes)
}

// worse orders tables, worst first: by verdict, by the worst verdict that the margin allows, and by the number
// of deleted rows.
func worse(a, b TableHealth) int {
	deleted := func(t TableHealth) float64 {
		if t.Numbers == nil {
			return 0
		}
		return t.Numbers.Deleted.Value
	}
	return cmp.Or(
		cmp.Compare(b.Verdict.Health, a.Verdict.Health),
		cmp.Compare(b.Verdict.AtWorst, a.Verdict.AtWorst),
		cmp.Compare(deleted(b), deleted(a)),
		cmp.Compare(a.Database, b.Database),
		a.Compare(b.Table),
	)
}

// Count counts the tables by verdict.
func (a *Assessment) Count() map[softdelete.Health]int {
	counts := map[softdelete.Health]int{}
	for i := range a.Tables {
		counts[a.Tables[i].Verdict.Health]++
	}
	return counts
}
