package inspect

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/softdelete-exporter/softdelete_exporter/config"
	"github.com/softdelete-exporter/softdelete_exporter/discovery"
	"github.com/softdelete-exporter/softdelete_exporter/postgres"
	"github.com/softdelete-exporter/softdelete_exporter/queries"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// ConfigError is an error in the configuration that shows only in the database.
type ConfigError struct{ error }

// Unwrap returns the error itself.
func (e *ConfigError) Unwrap() error { return e.error }

// surveyedDatabase is one database with its watched tables.
type surveyedDatabase struct {
	postgres.ServerInfo
	tables  []table
	skipped int
	// keys are the foreign keys of the tables with integrity checks; checks are the checks that can be made, or that
	// only lack a grant.
	keys   []foreignKey
	checks []*check
	// names are the names of all its tables.
	names []config.TableName
	// unseen are, by table, the configured values that no row has.
	unseen map[uint32][]string
	// decisions are the decisions on all tables with candidates.
	decisions []discovery.TableDecision
}

// survey discovers the tables of every watched database. If looks is true, it also looks for the configured values, and
// counts the tables of which it is not certain whether a flag or a time decides; it counts no other table. Its error is
// about the databases that are missing in the result.
func (i *Inspector) survey(ctx context.Context, looks bool) ([]surveyedDatabase, error) {
	r := i.newRefresh(&softdelete.Snapshot{}, nil)
	names, err := r.databaseNames(ctx)
	if err != nil {
		return nil, err
	}
	var all []surveyedDatabase
	var failed []error
	for _, name := range names {
		found, err := r.surveyOne(ctx, name, looks)
		if err != nil {
			failed = append(failed, err)
			continue
		}
		all = append(all, found)
	}
	return all, errors.Join(failed...)
}

func (r *refresh) surveyOne(ctx context.Context, name string, looks bool) (surveyedDatabase, error) {
	s, err := r.open(ctx, name)
	if err != nil {
		return surveyedDatabase{}, err
	}
	defer s.Close()
	var decisions []discovery.TableDecision
	r.onDecision = func(j discovery.TableDecision) { decisions = append(decisions, j) }
	relations, skipped, err := r.discover(ctx, s)
	if err != nil {
		return surveyedDatabase{}, err
	}
	keys, checks, err := r.findChecks(ctx, s, relations)
	if err != nil {
		return surveyedDatabase{}, err
	}
	rows, err := postgres.Query[struct{ Schema, Name string }](ctx, s, queries.Tables())
	if err != nil {
		return surveyedDatabase{}, fmt.Errorf("reading the names of tables: %w", err)
	}
	names := make([]config.TableName, len(rows))
	for i, row := range rows {
		names[i] = config.TableName{Database: s.Database, Schema: row.Schema, Table: row.Name}
	}
	d := surveyedDatabase{ServerInfo: s.ServerInfo, tables: relations, skipped: skipped, keys: keys, checks: checks,
		names: names, decisions: decisions}
	if looks {
		d.unseen = r.unseen(ctx, s, relations)
		r.findDisputes(ctx, s, relations)
	}
	return d, nil
}

// unseen returns, by table, the configured values that no row has. It reads only tables that would be counted
// exactly. It ignores errors, because counting reports them.
func (r *refresh) unseen(ctx context.Context, s *postgres.Session, relations []table) map[uint32][]string {
	found := map[uint32][]string{}
	for i := range relations {
		t := &relations[i]
		lists := func(m softdelete.Marker) bool { return m.Given && len(m.Live)+len(m.Deleted) > 0 }
		if t.catalogProblem != nil || !slices.ContainsFunc(t.Markers, lists) || s.Broken() {
			continue
		}
		c := (&databaseRefresh{refresh: r, session: s}).newCount(t)
		if c.countExactly(ctx) == nil && len(c.sampled) == 0 && c.sum.Total > 0 {
			found[t.OID] = c.unseen()
		}
	}
	return found
}

// Check compares the configured tables with the database. It returns a *ConfigError that lists every missing table
// and column, or another error if a database could not be read.
func (i *Inspector) Check(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, i.Config().Ping.Timeout.Std()+time.Second)
	defer cancel()
	return i.faults(i.survey(ctx, false))
}

// faults returns the errors in the configuration that a survey shows, and the survey's own error.
func (i *Inspector) faults(databases []surveyedDatabase, unasked error) error {
	var faults []error
	for _, d := range databases {
		for _, r := range d.tables {
			if r.listed && r.catalogProblem != nil &&
				(r.catalogProblem.Reason == softdelete.MarkerMissing || r.catalogProblem.Reason == softdelete.Unsupported) {
				faults = append(faults, errors.New(softdelete.Printable(r.catalogProblem.Message))) // one line each
			}
		}
	}
	for _, t := range i.Config().Tables {
		has := func(d surveyedDatabase) bool {
			return slices.ContainsFunc(d.tables, func(r table) bool { return r.Schema == t.Schema && r.Name == t.Table })
		}
		// In a database that could not be read the table may exist; so may it on a probed server.
		if unasked == nil && len(i.Config().Probe.Allow) == 0 && !t.Ignore && !slices.ContainsFunc(databases, has) {
			faults = append(faults,
				fmt.Errorf("no watched database has a table %s.%s; correct or remove it under tables: in the configuration",
					t.Schema, t.Table))
		}
	}
	if unasked != nil {
		unasked = fmt.Errorf("asking the database: %w", unasked)
	}
	if len(faults) > 0 {
		return errors.Join(&ConfigError{errors.Join(faults...)}, unasked)
	}
	return unasked
}
