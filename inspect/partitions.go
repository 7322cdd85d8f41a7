package inspect

import (
	"context"
	"fmt"
	"slices"

	"github.com/softdelete-exporter/softdelete_exporter/postgres"
	"github.com/softdelete-exporter/softdelete_exporter/queries"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// partition is a relation that holds rows.
type partition struct {
	// Root is the partitioned table that the partition belongs to.
	Root, OID             uint32
	Schema, Name, Relkind string
	Unlogged              bool
	Readable, RowSecurity bool
	// HasPolicies means that it has row-level security, for us or for others; visible that this hides
	// no row of it from us, although it is active.
	HasPolicies, visible bool
	// children means that the relation is counted with all that inherits from it.
	children bool
	// Heap means that it is an ordinary table, whose blocks can be sampled; Tids that we
	// may tell one block from another.
	Heap, Tids bool
}

// fewPartitions is how many partitions are still few: so many that are not granted are counted
// through their parent, which locks all of them at once, and of so many that are sampled
// the indexes are asked.
const fewPartitions = 50

// findPartitions gives each table the relations that hold its rows, and finds what
// keeps us from reading them.
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
				t.catalogProblem.Reason == softdelete.PermissionDenied): // whose grants reach the partitions, too
			roots = append(roots, t.OID)
			at[t.OID] = t
		}
	}
	if len(roots) > 0 {
		partitions, err := postgres.Query[partition](ctx, s, queries.Partitions(roots))
		if err != nil {
			return fmt.Errorf("reading the partitions of database %q: %w", s.Database, err)
		}
		for _, t := range at {
			t.dropped = true // unless it is among the answers, by its name
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

// allPartitions partition is a relation that the role should be let read.
func (t *table) allPartitions() []partition { return slices.Concat(t.partitions, t.ungranted) }

// asOneRelation is the table as one relation, counted with all that inherits from it. Then
// the table's own grants and policies hold, and no others.
func (t *table) asOneRelation() partition {
	return partition{OID: t.OID, Schema: t.Schema, Name: t.Name, Relkind: "r", Readable: true, RowSecurity: t.rowSecurity,
		visible:  t.visible,
		children: true}
}

// storedByExtension are the tables whose own files are empty because an extension keeps
// the rows in other ones. Counted by themselves, they would seem empty.
func storedByExtension(ctx context.Context, s *postgres.Session) (map[uint32]bool, error) {
	found := map[uint32]bool{}
	for question, asked := range map[string]bool{queries.Citus(): s.Citus, queries.Timescale(): s.Timescale} {
		if !asked {
			continue
		}
		rows, err := postgres.Query[struct{ OID uint32 }](ctx, s, question)
		if err != nil {
			return nil, fmt.Errorf("reading which tables an extension distributes in database %q: %w", s.Database, err)
		}
		for _, r := range rows {
			found[r.OID] = true
		}
	}
	return found, nil
}

// findWhatHidesPartitions finds what keeps us from reading the partitions.
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

// hidden says that policies hide rows from us.
func (l partition) hidden(s *postgres.Session) *softdelete.Problem {
	return &softdelete.Problem{Reason: softdelete.RowSecurity,
		Message: fmt.Sprintf("row-level security hides rows of %s.%s from role %q", l.Schema, l.Name, s.Role),
		Remedy:  queries.ShowAllRows(l.Schema, l.Name, s.Role)}
}
