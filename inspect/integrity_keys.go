package inspect

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/softdelete-exporter/softdelete_exporter/postgres"
	"github.com/softdelete-exporter/softdelete_exporter/queries"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// foreignKey is a row of queries.ForeignKeys, between two watched tables.
type foreignKey struct {
	Name                           string
	Child, Parent                  uint32
	Columns, Referenced, Operators []string
	child, parent                  *table
	// problem is why it cannot be checked; nil if it can.
	problem *softdelete.Problem
}

func (k *foreignKey) reference() *softdelete.Reference {
	return &softdelete.Reference{Schema: k.parent.Schema, Name: k.parent.Name, Markers: k.parent.Markers,
		Columns: k.Columns, Referenced: k.Referenced, Operators: k.Operators}
}

// foreignKeys returns the foreign keys of the tables with checks that reference a watched table.
func (r *refresh) foreignKeys(ctx context.Context, s *postgres.Session, relations []table) ([]foreignKey, error) {
	at := map[uint32]*table{}
	var children, parents []uint32
	for i := range relations {
		t := &relations[i]
		if t.OID == 0 || len(t.Markers) == 0 {
			continue
		}
		at[t.OID] = t
		parents = append(parents, t.OID)
		if t.Policy.Integrity {
			children = append(children, t.OID)
		}
	}
	if len(children) == 0 {
		return nil, nil
	}
	keys, err := postgres.Query[foreignKey](ctx, s, queries.ForeignKeys(children, parents))
	if err != nil {
		return nil, fmt.Errorf("reading the foreign keys of database %q: %w", s.Database, err)
	}
	// An escaped name can equal the name of another key.
	byName := func(a, b foreignKey) int { return cmp.Or(cmp.Compare(a.Child, b.Child), cmp.Compare(a.Name, b.Name)) }
	slices.SortFunc(keys, byName)
	keys = slices.CompactFunc(keys, func(a, b foreignKey) bool { return byName(a, b) == 0 })
	for i := range keys {
		k := &keys[i]
		k.child, k.parent = at[k.Child], at[k.Parent]
		if column, found := s.Illegible(slices.Concat(k.Columns, k.Referenced, k.Operators)...); found {
			k.problem = &softdelete.Problem{Reason: softdelete.Unsupported, Message: notText(column).Error()}
		}
	}
	return keys, nil
}

// needed is a relation with the columns that a check reads in addition to its markers.
type needed struct {
	partition
	columns []string
}

// needs returns what the check of a foreign key reads in addition to what counting reads.
func (k *foreignKey) needs() []needed {
	if k == nil || k.problem != nil {
		return nil
	}
	var all []needed
	for _, l := range k.child.allPartitions() {
		all = append(all, needed{l, k.Columns})
	}
	for _, l := range k.parent.allPartitions() {
		all = append(all, needed{l, k.Referenced})
	}
	return all
}

// findRefused finds in the catalogs which checks lack a grant, so that their queries do not fail again and again.
func findRefused(ctx context.Context, s *postgres.Session, checks []*check) error {
	var relations []uint32
	var attnames []string
	for _, c := range checks {
		for _, n := range c.foreign.needs() {
			for _, column := range n.columns {
				relations, attnames = append(relations, n.OID), append(attnames, column)
			}
		}
	}
	if len(relations) == 0 {
		return nil
	}
	rows, err := postgres.Query[struct {
		Relation uint32
		Column   string
	}](ctx, s, queries.Unreadable(relations, attnames))
	if err != nil {
		return fmt.Errorf("reading what the role may read: %w", err)
	}
	denied := map[uint32][]string{}
	for _, row := range rows {
		denied[row.Relation] = append(denied[row.Relation], row.Column)
	}
	for _, c := range checks {
		c.refuse(denied, s.Role)
	}
	return nil
}

// refuse records which columns, by relation, the role may not read.
func (c *check) refuse(denied map[uint32][]string, role string) {
	var p *softdelete.Problem
	for _, n := range c.foreign.needs() {
		missing := slices.DeleteFunc(slices.Clone(n.columns),
			func(column string) bool { return !slices.Contains(denied[n.OID], column) })
		if len(missing) == 0 {
			continue
		}
		grant := queries.GrantColumns(n.Schema, n.Name, missing, role)
		if p == nil {
			p = &softdelete.Problem{Reason: softdelete.PermissionDenied,
				Message: fmt.Sprintf("no SELECT on column %q of %s.%s", missing[0], n.Schema, n.Name), Remedy: grant}
		} else if !strings.Contains(p.Remedy, grant) {
			p.Remedy += " " + grant
		}
	}
	if p != nil {
		c.Problem, c.refused = p, true
	}
}
