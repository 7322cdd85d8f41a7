package inspect

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/softdelete-exporter/softdelete_exporter/config"
	"github.com/softdelete-exporter/softdelete_exporter/postgres"
	"github.com/softdelete-exporter/softdelete_exporter/queries"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// relation is a watched table and what counting it needs to know.
type relation struct {
	softdelete.Table
	// leaves hold the rows: the table itself, or the leaves of a partitioned one.
	leaves []leaf
	// ungranted are those that may not all be read by themselves, so that the table is
	// counted as one.
	ungranted []leaf
	// obstacle is why the table cannot be read, found in the catalogs; nil if it can.
	obstacle *softdelete.Problem
	// listed tells that the configuration names the table.
	listed bool
	// rowSecurity tells that policies hide rows of the table itself from us.
	rowSecurity bool
	// dropped tells that the table went away during the pass.
	dropped bool
	// fingerprint and writes are those of now, as softdelete.Counting keeps them.
	fingerprint string
	writes      int64
}

// column is what queries.Columns answers.
type column struct {
	OID                          uint32
	Schema, Name, Relkind        string
	Unlogged                     bool
	Column, Type                 string
	Attnum                       int16
	Labels                       []string
	NotNull                      bool
	HasDefault, Generated        bool
	DefaultVersion               int64
	Comment                      string
	Usage, Readable, RowSecurity bool
	Heap, Tids                   bool
	// learnt is what had to be asked beside the catalogs.
	learnt learnt
}

// discover finds the watched tables of a database: those that the rules know and
// those that the configuration lists, in the order of schema and name. Those beyond
// the cap are only counted.
func (p *pass) discover(ctx context.Context, s *postgres.Session) (relations []relation, skipped int, err error) {
	listed := p.config.TablesOf(s.Database)
	var names, schemas, relnames []string
	if p.config.Discovery.Enabled {
		names = p.rules.Candidates(p.explain != nil)
	}
	for name := range listed {
		schemas, relnames = append(schemas, name[0]), append(relnames, name[1])
	}
	columns, err := postgres.Query[column](ctx, s, queries.Columns(names, p.similar(), schemas, relnames))
	if postgres.Code(err) == postgres.Untranslatable {
		schemas, relnames = writable(ctx, s, schemas, relnames)
		columns, err = postgres.Query[column](ctx, s, queries.Columns(names, p.similar(), schemas, relnames))
	}
	if err != nil {
		return nil, 0, fmt.Errorf("reading the catalogs of database %q: %w", s.Database, err)
	}
	tables := split(columns)
	p.learn(ctx, s, tables, listed)
	for _, table := range tables {
		name := [2]string{table[0].Schema, table[0].Name}
		entry := listed[name]
		delete(listed, name)
		if r, watched := p.spareRelation(s, table, entry); watched {
			relations = append(relations, r)
		}
	}
	for name, entry := range listed {
		// Where many databases are watched, an entry for all of them need not hold in each.
		if !entry.Ignore && (entry.Database != "" || !p.many) {
			relations = append(relations, p.absent(s, name, entry))
		}
	}
	relations, skipped = capped(relations, p.config.Discovery.MaxTables)
	return relations, skipped, p.findLeaves(ctx, s, relations)
}

// split takes the columns apart by table.
func split(columns []column) [][]column {
	var tables [][]column
	for len(columns) > 0 {
		end := slices.IndexFunc(columns, func(c column) bool { return c.OID != columns[0].OID })
		if end < 0 {
			end = len(columns)
		}
		tables = append(tables, columns[:end])
		columns = columns[end:]
	}
	return tables
}

// spareRelation is relation, of which a panic becomes the table's problem. Whether the
// table is watched at all is then not known, so it is shown.
func (p *pass) spareRelation(s *postgres.Session, columns []column, entry *config.Table) (r relation, watched bool) {
	c := columns[0]
	err := p.catch(s, "rules", c.Schema, c.Name, func() error {
		for _, c := range columns {
			if c.learnt.fault != nil {
				return c.learnt.fault
			}
		}
		r, watched = p.relation(s, columns, entry)
		return nil
	})
	if err == nil {
		return r, watched
	}
	why := postgres.Problem(err)
	r = relation{Table: softdelete.Table{Schema: c.Schema, Name: c.Name, OID: c.OID}, listed: entry != nil, obstacle: &why}
	previous := p.databases[s.Database].Tables
	if i, found := slices.BinarySearchFunc(previous, &r.Table, byName); found && previous[i].OID == r.OID {
		r.Table = previous[i] // what was known stays
	}
	return r, true
}

