// Package assess judges a Snapshot for those who answer for the server: verdicts by the
// health limits, alerts, and recommendations what to do. It does no I/O, and knows the
// same limits and rules as the mixin.
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

// Assessment is what a Snapshot and the last pings mean for those who answer for the
// server: the same verdicts as the mixin's recording rules, from the same limits.
type Assessment struct {
	// Now is when it was made.
	Now time.Time
	// Taken is when the last refresh that could connect began; zero if none could.
	Taken time.Time
	// Health is the worst of the databases and the connection. Healthy tells that the
	// server answers and nothing is poor or unknown.
	Health     softdelete.Health
	Healthy    bool
	Connection Connection
	Databases  []DatabaseHealth
	// Services are in the order of their names. A table of no service counts for its
	// database alone.
	Services []ServiceHealth
	// Tables are the worst first.
	Tables          []TableHealth
	Alerts          []Alert
	Recommendations []Recommendation
	// Faults are panics, for the log; the tables that they cost have a problem.
	Faults []error
}

// Connection is how the server answers.
type Connection struct {
	Status ConnectionStatus
	Health softdelete.Health
	// Ping is the last one, Pings are all that are known, the oldest first.
	Ping  softdelete.Ping
	Pings []softdelete.Ping
}

// Failure says in a sentence why there is no answer.
func (c Connection) Failure() string {
	return "Cannot connect: " + strings.TrimSuffix(c.Ping.Err, ".") + "."
}

// ConnectionStatus is how the server answers, in the words of the reference.
type ConnectionStatus string

// The states of a connection.
const (
	Healthy   ConnectionStatus = "healthy"
	Slow      ConnectionStatus = "slow"
	Unhealthy ConnectionStatus = "unhealthy" // no answer
)

// DatabaseHealth is the health of one database, the worst of its tables. It is
// unknown at best while we could not look for them.
type DatabaseHealth struct {
	*softdelete.Database
	Health softdelete.Health
}

// ServiceHealth is the health of those tables that one service answers for.
type ServiceHealth struct {
	Name   string
	Health softdelete.Health
	// Tables counts them by their verdicts.
	Tables map[softdelete.Health]int
}

// TableHealth is one table and how it is: the worst of its rows and its indexes.
type TableHealth struct {
	Database string
	*softdelete.Table
	Verdict Verdict
	// Rows and Indexes are the verdicts on each.
	Rows, Indexes Verdict
	Limits        Limits
	Findings      []indexes.Finding
	IndexNeeds    []indexes.Need
}

// CleanupRecommended tells that there are more deleted rows than is good.
func (t *TableHealth) CleanupRecommended() bool {
	return t.Rows.Health == softdelete.Fair || t.Rows.Health == softdelete.Poor
}

// Judge tells how well a server answered.
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

// Assess judges what is known at a moment. The pings are the oldest first.
func Assess(pings []softdelete.Ping, s *softdelete.Snapshot, t Thresholds, c AlertConditions,
	now time.Time) *Assessment {
	return assess(pings, s, t, c, now, func(t *softdelete.Table) ([]indexes.Finding, []indexes.Need) {
		return indexes.Findings(t), indexes.Needs(t)
	})
}

// assess is Assess with a given way to find what is to be said of a table's indexes. A
// panic costs the tables that make it, which are found by judging each by itself.
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
	a = judge(pings, rest, t, c, now, look) // what panics still is no table
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
	a.Healthy = a.Connection.Ping.Up && a.Health < softdelete.Unknown
	a.recommend()
	return a
}

// judge finds how the table is.
func (t *TableHealth) judge(all Thresholds) {
	t.Limits = all.For(t.Database, t.Schema, t.Name)
	t.Rows, t.Indexes = t.Limits.rows(t.Table), indexVerdict(t.Findings, t.IndexNeeds)
	t.Verdict = t.Rows.worse(t.Indexes)
}

// worse orders tables by trouble: the verdict, how bad it may be in truth, and how
// many deleted rows there are.
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

// Count counts the tables by their verdicts.
func (a *Assessment) Count() map[softdelete.Health]int {
	counts := map[softdelete.Health]int{}
	for i := range a.Tables {
		counts[a.Tables[i].Verdict.Health]++
	}
	return counts
}
