package inspect

import (
	"context"
	"fmt"
	"slices"

	"github.com/softdelete-exporter/softdelete_exporter/postgres"
	"github.com/softdelete-exporter/softdelete_exporter/queries"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// leaf is a relation that holds rows.
type leaf struct {
	// Root is the partitioned table that the leaf belongs to.
	Root, OID             uint32
	Schema, Name, Relkind string
	Unlogged              bool
	Readable, RowSecurity bool
	// children tells that the relation is counted with all that inherits from it.
	children bool
	// Heap tells that it is an ordinary table, whose blocks can be sampled; Tids that we
	// may tell one block from another.
	Heap, Tids bool
}

// fewLeaves is how many leaves are still few: so many that are not granted are counted
// through their parent, which locks all of them at once, and of so many that are sampled
// the indexes are asked.
const fewLeaves = 50

// findLeaves gives each table the relations that hold its rows, and finds what
// keeps us from reading them.
func (p *pass) findLeaves(ctx context.Context, s *postgres.Session, relations []relation) error {
	elsewhere, err := storedByExtension(ctx, s)
	if err != nil {
		return err
	}
	var roots []uint32
	at := map[uint32]*relation{}
	for i := range relations {
		r := &relations[i]
		switch {
		case elsewhere[r.OID]:
			r.leaves = []leaf{r.whole()}
		case r.leaves == nil && r.OID != 0 && (r.obstacle == nil || r.obstacle.Reason == softdelete.PermissionDenied): // whose grants reach the leaves, too
			roots = append(roots, r.OID)
			at[r.OID] = r
		}
	}
	if len(roots) > 0 {
		leaves, err := postgres.Query[leaf](ctx, s, queries.Leaves(roots))
		if err != nil {
			return fmt.Errorf("reading the partitions of database %q: %w", s.Database, err)
		}
		for _, r := range at {
			r.dropped = true // unless it is among the answers, by its name
		}
		for _, l := range leaves {
			r := at[l.Root]
			r.dropped = r.dropped && (l.OID != l.Root || l.Schema != r.Schema || l.Name != r.Name)
			if l.Relkind != "p" {
				r.leaves = append(r.leaves, l)
			}
		}
	}
	for i := range relations {
		r := &relations[i]
		err := p.catch(s, "leaves", r.Schema, r.Name, func() error {
			r.inspectLeaves(s)
			return nil
		})
		if err != nil {
			why := postgres.Problem(err)
			r.obstacle = &why
		}
	}
	return nil
}

// every leaf is a relation that the role should be let read.
func (r *relation) every() []leaf { return slices.Concat(r.leaves, r.ungranted) }

// whole is the table as one relation, counted with all that inherits from it. Then
// the table's own grants and policies hold, and no others.
func (r *relation) whole() leaf {
	return leaf{OID: r.OID, Schema: r.Schema, Name: r.Name, Relkind: "r", Readable: true, RowSecurity: r.rowSecurity, children: true}
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

// inspectLeaves finds what keeps us from reading the leaves.
func (r *relation) inspectLeaves(s *postgres.Session) {
	if r.obstacle != nil {
		return
	}
	var denied []string
	for _, l := range r.leaves {
		unnamed := unnamed(s, l.OID, l.Schema, l.Name)
		switch {
		case unnamed != nil:
			r.Markers, r.obstacle = nil, unnamed
		case l.Relkind != "r":
			r.obstacle = &softdelete.Problem{Reason: softdelete.Unsupported, Message: fmt.Sprintf("partition %s.%s is %s", l.Schema, l.Name, relkinds[l.Relkind])}
		case l.Unlogged && s.Standby:
			r.obstacle = &softdelete.Problem{Reason: softdelete.Unsupported, Message: fmt.Sprintf("%s.%s is unlogged and cannot be read on a standby", l.Schema, l.Name),
				Remedy: "ask the primary instead"}
		case l.RowSecurity:
			r.obstacle = l.hidden(s)
		case !l.Readable:
			denied = append(denied, queries.GrantColumns(l.Schema, l.Name, r.Markers.Columns(), s.Role))
		}
	}
	switch {
	case r.obstacle != nil || len(denied) == 0:
	case len(r.leaves) <= fewLeaves:
		r.leaves, r.ungranted = []leaf{r.whole()}, r.leaves
		if r.rowSecurity {
			r.obstacle = r.leaves[0].hidden(s)
		}
	default:
		r.obstacle = &softdelete.Problem{Reason: softdelete.PermissionDenied,
			Message: fmt.Sprintf("no SELECT on %d of the %d partitions of %s.%s", len(denied), len(r.leaves), r.Schema, r.Name),
			Remedy:  denied[0] + " -- and likewise the others: softdelete_exporter grants prints them all"}
	}
}

// hidden says that policies hide rows from us.
func (l leaf) hidden(s *postgres.Session) *softdelete.Problem {
	return &softdelete.Problem{Reason: softdelete.RowSecurity, Message: fmt.Sprintf("row-level security hides rows of %s.%s from role %q", l.Schema, l.Name, s.Role),
		Remedy: queries.BypassRowSecurity(s.Role)}
}
