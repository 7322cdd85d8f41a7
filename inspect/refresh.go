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

// refresh is one refresh: it makes the next Snapshot from the previous one, database by database.
type refresh struct {
	*Inspector
	config *config.Config
	// rules are the rules for discovery.
	rules discovery.Rules
	began time.Time
	// taken is the next Snapshot's Taken; previousTaken is the previous one's.
	taken, previousTaken time.Time
	// many is true if more than one database may be watched: on this server, or on servers that are probed with the
	// same configuration.
	many bool
	// budget is what is left to spend.
	budget budget
	// databases are the databases of the next Snapshot so far.
	databases map[string]softdelete.Database
	publish   func(*softdelete.Snapshot)
	// edges are the edges of the age classes that were needed so far.
	edges map[agesOf][]time.Time
	// activity changes, for each database, whenever something is written there; empty if that is not known. It was read
	// before any of them is visited. Reloads is the number of configurations so far.
	activity map[string]string
	reloads  int
	// unnamed are the databases whose name no connection string can contain.
	unnamed map[string]bool
	// onDecision gets the decision on each table; nil if nobody needs it.
	onDecision func(discovery.TableDecision)
}

// open opens a session to a database; an empty name means the one in the connection string.
func (r *refresh) open(ctx context.Context, datname string) (*postgres.Session, error) {
	return r.openAsking(ctx, datname, nil)
}

// openAsking also asks ahead what is asked of the database in each refresh.
func (r *refresh) openAsking(ctx context.Context, datname string,
	repeated func(datname string) []string) (*postgres.Session, error) {
	if r.unnamed[datname] {
		return nil, errUnnamed
	}
	l := r.config.Limits
	return r.Server.Open(ctx, datname, postgres.Limits{LockTimeout: l.LockTimeout.Std(),
		StatementTimeout: l.StatementTimeout.Std()}, repeated)
}

// repeated returns what the last refresh asked of a database, and will probably be asked again.
func (r *refresh) repeated(datname string) []string {
	if d, known := r.databases[datname]; known && d.Problem == nil && len(d.Repeated) > 0 {
		return d.Repeated
	}
	return []string{r.columnsQuestion(datname)}
}

// run refreshes the watched databases, one after another.
func (r *refresh) run(ctx context.Context) {
	names, err := r.databaseNames(ctx)
	if err != nil {
		r.serverUnreachable(ctx, err)
		return
	}
	refreshed := map[string]bool{}
	var hung error
	reached := false
	for _, name := range names {
		if r.idle(name) {
			r.confirm(name)
			refreshed[name], reached = true, true
			continue
		}
		if hung != nil && r.budget.over() {
			if !reached {
				r.serverUnreachable(ctx, hung)
				return
			}
			refreshed[name] = true // it gets its turn next time
			continue
		}
		seen, err := r.catchDatabase(ctx, name)
		if postgres.IsServerWide(err) || err != nil && name == "" {
			// No other database of this server can be reached either, or there is none.
			r.serverUnreachable(ctx, err)
			return
		}
		if errors.Is(err, context.DeadlineExceeded) {
			hung = err
		}
		reached = reached || err == nil
		refreshed[seen] = true
	}
	for name := range r.databases {
		if !refreshed[name] {
			delete(r.databases, name)
			r.Costs.Forget(name)
		}
	}
	r.publishSnapshot()
}

// databaseNames returns the databases to refresh. The one whose tables have waited longest comes first. Databases
// that refused the connection come last, because they may take all the time. An empty name means the database in the
// connection string.
func (p *refresh) databaseNames(ctx context.Context) ([]string, error) {
	names := p.config.Databases.Names
	switch {
	case p.config.Databases.All:
		s, err := p.open(ctx, "")
		if err != nil {
			return nil, err
		}
		defer s.Close()
		rows, err := postgres.Query[struct {
			Name     string
			Activity *string
		}](ctx, s, queries.Databases())
		if err != nil {
			return nil, err
		}
		names = nil
		for _, r := range rows {
			names = append(names, r.Name)
			if r.Activity != nil {
				p.activity[r.Name] = *r.Activity
			}
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

// refreshDatabase refreshes one database and returns its name on the server. It returns only errors of connecting.
func (r *refresh) refreshDatabase(ctx context.Context, name string) (string, error) {
	s, err := r.openAsking(ctx, name, r.repeated)
	if err == nil {
		name = s.Database
		d := &databaseRefresh{refresh: r, session: s}
		defer func() { d.session.Close() }() // the current connection, which may have been reopened
		r.taken = r.began
		err = d.run(ctx)
		if read, known := r.databases[name]; known && err == nil {
			read.Visit = r.visit(name)
			r.databases[name] = read
		}
	}
	switch {
	case errors.Is(err, errUnnamed):
		r.markUnreachable(ctx, name, err)
		return name, nil
	case err == nil || postgres.IsServerWide(err):
	case postgres.Code(err) == postgres.UndefinedDatabase && r.config.Databases.All:
		return "", nil // dropped since it was listed
	case name != "":
		r.markUnreachable(ctx, name, err)
	}
	return name, err
}

// markUnreachable records that a database could not be reached; its last results stay.
func (r *refresh) markUnreachable(ctx context.Context, name string, err error) {
	r.warn(ctx, "cannot read the database", name, err)
	r.markSkipped(name, softdelete.Checks{}, err)
}

// markSkipped records that the tables of a database were skipped, and why. None of them is then waiting for its turn,
// so numbers that cannot be confirmed expire.
func (r *refresh) markSkipped(name string, checks softdelete.Checks, err error) {
	d := r.databases[name]
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
	r.databases[name] = d
}

// warn logs what failed in a database, and the remedy if there is one.
func (r *refresh) warn(ctx context.Context, msg, datname string, err error) {
	fields := []any{"msg", msg, "datname", datname, "err", softdelete.Legible(err.Error())}
	if remedy := postgres.Remedy(err); remedy != "" {
		fields = append(fields, "remedy", remedy)
	}
	level.Warn(r.log(ctx)).Log(fields...)
}

// serverUnreachable records that the server could not be reached, unless the exporter itself is ending. The refresh
// then does not count as one that could connect, even if it had begun, so that the next one is due when the server is
// back.
func (r *refresh) serverUnreachable(ctx context.Context, err error) {
	if ctx.Err() != nil {
		return
	}
	r.taken = r.previousTaken
	for name := range r.databases {
		r.markUnreachable(ctx, name, err)
	}
	r.publishSnapshot()
}

// log returns the logger; after the context has ended it discards everything, because the end itself causes errors.
func (r *refresh) log(ctx context.Context) log.Logger {
	if ctx.Err() != nil {
		return log.NewNopLogger()
	}
	return r.Logger
}

// publishSnapshot publishes what is known so far.
func (r *refresh) publishSnapshot() {
	next := &softdelete.Snapshot{Taken: r.taken}
	for _, name := range slices.Sorted(maps.Keys(r.databases)) {
		next.Databases = append(next.Databases, r.databases[name])
	}
	r.publish(next)
}
