package inspect

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/softdelete-exporter/softdelete_exporter/config"
	"github.com/softdelete-exporter/softdelete_exporter/postgres"
	"github.com/softdelete-exporter/softdelete_exporter/queries"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// table is a watched table with everything that is needed to count it.
type table struct {
	softdelete.Table
	// partitions are the relations with the rows: the table itself, or the leaves of a partitioned table.
	partitions []partition
	// ungranted are partitions that the role may not all read, so that the table is counted as one relation.
	ungranted []partition
	// catalogProblem is a problem that the catalogs show; nil if there is none.
	catalogProblem *softdelete.Problem
	// listed is true if the configuration names the table.
	listed bool
	// rowSecurity is true if policies hide rows of the table itself from the role.
	rowSecurity bool
	// visible means that they hide none all the same; hasPolicies that the table has row-level security,
	// for us or for others.
	visible, hasPolicies bool
	// attnums are the numbers of its columns, by name.
	attnums map[string]int16
	// generated are its columns that are made from others.
	generated map[string]bool
	// key is the column with the number of the row, if the role may read it.
	key string
	// dropped is true if the table disappeared during the refresh.
	dropped bool
	// fingerprint and writes are the current ones, as in softdelete.Counting.
	fingerprint string
	writes      int64
	// began is when the last count of this refresh began.
	began time.Time
	// asked is true if its count was asked ahead and has not had its turn yet.
	asked bool
}

// column is a row of queries.Columns.
type column struct {
	OID                          uint32
	Schema, Name, Relkind        string
	Unlogged                     bool
	Column, Type                 string
	Attnum                       int16
	Labels                       []string
	OwnType, Equality            string
	NotNull, Generated           bool
	UniquenessVersion            string
	Comment                      string
	Usage, Readable, RowSecurity bool
	HasPolicies, Heap, Tids      bool
	// Key is the number of the row, if the role may read it.
	Key string
	// answer are the facts that are not in the catalogs.
	answer columnAnswer
}

// discover finds the watched tables of a database: those that match the rules and those that the configuration lists,
// sorted by schema and name. Tables beyond max_tables are only counted.
func (r *refresh) discover(ctx context.Context, s *postgres.Session) (relations []table, skipped int, err error) {
	listed := r.config.TablesOf(s.Database)
	columns, err := postgres.Repeat[column](ctx, s, r.columnsQuestion(s.Database))
	if postgres.Code(err) == postgres.Untranslatable {
		names, schemas, relnames := r.wantedColumns(s.Database)
		schemas, relnames = writable(ctx, s, schemas, relnames)
		columns, err = postgres.Query[column](ctx, s, queries.Columns(names, r.similar(), schemas, relnames))
	}
	if err != nil {
		return nil, 0, fmt.Errorf("reading the catalogs of database %q: %w", s.Database, err)
	}
	tables := byTable(columns)
	r.answerColumnQuestions(ctx, s, tables, listed)
	for _, table := range tables {
		name := [2]string{table[0].Schema, table[0].Name}
		entry := listed[name]
		delete(listed, name)
		if t, watched := r.catchWatchedTable(s, table, entry); watched {
			relations = append(relations, t)
		}
	}
	for name, entry := range listed {
		// If many databases are watched, an entry for all of them need not exist in each.
		if entry.Database == "" && r.many {
			continue
		}
		if t, watched := r.absent(s, name[0], name[1], entry); watched {
			relations = append(relations, t)
		}
	}
	relations, skipped = capped(relations, r.config.Discovery.MaxTables)
	return relations, skipped, r.findPartitions(ctx, s, relations)
}

// columnsQuestion asks for the columns of a database that may mark deleted rows.
func (r *refresh) columnsQuestion(datname string) string {
	names, schemas, relnames := r.wantedColumns(datname)
	return queries.Columns(names, r.similar(), schemas, relnames)
}

// wantedColumns returns the folded names of columns that may mark deleted rows, and the tables that the configuration
// lists.
func (r *refresh) wantedColumns(datname string) (names, schemas, relnames []string) {
	if r.config.Discovery.Enabled {
		names = append(r.rules.Candidates(r.onDecision != nil), r.config.MarkerColumns(r.Target, datname)...)
	}
	listed := slices.SortedFunc(maps.Keys(r.config.TablesOf(datname)), func(a, b [2]string) int {
		return slices.Compare(a[:], b[:])
	})
	for _, name := range listed {
		schemas, relnames = append(schemas, name[0]), append(relnames, name[1])
	}
	return names, schemas, relnames
}

