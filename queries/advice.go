package queries

import (
	"regexp"
	"slices"
	"strings"

	"github.com/softdelete-exporter/softdelete_exporter/indexes"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// Steps returns the SQL of the steps of an advice, for a person to read and run. The exporter runs none of it.
func Steps(t *softdelete.Table, steps []indexes.Step) []string {
	var statements []string
	for _, s := range steps {
		switch s.Action {
		case indexes.CreateIndex:
			statements = append(statements, create(t, s.New)...)
		case indexes.FindDuplicates:
			statements = append(statements, advice("advice_duplicates.sql", vars{
				"schemaname": t.Schema, "relname": t.Name, "keys": names(s.New.Keys), "where": where(s.New)}))
		case indexes.DropIndex:
			statements = append(statements, drop(t, s.Index))
		default:
			statements = append(statements, advice(onIndex[s.Action],
				vars{"schemaname": s.Index.Schema, "indexname": s.Index.Name}))
		}
	}
	return statements
}

// Resolves reports whether a step's statement contains operators, functions or operator classes without their schema.
// These must then be PostgreSQL's own.
func Resolves(steps []indexes.Step) bool {
	return slices.ContainsFunc(steps, func(s indexes.Step) bool {
		return s.Action == indexes.CreateIndex || s.Action == indexes.FindDuplicates
	})
}

// SearchPath returns the statement to run before such statements, so that only PostgreSQL's own operators and
// functions are found.
func SearchPath() string { return advice("advice_path.sql", nil) }

// LockHolders returns the statement that shows who keeps tables from being read. It needs SearchPath before it.
func LockHolders() string { return advice("advice_locks.sql", nil) }

// onIndex are the files of the actions that only need the name of an index.
var onIndex = map[indexes.Action]string{
	indexes.ReindexIndex:   "advice_reindex.sql",
	indexes.CheckUse:       "advice_use.sql",
	indexes.ShowDefinition: "advice_definition.sql",
}

// advice renders a file for people, without the comment that marks the exporter's own statements.
func advice(file string, values vars) string {
	template, err := files.ReadFile(file)
	if err != nil {
		panic(err)
	}
	return render(string(template), values)
}

func drop(t *softdelete.Table, i *softdelete.Index) string {
	switch {
	case i.Constraint != "":
		return advice("advice_drop_constraint.sql",
			vars{"schemaname": t.Schema, "relname": t.Name, "constraintname": i.Constraint})
	case i.Partitioned:
		return advice("advice_drop_partitioned.sql", vars{"schemaname": i.Schema, "indexname": i.Name})
	default:
		return advice("advice_drop.sql", vars{"schemaname": i.Schema, "indexname": i.Name})
	}
}

// create returns the statements that create an index. For a partitioned table they first create the partitioned
// indexes, then the missing indexes of the partitions, and then attach these from the bottom up.
func create(t *softdelete.Table, n *indexes.NewIndex) []string {
	on := softdelete.Partition{OID: t.OID, Schema: t.Schema, Name: t.Name}
	if n.On != nil {
		on = *n.On
	}
	if len(n.Partitions) == 0 {
		return []string{define("advice_create.sql", n, on.Schema, on.Name, n.Name)}
	}
	var made, joined []string
	if !n.Exists {
		made = append(made, define("advice_create_parent.sql", n, on.Schema, on.Name, n.Name))
	}
	index := map[uint32]vars{on.OID: {"parentschema": on.Schema, "parentname": n.Name}}
	for _, p := range n.Partitions {
		index[p.Partition.OID] = vars{"parentschema": p.Schema, "parentname": p.Name}
		if p.Exists {
			continue
		}
		file := "advice_create_parent.sql"
		if p.Partition.HoldsRows {
			file = "advice_create.sql"
		}
		made = append(made, define(file, n, p.Partition.Schema, p.Partition.Name, p.Name))
		parent := index[p.Partition.Parent]
		joined = append([]string{advice("advice_attach.sql", vars{
			"parentschema": parent["parentschema"], "parentname": parent["parentname"], "schemaname": p.Schema,
			"indexname": p.Name})}, joined...)
	}
	return append(made, joined...)
}

func define(file string, n *indexes.NewIndex, schema, table, name string) string {
	create, including := "CREATE", ""
	if n.Unique {
		create = "CREATE UNIQUE"
	}
	if len(n.Include) > 0 {
		quoted := make([]string, len(n.Include))
		for i, column := range n.Include {
			quoted[i] = identifier(column)
		}
		including = " INCLUDE (" + strings.Join(quoted, ", ") + ")"
	}
	return advice(file, vars{"create": create, "indexname": name, "schemaname": schema, "relname": table,
		"method": method(n.Method), "keys": keys(n.Keys), "including": including, "where": where(n)})
}

// keys writes the keys of an index for CREATE INDEX.
func keys(all []softdelete.Key) string {
	written := make([]string, len(all))
	for i, k := range all {
		written[i] = strings.TrimSpace(bracketed(k) + " " + k.Rest)
	}
	return strings.Join(written, ", ")
}

// names writes the keys for GROUP BY.
func names(all []softdelete.Key) string {
	written := make([]string, len(all))
	for i, k := range all {
		written[i] = bracketed(k)
	}
	return strings.Join(written, ", ")
}

func bracketed(k softdelete.Key) string {
	if k.Column != "" {
		return identifier(k.Column)
	}
	return "(" + k.Expression + ")"
}

// method writes the name of an access method, which hardly ever needs quotes.
func method(name string) string {
	if plainName.MatchString(name) {
		return name
	}
	return identifier(name)
}

var plainName = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)

// where returns WHERE and the predicate of an index; empty if it has none.
func where(n *indexes.NewIndex) string {
	var parts []string
	if n.Predicate != "" {
		parts = append(parts, n.Predicate)
	}
	for _, m := range n.Markers {
		part := holds(m, n.Rows)
		if len(n.Markers) > 1 || n.Predicate != "" {
			part = "(" + part + ")"
		}
		parts = append(parts, part)
	}
	if len(parts) == 0 {
		return ""
	}
	return " WHERE " + strings.Join(parts, " AND ")
}

// holds returns the predicate of an index on the live rows of a marker, or on the rows to purge.
func holds(m softdelete.Marker, rows indexes.Purpose) string {
	if rows == indexes.Purge {
		return clock{}.decide(m, "purge index")
	}
	return clock{}.decide(m, "live index")
}
