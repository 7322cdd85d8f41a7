package inspect

import (
	"context"
	"fmt"
	"slices"

	"github.com/softdelete-exporter/softdelete_exporter/config"
	"github.com/softdelete-exporter/softdelete_exporter/queries"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// relation is a watched table and what counting it needs to know.
type relation struct {
	softdelete.Table
	// leaves hold the rows: the table itself, or the leaves of a partitioned one.
	leaves      []leaf
	partitioned bool
	// dropped tells that the table went away during the pass.
	dropped bool
	// obstacle is why the table cannot be read, found in the catalogs; nil if it can.
	obstacle *softdelete.Problem
}

// leaf is a relation that holds rows.
type leaf struct {
	Root, OID    uint32
	Schema, Name string
	// Ordinary tells a table from, say, a foreign one.
	Ordinary    bool
	RowSecurity bool
}

// column is what queries.Columns answers.
type column struct {
	OID                         uint32
	Schema, Name, Column, Type  string
	NotNull, Usage, RowSecurity bool
	Readable, Partitioned       bool
}

// discover finds the watched tables of a database: those that the rules know and
// those that the configuration lists, in the order of schema and name.
func (p *pass) discover(ctx context.Context, s *session) ([]relation, error) {
	var names, schemas, relnames []string
	if p.config.Discovery.Enabled {
		names = p.config.Discovery.Rules().Names()
	}
	listed := map[[2]string]*config.Table{}
	for i := range p.config.Tables {
		t := &p.config.Tables[i]
		schemas, relnames = append(schemas, t.Schema), append(relnames, t.Table)
		listed[[2]string{t.Schema, t.Table}] = t
	}
	columns, err := query[column](ctx, s, queries.Columns(names, schemas, relnames))
	if err != nil {
		return nil, fmt.Errorf("reading the catalogs of database %q: %w", s.datname, err)
	}

	var relations []relation
	for len(columns) > 0 {
		first := columns[0]
		end := slices.IndexFunc(columns, func(c column) bool { return c.OID != first.OID })
		if end < 0 {
			end = len(columns)
		}
		name := [2]string{first.Schema, first.Name}
		if r, watched := p.relation(columns[:end], listed[name]); watched {
			relations = append(relations, r)
		}
		delete(listed, name)
		columns = columns[end:]
	}
	for name, entry := range listed {
		relations = append(relations, relation{
			Table:    softdelete.Table{Schema: name[0], Name: name[1], Policy: p.config.Policy(entry)},
			obstacle: missing("no table %s.%s in database %q; correct or remove it under tables: in the configuration", name[0], name[1], s.datname),
		})
	}
	slices.SortFunc(relations, func(a, b relation) int { return a.Compare(&b.Table) })
	return relations, p.findLeaves(ctx, s, relations)
}

// relation turns the candidate columns of one table into a watched table; false if
// none of them marks deleted rows and the configuration does not list the table.
func (p *pass) relation(columns []column, entry *config.Table) (relation, bool) {
	c := columns[0]
	r := relation{
		Table:       softdelete.Table{Schema: c.Schema, Name: c.Name, OID: c.OID, Policy: p.config.Policy(entry)},
		partitioned: c.Partitioned,
	}
	if entry != nil && entry.Column != "" {
		r.Markers, r.obstacle = configured(columns, entry)
	} else {
		candidates := make([]softdelete.Column, len(columns))
		for i, c := range columns {
			candidates[i] = c.domain()
		}
		r.Markers = p.config.Discovery.Rules().Discover(candidates)
		if len(r.Markers) == 0 {
			if entry == nil {
				return relation{}, false
			}
			r.obstacle = missing("no column of %s.%s is known to mark deleted rows; name it by column: in the configuration", c.Schema, c.Name)
		}
	}
	if r.obstacle == nil {
		r.obstacle = unreadable(columns, r.Markers)
	}
	if !c.Partitioned {
		r.leaves = []leaf{{OID: c.OID, Schema: c.Schema, Name: c.Name, Ordinary: true, RowSecurity: c.RowSecurity}}
	}
	return r, true
}

// configured is the marker that the configuration names.
func configured(columns []column, entry *config.Table) (softdelete.Markers, *softdelete.Problem) {
	find := func(name string) *softdelete.Column {
		i := slices.IndexFunc(columns, func(c column) bool { return c.Column == name })
		if i < 0 {
			return nil
		}
		found := columns[i].domain()
		return &found
	}
	var time *softdelete.Column
	if entry.TimeColumn != "" {
		if time = find(entry.TimeColumn); time == nil {
			return nil, missing("%s.%s has no column %q; correct time_column: in the configuration", entry.Schema, entry.Table, entry.TimeColumn)
		}
	}
	marker := find(entry.Column)
	if marker == nil {
		return nil, missing("%s.%s has no column %q; correct column: in the configuration", entry.Schema, entry.Table, entry.Column)
	}
	m, ok := softdelete.MarkerOf(*marker, time)
	if !ok {
		return nil, &softdelete.Problem{Reason: softdelete.Unsupported,
			Message: fmt.Sprintf("%s.%s: a column of type %s cannot mark deleted rows", entry.Schema, entry.Table, marker.Type)}
	}
	return softdelete.Markers{m}, nil
}

func (c column) domain() softdelete.Column {
	return softdelete.Column{Name: c.Column, Type: c.Type, NotNull: c.NotNull}
}

func missing(format string, args ...any) *softdelete.Problem {
	return &softdelete.Problem{Reason: softdelete.MarkerMissing, Message: fmt.Sprintf(format, args...)}
}

// unreadable says what keeps us from reading the marker columns, as far as the
// catalogs tell; nil if nothing does.
func unreadable(columns []column, markers softdelete.Markers) *softdelete.Problem {
	c := columns[0]
	if !c.Usage {
		return &softdelete.Problem{Reason: softdelete.PermissionDenied, Message: fmt.Sprintf("no USAGE on schema %q", c.Schema)}
	}
	for _, name := range markers.Columns() {
		i := slices.IndexFunc(columns, func(c column) bool { return c.Column == name })
		if !columns[i].Readable {
			return &softdelete.Problem{Reason: softdelete.PermissionDenied, Message: fmt.Sprintf("no SELECT on column %q of %s.%s", name, c.Schema, c.Name)}
		}
	}
	return nil
}

// findLeaves gives each partitioned table the leaves that it stands for.
func (p *pass) findLeaves(ctx context.Context, s *session, relations []relation) error {
	var roots []uint32
	at := map[uint32]*relation{}
	for i := range relations {
		if r := &relations[i]; r.partitioned {
			roots = append(roots, r.OID)
			at[r.OID] = r
		}
	}
	if len(roots) == 0 {
		return nil
	}
	leaves, err := query[leaf](ctx, s, queries.Leaves(roots))
	if err != nil {
		return fmt.Errorf("reading the partitions of database %q: %w", s.datname, err)
	}
	for _, l := range leaves {
		at[l.Root].leaves = append(at[l.Root].leaves, l)
	}
	return nil
}
