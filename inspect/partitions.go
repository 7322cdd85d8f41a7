package inspect

import (
	"context"
	"fmt"
	"slices"

	"github.com/softdelete-exporter/softdelete_exporter/postgres"
	"github.com/softdelete-exporter/softdelete_exporter/queries"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// partition is a relation with rows.
type partition struct {
	// Root is the partitioned table of the partition.
	Root, OID             uint32
	Schema, Name, Relkind string
	Unlogged              bool
	Readable, RowSecurity bool
	// HasPolicies means that it has row-level security, for us or for others; visible that this hides
	// no row of it from us, although it is active.
	HasPolicies, visible bool
	// children is true if the relation is counted together with everything that inherits from it.
	children bool
	// Heap is true for an ordinary table, whose blocks can be sampled; Tids is true if the role may read ctid.
	Heap, Tids bool
}

// fewPartitions is how many partitions count as few. Up to so many ungranted partitions are counted through their
// parent, which locks all of them at once; and up to so many sampled partitions are asked for their indexes.
const fewPartitions = 50

// findPartitions finds the relations with the rows of each table, and whatever prevents reading them.
func (r *refresh) findPartitions(ctx context.Context, s *postgres.Session, relations []table) error {
	elsewhere, err := storedByExtension(ctx, s)
	if err != nil {
		return err
	}
	var roots []uint32
	at := map[uint32]*table{}
	for i := range relations {
		t := &relations[i]
		switch {
		case elsewhere[t.OID]:
			t.partitions = []partition{t.asOneRelation()}
		case t.partitions == nil && t.OID != 0 &&
			(t.catalogProblem == nil ||
				t.catalogProblem.Reason == softdelete.PermissionDenied): // the grants for it include the partitions
			roots = append(roots, t.OID)
			at[t.OID] = t
		}
	}
	if len(roots) > 0 {
		partitions, err := postgres.Repeat[partition](ctx, s, queries.Partitions(roots))
		if err != nil {
			return fmt.Errorf("reading the partitions of database %q: %w", s.Database, err)
		}
		for _, t := range at {
			t.dropped = true // unless it is in the result, by its name
		}
		for _, l := range partitions {
			t := at[l.Root]
			t.dropped = t.dropped && (l.OID != l.Root || l.Schema != t.Schema || l.Name != t.Name)
			if l.Relkind != "p" {
				t.partitions = append(t.partitions, l)
			}
		}
	}
	if err := findVisible(ctx, s, relations); err != nil {
		return err
	}
	for i := range relations {
		t := &relations[i]
		err := r.catchStep(s, "partitions", t.Schema, t.Name, func() error {
			t.findWhatHidesPartitions(s)
			return nil
		})
		if err != nil {
			why := postgres.Problem(err)
			t.catalogProblem = &why
		}
	}
	return nil
}

// allPartitions returns the partitions that the role should be able to read.
func (t *table) allPartitions() []partition { return slices.Concat(t.partitions, t.ungranted) }

// asOneRelation returns the table as one relation, counted with everything that inherits from it. Then only the
// table's own grants and policies apply.
func (t *table) asOneRelation() partition {
	return partition{OID: t.OID, Schema: t.Schema, Name: t.Name, Relkind: "r", Readable: true, RowSecurity: t.rowSecurity,
		visible:  t.visible,
		children: true}
}

// storedByExtension returns the tables whose own files are empty because an extension keeps the rows elsewhere.
// Counted by themselves they would seem empty.
func storedByExtension(ctx context.Context, s *postgres.Session) (map[uint32]bool, error) {
	found := map[uint32]bool{}
	for question, asked := range map[string]bool{queries.Citus(): s.Citus, queries.Timescale(): s.Timescale} {
		if !asked {
			continue
		}
		rows, err := postgres.Repeat[struct{ OID uint32 }](ctx, s, question)
		if err != nil {
			return nil, fmt.Errorf("reading which tables an extension distributes in database %q: %w", s.Database, err)
		}
		for _, r := range rows {
			found[r.OID] = true
		}
	}
	return found, nil
}

// findWhatHidesPartitions finds what prevents reading the partitions.
func (t *table) findWhatHidesPartitions(s *postgres.Session) {
	if t.catalogProblem != nil {
		return
	}
	var denied []string
	for _, l := range t.partitions {
		unnamed := unnamed(s, l.OID, l.Schema, l.Name)
		switch {
		case unnamed != nil:
			t.Markers, t.catalogProblem = nil, unnamed
		case l.Relkind != "r":
			t.catalogProblem = &softdelete.Problem{Reason: softdelete.Unsupported,
				Message: fmt.Sprintf("partition %s.%s is %s", l.Schema, l.Name, relkinds[l.Relkind])}
		case l.Unlogged && s.Standby:
			t.catalogProblem = &softdelete.Problem{Reason: softdelete.Unsupported,
				Message: fmt.Sprintf("%s.%s is unlogged and cannot be read on a standby", l.Schema, l.Name),
				Remedy:  "watch the primary instead"}
		case l.RowSecurity && !l.visible:
			t.catalogProblem = l.hidden(s)
		case !l.Readable:
			denied = append(denied, queries.GrantColumns(l.Schema, l.Name, t.Markers.Columns(), s.Role))
		}
	}
	switch {
	case t.catalogProblem != nil || len(denied) == 0:
	case len(t.partitions) <= fewPartitions:
		t.partitions, t.ungranted = []partition{t.asOneRelation()}, t.partitions
		if t.rowSecurity && !t.visible {
			t.catalogProblem = t.partitions[0].hidden(s)
		}
	default:
		t.catalogProblem = &softdelete.Problem{Reason: softdelete.PermissionDenied,
			Message: fmt.Sprintf("no SELECT on %d of the %d partitions of %s.%s", len(denied), len(t.partitions),
				t.Schema, t.Name),
			Remedy: denied[0] + " -- and the same for the others: softdelete_exporter grants prints all of them"}
	}
}

// hidden returns the problem that policies hide rows from the role.
func (l partition) hidden(s *postgres.Session) *softdelete.Problem {
	return &softdelete.Problem{Reason: softdelete.RowSecurity,
		Message: fmt.Sprintf("row-level security hides rows of %s.%s from role %q", l.Schema, l.Name, s.Role),
		Remedy:  queries.ShowAllRows(l.Schema, l.Name, s.Role)}
}