// byName finds a table among others that are in order.
func byName(t softdelete.Table, key *softdelete.Table) int { return t.Compare(key) }

// relation turns the candidate columns of one table into a watched table; false if
// none of them marks deleted rows, or the configuration leaves the table out.
func (p *pass) relation(s *postgres.Session, columns []column, entry *config.Table) (relation, bool) {
	c := columns[0]
	r := relation{
		Table:       softdelete.Table{Schema: c.Schema, Name: c.Name, OID: c.OID, Partitioned: c.Relkind == "p", Policy: p.config.Policy(c.Schema, c.Name, entry)},
		listed:      entry != nil,
		rowSecurity: c.RowSecurity,
	}
	switch {
	case entry == nil && !p.config.Discovery.Admits(c.Schema, c.Name):
		p.judged(c, "include and exclude under discovery leave it out", nil)
		return relation{}, false
	case entry != nil && entry.Ignore:
		p.judged(c, "tables says to ignore it", nil)
		return relation{}, false
	case c.Relkind != "r" && c.Relkind != "p":
		r.obstacle = &softdelete.Problem{Reason: softdelete.Unsupported,
			Message: fmt.Sprintf("%s.%s is %s, not a table", c.Schema, c.Name, cmp.Or(relkinds[c.Relkind], "something else"))}
		return r, true
	default:
		r.Markers, r.obstacle = p.markers(columns, entry)
	}
	if entry == nil && len(r.Markers) == 0 {
		return relation{}, false
	}
	if p := unnamed(s, c.OID, c.Schema, c.Name); p != nil {
		r.Markers, r.obstacle = nil, p
		return r, true
	}
	if r.obstacle == nil {
		r.obstacle = ungranted(s, columns, r.Markers)
	}
	if c.Relkind == "r" {
		r.leaves = []leaf{{OID: c.OID, Schema: c.Schema, Name: c.Name, Relkind: c.Relkind, Unlogged: c.Unlogged, RowSecurity: c.RowSecurity, Readable: true, Heap: c.Heap, Tids: c.Tids}}
	}
	return r, true
}

// relkinds are the kinds of relation that are not tables (PostgreSQL
// documentation, pg_class).
var relkinds = map[string]string{"v": "a view", "m": "a materialized view", "f": "a foreign table"}

// absent is a table that the configuration lists and the database does not have.
func (p *pass) absent(s *postgres.Session, name [2]string, entry *config.Table) relation {
	return relation{
		Table:    softdelete.Table{Schema: name[0], Name: name[1], Policy: p.config.Policy(name[0], name[1], entry)},
		obstacle: missing("there is no table %s.%s in database %q; correct or remove it under tables: in the configuration", name[0], name[1], s.Database),
		listed:   true,
	}
}

func missing(format string, args ...any) *softdelete.Problem {
	return &softdelete.Problem{Reason: softdelete.MarkerMissing, Message: fmt.Sprintf(format, args...)}
}

// ungranted says which grant we lack to read the marker columns; nil if none.
func ungranted(s *postgres.Session, columns []column, markers softdelete.Markers) *softdelete.Problem {
	c := columns[0]
	if !c.Usage {
		return &softdelete.Problem{Reason: softdelete.PermissionDenied, Message: fmt.Sprintf("no USAGE on schema %q", c.Schema),
			Remedy: queries.GrantUsage(c.Schema, s.Role) + " " + queries.GrantColumns(c.Schema, c.Name, markers.Columns(), s.Role)}
	}
	for _, name := range markers.Columns() {
		i := slices.IndexFunc(columns, func(c column) bool { return c.Column == name })
		if !columns[i].Readable {
			return &softdelete.Problem{Reason: softdelete.PermissionDenied, Message: fmt.Sprintf("no SELECT on column %q of %s.%s", name, c.Schema, c.Name),
				Remedy: queries.GrantColumns(c.Schema, c.Name, markers.Columns(), s.Role)}
		}
	}
	return nil
}

// capped keeps the tables that the configuration lists and as many others as there
// is room for, in the order of their names.
func capped(relations []relation, most int) (kept []relation, skipped int) {
	byFullName := func(a, b relation) int { return a.Compare(&b.Table) }
	slices.SortFunc(relations, func(a, b relation) int {
		if a.listed != b.listed {
			return map[bool]int{true: -1, false: 1}[a.listed]
		}
		return byFullName(a, b)
	})
	if len(relations) > most {
		relations, skipped = relations[:most], len(relations)-most
	}
	slices.SortFunc(relations, byFullName)
	// An escaped name can be that of another table.
	return slices.CompactFunc(relations, func(a, b relation) bool { return byFullName(a, b) == 0 }), skipped
}
