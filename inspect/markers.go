package inspect

import (
	"fmt"
	"slices"

	"github.com/softdelete-exporter/softdelete_exporter/config"
	"github.com/softdelete-exporter/softdelete_exporter/discovery"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// similar is the expression of the columns that no rule knows and that are asked for
// all the same, to be explained.
func (p *pass) similar() string {
	if p.explain != nil && p.config.Discovery.Enabled {
		return discovery.Similar
	}
	return "^$"
}

// markers are what marks deleted rows among the columns of a table: what the
// configuration says, else what the rules find. The problem tells that nothing does, or
// that it cannot be counted by.
func (p *pass) markers(columns []column, entry *config.Table) (markers softdelete.Markers, obstacle *softdelete.Problem) {
	c := columns[0]
	if entry != nil && entry.Column != "" {
		m, obstacle := configured(columns, entry)
		if obstacle != nil {
			p.judged(c, obstacle.Message, nil)
			return nil, obstacle
		}
		p.judged(c, "", discovery.ConfiguredDecisions(domain(columns), *m))
		return softdelete.Markers{*m}, nil
	}
	found := p.rules.Discover(c.Schema, c.Name, entry != nil, domain(columns))
	p.judged(c, "", found.Decisions)
	switch {
	case found.Undecided != "":
		obstacle = &softdelete.Problem{Reason: softdelete.Locked, Message: fmt.Sprintf(
			"whether a column of %s.%s marks deleted rows is told by its default, which could not be read: %s", c.Schema, c.Name, found.Undecided)}
	case len(found.Markers) == 0:
		obstacle = missing("no column of %s.%s is known to mark deleted rows; name it by column: in the configuration", c.Schema, c.Name)
	}
	return found.Markers, obstacle
}

// judged tells who asks what was decided on the table of a column.
func (p *pass) judged(c column, left string, decisions []discovery.Decision) {
	if p.explain != nil {
		p.explain(discovery.TableDecision{Schema: c.Schema, Table: c.Name, Left: left, Decisions: decisions})
	}
}

// configured is the marker that the configuration names.
func configured(columns []column, entry *config.Table) (*softdelete.Marker, *softdelete.Problem) {
	all := domain(columns)
	find := func(setting, name string) (*discovery.Column, *softdelete.Problem) {
		i := slices.IndexFunc(all, func(c discovery.Column) bool { return c.Name == name })
		if i < 0 {
			return nil, missing("%s.%s has no column %q; correct %s: in the configuration", entry.Schema, entry.Table, name, setting)
		}
		return &all[i], nil
	}
	var time *discovery.Column
	if entry.TimeColumn != "" {
		var problem *softdelete.Problem
		if time, problem = find("time_column", entry.TimeColumn); problem != nil {
			return nil, problem
		}
	}
	column, problem := find("column", entry.Column)
	if problem != nil {
		return nil, problem
	}
	m, err := entry.Marker().Marker(*column, time)
	switch {
	case err != nil && column.Unread != "":
		return nil, &softdelete.Problem{Reason: softdelete.Locked,
			Message: fmt.Sprintf("the default of column %q of %s.%s could not be read: %s", column.Name, entry.Schema, entry.Table, column.Unread)}
	case err != nil:
		return nil, &softdelete.Problem{Reason: softdelete.Unsupported, Message: fmt.Sprintf("%s.%s: %s", entry.Schema, entry.Table, err)}
	}
	return m, nil
}

// domain is what the rules need of the columns.
func domain(columns []column) []discovery.Column {
	all := make([]discovery.Column, len(columns))
	for i, c := range columns {
		all[i] = discovery.Column{
			Name: c.Column, Type: c.Type, Labels: c.Labels, NotNull: c.NotNull, Generated: c.Generated, Comment: c.Comment,
			HasDefault: c.HasDefault, Default: c.learnt.def, Meaning: c.learnt.settled, Unread: c.learnt.unread,
		}
	}
	return all
}
