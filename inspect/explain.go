package inspect

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/softdelete-exporter/softdelete_exporter/config"
	"github.com/softdelete-exporter/softdelete_exporter/discovery"
	"github.com/softdelete-exporter/softdelete_exporter/queries"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// Explanation says whether the exporter watches a table, and why.
type Explanation struct {
	Database, Schema, Table string
	// Markers are empty for a table that is not watched; Policy is set for the others.
	Markers softdelete.Markers
	Policy  softdelete.Policy
	// Problem is why a watched table cannot be read; nil if it can.
	Problem *softdelete.Problem
	// Unchecked is why rows of the table cannot be checked.
	Unchecked []softdelete.Problem
	// Unseen are the configured values that no row has.
	Unseen []string
	// Disputes are the pairs of which it is not certain which column decides, if the table has no problem.
	Disputes []softdelete.Dispute
	// Decision is the decision on its columns.
	Decision discovery.TableDecision
	// Watched is false for a table that is not watched.
	Watched bool
}

// Explained is what the exporter says about the watched databases.
type Explained struct {
	Tables []Explanation
	// Skipped counts the tables beyond max_tables.
	Skipped int
	// Unmatched are the patterns of the configuration that match nothing.
	Unmatched []string
}

// Explain says for every watched table whether it can be read, and for every table with a column whose name sounds
// like deletion how it was decided. The error is the one of Check.
func (i *Inspector) Explain(ctx context.Context) (e Explained, err error) {
	databases, err := i.survey(ctx, true)
	names := map[string][]config.TableName{}
	for _, d := range databases {
		e.Skipped += d.skipped
		e.Tables = append(e.Tables, d.explanations()...)
		names[d.Database] = d.names
	}
	if err == nil {
		e.Unmatched = i.Config().Unmatched(names)
	}
	return e, i.faults(databases, err)
}

// explanations returns the explanations for one database, sorted by schema and name.
func (d surveyedDatabase) explanations() []Explanation {
	decisions := map[[2]string]discovery.TableDecision{}
	for _, j := range d.decisions {
		decisions[[2]string{j.Schema, j.Table}] = j
	}
	unchecked := map[uint32][]softdelete.Problem{}
	for _, c := range d.checks {
		if c.refused {
			unchecked[c.child.OID] = append(unchecked[c.child.OID], *c.Problem)
		}
	}
	var all []Explanation
	for _, t := range d.tables {
		name := [2]string{t.Schema, t.Name}
		e := Explanation{Database: d.Database, Schema: t.Schema, Table: t.Name, Markers: t.Markers,
			Policy: t.Policy, Problem: t.catalogProblem, Unchecked: unchecked[t.OID], Unseen: d.unseen[t.OID],
			Decision: decisions[name], Watched: true}
		if e.Problem == nil {
			e.Disputes = t.Disputes()
		}
		all = append(all, e)
		delete(decisions, name)
	}
	for name, j := range decisions {
		if !slices.ContainsFunc(j.Decisions, func(d discovery.Decision) bool { return d.Taken }) { // or beyond max_tables
			all = append(all, Explanation{Database: d.Database, Schema: name[0], Table: name[1], Decision: j})
		}
	}
	slices.SortFunc(all, func(a, b Explanation) int {
		return cmp.Or(cmp.Compare(a.Schema, b.Schema), cmp.Compare(a.Table, b.Table))
	})
	return all
}

// Grants are the statements for one database that let a role read the watched tables and nothing else. Connect is
// psql's command to connect to the database.
type Grants struct {
	Connect    string
	Statements []string
}

// Grants returns the statements for every watched database. Its error is about the databases that could not be read.
func (i *Inspector) Grants(ctx context.Context, role string) ([]Grants, error) {
	databases, err := i.survey(ctx, false)
	var all []Grants
	for _, d := range databases {
		connect, refused := queries.Connect(d.Database)
		if refused != nil {
			err = errors.Join(err, refused)
			continue
		}
		all = append(all, Grants{connect, d.grants(role)})
	}
	return all, err
}

func (d surveyedDatabase) grants(role string) []string {
	schemas := map[string]bool{}
	var tables, policies []string
	checked := map[uint32][]string{} // columns that checks read in addition to the markers
	for i := range d.keys {
		for _, n := range d.keys[i].needs() {
			checked[n.OID] = append(checked[n.OID], n.columns...)
		}
	}
	for _, t := range d.tables {
		if len(t.Markers) == 0 {
			continue
		}
		grant := func(oid uint32, schema, name string) {
			schemas[schema] = true
			columns := t.Markers.Columns()
			for _, c := range checked[oid] {
				if !slices.Contains(columns, c) {
					columns = append(columns, c)
				}
			}
			tables = append(tables, queries.GrantColumns(schema, name, columns, role))
		}
		grant(t.OID, t.Schema, t.Name)
		policies = append(policies, t.hiddenRows(role)...)
		for _, l := range t.allPartitions() {
			if l.OID != t.OID { // a grant on the parent does not cover its partitions
				grant(l.OID, l.Schema, l.Name)
			}
		}
	}
	statements := []string{queries.GrantConnect(d.Database, role)}
	for _, schema := range slices.Sorted(maps.Keys(schemas)) {
		statements = append(statements, queries.GrantUsage(schema, role))
	}
	return slices.Concat(statements, tables, policies)
}