// byTable groups the columns by table.
func byTable(columns []column) [][]column {
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

// catchWatchedTable calls watchedTable and turns a panic into the table's problem. Whether the table is watched at
// all is not known then, so it is shown.
func (r *refresh) catchWatchedTable(s *postgres.Session, columns []column, entry *config.Table) (t table,
	watched bool) {
	c := columns[0]
	err := r.catchStep(s, "rules", c.Schema, c.Name, func() error {
		for _, c := range columns {
			if c.answer.fault != nil {
				return c.answer.fault
			}
		}
		t, watched = r.watchedTable(s, columns, entry)
		return nil
	})
	if err == nil {
		return t, watched
	}
	why := postgres.Problem(err)
	t = table{Table: softdelete.Table{Schema: c.Schema, Name: c.Name, OID: c.OID}, listed: entry != nil,
		catalogProblem: &why}
	previous := r.databases[s.Database].Tables
	if i, found := slices.BinarySearchFunc(previous, &t.Table, byName); found && previous[i].OID == t.OID {
		t.Table = previous[i] // keep what was known
	}
	return t, true
}

// byName finds a table in a sorted list.
func byName(t softdelete.Table, key *softdelete.Table) int { return t.Compare(key) }

// watchedTable makes a watched table from the candidate columns of one table. It returns false if none of them marks
// deleted rows, or if the configuration leaves the table out.
func (r *refresh) watchedTable(s *postgres.Session, columns []column, entry *config.Table) (table, bool) {
	c := columns[0]
	name, settings := r.settings(s, columns, entry)
	t := table{
		Table: softdelete.Table{Schema: c.Schema, Name: c.Name, OID: c.OID, Partitioned: c.Relkind == "p",
			Policy: r.config.Policy(settings)},
		listed:      entry != nil,
		rowSecurity: c.RowSecurity,
		hasPolicies: c.HasPolicies,
	}
	if why := r.config.LeftOut(name, entry, settings); why != "" {
		r.tellDecision(c, why, nil)
		return table{}, false
	}
	switch {
	case c.Relkind != "r" && c.Relkind != "p":
		t.catalogProblem = &softdelete.Problem{Reason: softdelete.Unsupported,
			Message: fmt.Sprintf("%s.%s is %s, not a table", c.Schema, c.Name, cmp.Or(relkinds[c.Relkind], "something else"))}
		return t, true
	default:
		t.Markers, t.catalogProblem = r.markers(columns, entry, settings)
	}
	if entry == nil && len(t.Markers) == 0 {
		return table{}, false
	}
	if p := unnamed(s, c.OID, c.Schema, c.Name); p != nil {
		t.Markers, t.catalogProblem = nil, p
		return t, true
	}
	if t.catalogProblem == nil {
		t.catalogProblem = ungranted(s, columns, t.Markers)
	}
	t.attnums, t.generated = map[string]int16{}, map[string]bool{}
	for _, c := range columns {
		t.attnums[c.Column], t.generated[c.Column] = c.Attnum, c.Generated
		t.key = cmp.Or(t.key, c.Key)
	}
	if c.Relkind == "r" {
		t.partitions = []partition{{OID: c.OID, Schema: c.Schema, Name: c.Name, Relkind: c.Relkind, Unlogged: c.Unlogged,
			RowSecurity: c.RowSecurity, Readable: true, Heap: c.Heap, Tids: c.Tids}}
	}
	return t, true
}

// relkinds are the kinds of relations that are not tables (PostgreSQL documentation, pg_class).
var relkinds = map[string]string{"v": "a view", "m": "a materialized view", "f": "a foreign table"}

// settings returns what the configuration says about the table of the columns.
func (r *refresh) settings(s *postgres.Session, columns []column, entry *config.Table) (config.TableName,
	config.TableSettings) {
	name := config.TableName{Target: r.Target, Database: s.Database, Schema: columns[0].Schema, Table: columns[0].Name}
	has := func(name string) bool {
		return slices.ContainsFunc(columns, func(c column) bool { return c.Column == name })
	}
	return name, r.config.Settings(name, entry, has)
}

// absent makes a table that the configuration lists and that does not exist in the database. It returns false if the
// configuration leaves it out.
func (r *refresh) absent(s *postgres.Session, schema, name string, entry *config.Table) (table, bool) {
	full, settings := r.settings(s, []column{{Schema: schema, Name: name}}, entry)
	todo := "correct or remove it under tables: in the configuration"
	if entry.LooksLikePattern() {
		todo = "an entry under tables: is a single table; move a pattern to policies:, or to exclude: under discovery:"
	}
	return table{
		Table:          softdelete.Table{Schema: schema, Name: name, Policy: r.config.Policy(settings)},
		catalogProblem: missing("there is no table %s.%s in database %q; %s", schema, name, s.Database, todo),
		listed:         true,
	}, r.config.LeftOut(full, entry, settings) == ""
}

func missing(format string, args ...any) *softdelete.Problem {
	return &softdelete.Problem{Reason: softdelete.MarkerMissing, Message: fmt.Sprintf(format, args...)}
}

// ungranted returns the problem that a grant on the marker columns is missing; nil if none is.
func ungranted(s *postgres.Session, columns []column, markers softdelete.Markers) *softdelete.Problem {
	c := columns[0]
	if !c.Usage {
		return &softdelete.Problem{Reason: softdelete.PermissionDenied,
			Message: fmt.Sprintf("no USAGE on schema %q", c.Schema),
			Remedy: queries.GrantUsage(c.Schema, s.Role) + " " +
				queries.GrantColumns(c.Schema, c.Name, markers.Columns(), s.Role)}
	}
	for _, name := range markers.Columns() {
		i := slices.IndexFunc(columns, func(c column) bool { return c.Column == name })
		if !columns[i].Readable {
			return &softdelete.Problem{Reason: softdelete.PermissionDenied,
				Message: fmt.Sprintf("no SELECT on column %q of %s.%s", name, c.Schema, c.Name),
				Remedy:  queries.GrantColumns(c.Schema, c.Name, markers.Columns(), s.Role)}
		}
	}
	return nil
}

// capped keeps the tables that the configuration lists, and as many others as max_tables allows, in the order of
// their names.
func capped(relations []table, most int) (kept []table, skipped int) {
	byFullName := func(a, b table) int { return a.Compare(&b.Table) }
	slices.SortFunc(relations, func(a, b table) int {
		if a.listed != b.listed {
			return map[bool]int{true: -1, false: 1}[a.listed]
		}
		return byFullName(a, b)
	})
	if len(relations) > most {
		relations, skipped = relations[:most], len(relations)-most
	}
	slices.SortFunc(relations, byFullName)
	// An escaped name can equal the name of another table.
	return slices.CompactFunc(relations, func(a, b table) bool { return byFullName(a, b) == 0 }), skipped
}
