package inspect

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/go-kit/log"
	"github.com/go-kit/log/level"

	"github.com/softdelete-exporter/softdelete_exporter/config"
	"github.com/softdelete-exporter/softdelete_exporter/discovery"
	"github.com/softdelete-exporter/softdelete_exporter/postgres"
	"github.com/softdelete-exporter/softdelete_exporter/queries"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// pass is one refresh: it makes the next Snapshot out of the previous one, database
// by database.
type pass struct {
	*Inspector
	config *config.Config
	// rules are what discovery goes by.
	rules discovery.Rules
	began time.Time
	// taken is what the next Snapshot's Taken will be; before is the previous one's.
	taken, before time.Time
	// many tells that more than one database may be watched: of this server, or of
	// those that are probed with the same configuration.
	many bool
	// budget is what is left to spend.
	budget budget
	// databases are as the next Snapshot has them so far.
	databases map[string]softdelete.Database
	publish   func(*softdelete.Snapshot)
	// unnamed are the databases that a connection string of ours cannot name.
	unnamed map[string]bool
	// explain is told what was decided on each table; nil while nobody asks.
	explain func(discovery.TableDecision)
}

// open opens a session to a database, of which an empty name is the connection string's own.
func (p *pass) open(ctx context.Context, datname string) (*postgres.Session, error) {
	if p.unnamed[datname] {
		return nil, errUnnamed
	}
	l := p.config.Limits
	return p.Server.Open(ctx, datname, postgres.Limits{LockTimeout: l.LockTimeout.Std(), StatementTimeout: l.StatementTimeout.Std()})
}

// run visits the watched databases, one after another.
func (p *pass) run(ctx context.Context) {
	names, err := p.names(ctx)
	if err != nil {
		p.unreachable(ctx, err)
		return
	}
	visited := map[string]bool{}
	var hung error
	reached := false
	for _, name := range names {
		if hung != nil && p.budget.over() {
			if !reached {
				p.unreachable(ctx, hung)
				return
			}
			visited[name] = true // its turn comes the next time
			continue
		}
		seen, err := p.spareVisit(ctx, name)
		if postgres.IsServerWide(err) || err != nil && name == "" {
			// No other database of this server can be reached either, or there is none.
			p.unreachable(ctx, err)
			return
		}
		if errors.Is(err, context.DeadlineExceeded) {
			hung = err
		}
		reached = reached || err == nil
		visited[seen] = true
	}
	for name := range p.databases {
		if !visited[name] {
			delete(p.databases, name)
			p.Costs.Forget(name)
		}
	}
	p.offer()
}

// names are the databases to visit, the one whose tables wait longest first, and behind
// them those that did not let us in: they may take all the time there is. An empty name
// is the connection string's own.
func (p *pass) names(ctx context.Context) ([]string, error) {
	names := p.config.Databases.Names
	switch {
	case p.config.Databases.All:
		s, err := p.open(ctx, "")
		if err != nil {
			return nil, err
		}
		defer s.Close()
		rows, err := postgres.Query[struct{ Name string }](ctx, s, queries.Databases())
		if err != nil {
			return nil, err
		}
		names = nil
		for _, r := range rows {
			names = append(names, r.Name)
			if _, found := s.Illegible(r.Name); found {
				p.unnamed[r.Name] = true
			}
		}
	case len(names) == 0:
		return []string{""}, nil
	}
	p.many = p.many || len(names) > 1
	oldest, shut := map[string]time.Time{}, map[string]int{}
	for _, name := range names {
		if d, known := p.databases[name]; known {
			oldest[name] = d.OldestTurn(p.began)
			if d.Problem != nil {
				shut[name] = 1
			}
		}
	}
	return slices.SortedFunc(slices.Values(names), func(a, b string) int {
		return cmp.Or(shut[a]-shut[b], oldest[a].Compare(oldest[b]), cmp.Compare(a, b))
	}), nil
}

// visit brings one database up to date and returns its name as the server knows it.
// Its error is one of connecting.
func (p *pass) visit(ctx context.Context, name string) (string, error) {
	s, err := p.open(ctx, name)
	if err == nil {
		name = s.Database
		v := &visit{pass: p, Session: s}
		defer func() { v.Close() }() // of the connection that it has by then
		p.taken = p.began
		err = v.run(ctx)
	}
	switch {
	case errors.Is(err, errUnnamed):
		p.lost(ctx, name, err)
		return name, nil
	case err == nil || postgres.IsServerWide(err):
	case postgres.Code(err) == postgres.UndefinedDatabase && p.config.Databases.All:
		return "", nil // dropped since we listed it
	case name != "":
		p.lost(ctx, name, err)
	}
	return name, err
}

// lost notes that a database could not be reached; what was known of it stays.
func (p *pass) lost(ctx context.Context, name string, err error) {
	p.warn(ctx, "cannot look into the database", name, err)
	p.left(name, softdelete.Checks{}, err)
}

// left notes that the tables of a database had no turn, and why, so that none of them
// waits for one: what cannot be looked at grows stale.
func (p *pass) left(name string, checks softdelete.Checks, err error) {
	d := p.databases[name]
	why := unsupported(postgres.Problem(err), err)
	d.Name, d.Checks, d.Problem = name, checks, &why
	d.Tables = slices.Clone(d.Tables)
	for i := range d.Tables {
		t := &d.Tables[i]
		t.Waiting = false
		t.Integrity = slices.Clone(t.Integrity)
		for j := range t.Integrity {
			t.Integrity[j].Waiting = false
		}
	}
	p.databases[name] = d
}

// warn says in the log what failed in a database, and what to do if that is known.
func (p *pass) warn(ctx context.Context, msg, datname string, err error) {
	fields := []any{"msg", msg, "datname", datname, "err", softdelete.Legible(err.Error())}
	if remedy := postgres.Remedy(err); remedy != "" {
		fields = append(fields, "remedy", remedy)
	}
	level.Warn(p.log(ctx)).Log(fields...)
}

// unreachable notes that the server could not be reached, unless it was we who
// stopped. The pass does not count as one that could connect, even if it was under
// way already: so the next one is due once the server is back.
func (p *pass) unreachable(ctx context.Context, err error) {
	if ctx.Err() != nil {
		return
	}
	p.taken = p.before
	for name := range p.databases {
		p.lost(ctx, name, err)
	}
	p.offer()
}

// log is where troubles are told: nowhere once the context has ended, which makes them.
func (p *pass) log(ctx context.Context) log.Logger {
	if ctx.Err() != nil {
		return log.NewNopLogger()
	}
	return p.Logger
}

// offer publishes what is known by now.
func (p *pass) offer() {
	next := &softdelete.Snapshot{Taken: p.taken}
	for _, name := range slices.Sorted(maps.Keys(p.databases)) {
		next.Databases = append(next.Databases, p.databases[name])
	}
	p.publish(next)
}
