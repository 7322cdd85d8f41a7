package inspect

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/softdelete-exporter/softdelete_exporter/postgres"
	"github.com/softdelete-exporter/softdelete_exporter/queries"
)

// findVisible finds out of which relations with row-level security no row is hidden from us.
func findVisible(ctx context.Context, s *postgres.Session, relations []table) error {
	var guarded []uint32
	for i := range relations {
		guarded = append(guarded, relations[i].guarded()...)
	}
	if len(guarded) == 0 {
		return nil
	}
	rows, err := postgres.Repeat[struct{ OID uint32 }](ctx, s, queries.Visible(guarded))
	if err != nil {
		return fmt.Errorf("reading the policies of database %q: %w", s.Database, err)
	}
	visible := map[uint32]bool{}
	for _, r := range rows {
		visible[r.OID] = true
	}
	for i := range relations {
		t := &relations[i]
		t.visible = visible[t.OID]
		for j := range t.partitions {
			t.partitions[j].visible = visible[t.partitions[j].OID]
		}
	}
	return nil
}

// guarded are the relations of the table that have row-level security which is active for us.
func (t *table) guarded() []uint32 {
	var all []uint32
	if t.rowSecurity {
		all = append(all, t.OID)
	}
	for _, l := range t.partitions {
		if l.RowSecurity && !slices.Contains(all, l.OID) {
			all = append(all, l.OID)
		}
	}
	return all
}

// guardedPartitions are those of them that are read.
func (t *table) guardedPartitions() []uint32 {
	return slices.DeleteFunc(t.guarded(), func(oid uint32) bool {
		return !slices.ContainsFunc(t.partitions, func(l partition) bool { return l.OID == oid })
	})
}

// hiddenRows say, as comments, how to let a role read all rows of the table and its partitions:
// whether row-level security hides any from that role is not known here.
func (t *table) hiddenRows(role string) []string {
	var all []string
	add := func(schema, name string) {
		all = append(all, strings.TrimSuffix(queries.Comment(
			"Row-level security may hide rows of "+schema+"."+name+" from the role. If it does:",
			queries.ShowAllRows(schema, name, role)), "\n"))
	}
	if t.hasPolicies {
		add(t.Schema, t.Name)
	}
	for _, l := range t.allPartitions() {
		if l.HasPolicies && l.OID != t.OID {
			add(l.Schema, l.Name)
		}
	}
	return all
}
