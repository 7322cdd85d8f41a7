package inspect

import (
	"context"
	"maps"
	"slices"

	"github.com/softdelete-exporter/softdelete_exporter/queries"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// Explanation is what the exporter makes of one table, and why.
type Explanation struct {
	Database, Schema, Table string
	Markers                 softdelete.Markers
	// Problem is what keeps the table from being read; nil when it is watched.
	Problem *softdelete.Problem
}

// Explain tells of every watched table whether it can be read. Skipped counts the
// tables beyond the cap.
func (i *Inspector) Explain(ctx context.Context) (tables []Explanation, skipped int, err error) {
	databases, err := i.survey(ctx)
	if err != nil {
		return nil, 0, err
	}
	for _, d := range databases {
		skipped += d.skipped
		for _, r := range d.relations {
			tables = append(tables, Explanation{Database: d.Database, Schema: r.Schema, Table: r.Name, Markers: r.Markers, Problem: r.obstacle})
		}
	}
	return tables, skipped, nil
}

// Grants are the statements that let a role see the watched tables and nothing
// else, for one database.
type Grants struct {
	Database   string
	Statements []string
}

// Grants makes the statements for every watched database.
func (i *Inspector) Grants(ctx context.Context, role string) ([]Grants, error) {
	databases, err := i.survey(ctx)
	if err != nil {
		return nil, err
	}
	all := make([]Grants, len(databases))
	for i, d := range databases {
		all[i] = Grants{d.Database, d.grants(role)}
	}
	return all, nil
}

func (d surveyed) grants(role string) []string {
	schemas := map[string]bool{}
	var tables []string
	for _, r := range d.relations {
		if len(r.Markers) == 0 {
			continue
		}
		grant := func(schema, name string) {
			schemas[schema] = true
			tables = append(tables, queries.GrantColumns(schema, name, r.Markers.Columns(), role))
		}
		grant(r.Schema, r.Name)
		for _, l := range r.leaves {
			if l.OID != r.OID { // a grant on the parent does not reach its leaves
				grant(l.Schema, l.Name)
			}
		}
	}
	statements := []string{queries.GrantConnect(d.Database, role)}
	for _, schema := range slices.Sorted(maps.Keys(schemas)) {
		statements = append(statements, queries.GrantUsage(schema, role))
	}
	return append(statements, tables...)
}
