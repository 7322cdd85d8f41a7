package inspect

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/softdelete-exporter/softdelete_exporter/discovery"
	"github.com/softdelete-exporter/softdelete_exporter/postgres"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// ConfigError is a fault of the configuration that the database shows.
type ConfigError struct{ error }

// Unwrap returns what is wrong.
func (e *ConfigError) Unwrap() error { return e.error }

// surveyed is one database with its watched tables, uncounted.
type surveyed struct {
	postgres.ServerInfo
	relations []relation
	skipped   int
	// keys are the foreign keys of the tables that opted in to checks of integrity, and
	// checks are those that can be made, or lack no more than a grant.
	keys   []foreignKey
	checks []*check
	// judgements are what was decided on every table that has a candidate.
	judgements []discovery.TableDecision
}

// survey discovers the tables of every watched database, without counting any. Its
// error speaks of the databases that are missing among the answers.
func (i *Inspector) survey(ctx context.Context) ([]surveyed, error) {
	p := i.newPass(&softdelete.Snapshot{}, nil)
	names, err := p.names(ctx)
	if err != nil {
		return nil, err
	}
	var all []surveyed
	var failed []error
	for _, name := range names {
		found, err := p.surveyOne(ctx, name)
		if err != nil {
			failed = append(failed, err)
			continue
		}
		all = append(all, found)
	}
	return all, errors.Join(failed...)
}

func (p *pass) surveyOne(ctx context.Context, name string) (surveyed, error) {
	s, err := p.open(ctx, name)
	if err != nil {
		return surveyed{}, err
	}
	defer s.Close()
	var judgements []discovery.TableDecision
	p.explain = func(j discovery.TableDecision) { judgements = append(judgements, j) }
	relations, skipped, err := p.discover(ctx, s)
	if err != nil {
		return surveyed{}, err
	}
	keys, checks, err := p.findChecks(ctx, s, relations)
	return surveyed{s.ServerInfo, relations, skipped, keys, checks, judgements}, err
}

// Check holds the configured tables against the database. It returns a
// *ConfigError that lists every table and column that is not there, or another
// error when not all databases could be asked.
func (i *Inspector) Check(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, i.Config().Ping.Timeout.Std()+time.Second)
	defer cancel()
	return i.faults(i.survey(ctx))
}

// faults are those of the configuration that a survey shows, and what the survey
// itself says.
func (i *Inspector) faults(databases []surveyed, unasked error) error {
	var faults []error
	for _, d := range databases {
		for _, r := range d.relations {
			if r.listed && r.obstacle != nil && (r.obstacle.Reason == softdelete.MarkerMissing || r.obstacle.Reason == softdelete.Unsupported) {
				faults = append(faults, errors.New(softdelete.Printable(r.obstacle.Message))) // a line each
			}
		}
	}
	for _, t := range i.Config().Tables {
		has := func(d surveyed) bool {
			return slices.ContainsFunc(d.relations, func(r relation) bool { return r.Schema == t.Schema && r.Name == t.Table })
		}
		// Where we cannot look now, the table may be; that holds for what is probed, too.
		if unasked == nil && len(i.Config().Probe.Allow) == 0 && !t.Ignore && !slices.ContainsFunc(databases, has) {
			faults = append(faults, fmt.Errorf("no watched database has a table %s.%s; correct or remove it under tables: in the configuration", t.Schema, t.Table))
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
