package inspect

import (
	"context"
	"fmt"
	"slices"

	"github.com/softdelete-exporter/softdelete_exporter/config"
	"github.com/softdelete-exporter/softdelete_exporter/discovery"
	"github.com/softdelete-exporter/softdelete_exporter/postgres"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// similar returns the expression for columns that match no rule but are read as well, so that they can be explained.
func (r *refresh) similar() string {
	if r.onDecision != nil && r.config.Discovery.Enabled {
		return discovery.Similar
	}
	return "^$"
}

// markers returns the markers among the columns of a table: those that the configuration names, or else those that
// the rules find. The problem says that there are none, or that they cannot be used for counting.
func (r *refresh) markers(columns []column, entry *config.Table, settings config.TableSettings) (
	markers softdelete.Markers, problem *softdelete.Problem) {
	c := columns[0]
	if settings.Column != "" {
		m, problem := r.configured(columns, settings)
		if m == nil {
			r.tellDecision(c, problem.Message, nil)
			return nil, problem
		}
		by := "policies"
		if entry != nil && entry.Column != "" {
			by = "tables"
		}
		r.tellDecision(c, "", discovery.ConfiguredDecisions(discoveryColumns(columns), *m, by))
		return softdelete.Markers{*m}, problem
	}
	found := r.rules.Discover(c.Schema, c.Name, entry != nil, discoveryColumns(columns))
	r.tellDecision(c, "", found.Decisions)
	switch {
	case found.Undecided != "":
		problem = &softdelete.Problem{Reason: softdelete.Locked, Message: fmt.Sprintf(
			"whether a column of %s.%s marks deleted rows depends on its default or a unique index, which could not be read: %s",
			c.Schema, c.Name, found.Undecided)}
	case found.Unclear != nil:
		problem = unclear(c, found.Unclear)
	case len(found.Markers) == 0:
		problem = missing("no column of %s.%s is known to mark deleted rows; name it by column: in the configuration",
			c.Schema, c.Name)
	}
	return found.Markers, problem
}

// mostCandidates is how many candidates are listed at most.
const mostCandidates = 10

// candidates returns columns that may mark deleted rows, for a database in which nothing is watched.
func (r *refresh) candidates(ctx context.Context, s *postgres.Session) ([]softdelete.Candidate, error) {
	var all []softdelete.Candidate
	r.onDecision = func(t discovery.TableDecision) {
		for _, d := range t.Decisions {
			if d.Remedy != "" && len(all) < mostCandidates {
				all = append(all, softdelete.Candidate{Schema: t.Schema, Table: t.Table, Column: d.Column, Why: d.Why,
					Remedy: d.Remedy})
			}
		}
	}
	defer func() { r.onDecision = nil }()
	_, _, err := r.discover(ctx, s)
	return all, err
}

// tellDecision passes the decision on a table to whoever needs it.
func (r *refresh) tellDecision(c column, left string, decisions []discovery.Decision) {
	if r.onDecision != nil {
		r.onDecision(discovery.TableDecision{Schema: c.Schema, Table: c.Name, Left: left, Decisions: decisions})
	}
}

// configured returns the marker that the configuration names.
func (r *refresh) configured(columns []column, settings config.TableSettings) (*softdelete.Marker,
	*softdelete.Problem) {
	all := discoveryColumns(columns)
	find := func(setting, name string) (*discovery.Column, *softdelete.Problem) {
		i := slices.IndexFunc(all, func(c discovery.Column) bool { return c.Name == name })
		if i < 0 {
			return nil, missing("%s.%s has no column %q; correct %s: in the configuration", columns[0].Schema, columns[0].Name,
				name, setting)
		}
		return &all[i], nil
	}
	var time *discovery.Column
	if settings.TimeColumn != "" {
		var problem *softdelete.Problem
		if time, problem = find("time_column", settings.TimeColumn); problem != nil {
			return nil, problem
		}
	}
	column, problem := find("column", settings.Column)
	if problem != nil {
		return nil, problem
	}
	wanted := settings.Marker()
	wanted.Zone = r.config.Policy(settings).TimeZone
	m, err := wanted.Marker(*column, time, r.began)
	switch {
	case column.Unborn != "":
		return nil, &softdelete.Problem{Reason: softdelete.Locked,
			Message: fmt.Sprintf("the default of column %q of %s.%s could not be read: %s", column.Name, columns[0].Schema,
				columns[0].Name, column.Unborn)}
	case err != nil:
		return nil, &softdelete.Problem{Reason: softdelete.Unsupported,
			Message: fmt.Sprintf("%s.%s: %s", columns[0].Schema, columns[0].Name, err)}
	case m.Given:
		return m, nil
	}
	if u := discovery.UnclearDefault(columns[0].Schema, columns[0].Name, *m, *column); u != nil {
		return m, unclear(columns[0], u)
	}
	return m, nil
}

// unclear returns the problem of a table whose marker has no certain meaning.
func unclear(c column, u *discovery.Unclear) *softdelete.Problem {
	return &softdelete.Problem{Reason: softdelete.MarkerUnclear, Remedy: u.Remedy,
		Message: fmt.Sprintf("%s.%s: %s", c.Schema, c.Name, u.Message)}
}

// discoveryColumns converts the columns for the rules.
func discoveryColumns(columns []column) []discovery.Column {
	all := make([]discovery.Column, len(columns))
	for i, c := range columns {
		all[i] = discovery.Column{
			Name: c.Column, Type: c.Type, OwnType: c.OwnType, Equality: c.Equality, Labels: c.Labels,
			NotNull: c.NotNull, Comment: c.Comment,
			Born: c.answer.born, Varies: c.answer.varies, Meaning: c.answer.meaning,
			Unborn: c.answer.unborn, Unread: c.answer.unread, Evidence: c.answer.evidence,
		}
		all[i].Evidence.Mentioned = c.UniquenessVersion != ""
	}
	return all
}
