package inspect

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/softdelete-exporter/softdelete_exporter/postgres"
	"github.com/softdelete-exporter/softdelete_exporter/predicate"
	"github.com/softdelete-exporter/softdelete_exporter/queries"
	"github.com/softdelete-exporter/softdelete_exporter/rescue"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// detailRow is a row of queries.IndexDetails.
type detailRow struct {
	OID                        uint32
	Method                     string
	Keys                       int
	Columns                    []*string
	Rest                       []string
	Deparse                    bool
	Unique, Primary, Exclusion bool
	Deferrable                 bool
	NullsNotDistinct           bool
	ReplicaIdentity            bool
}

// deparseRow is a row of queries.IndexDeparse.
type deparseRow struct {
	OID         uint32
	Predicate   string
	Expressions []string
	// Generated are the expressions of the generated columns among the keys.
	Generated []string
}

// atOnce is how many indexes one query is about, so that it ends in time.
const atOnce = 1000

// readDetails completes the given indexes except for deparsed text. It returns those that must be deparsed, and those
// that could not be completed.
func (d *databaseRefresh) readDetails(ctx context.Context,
	indexes map[uint32]*softdelete.Index) (deparse map[uint32]bool, unread map[uint32]error, err error) {
	deparse, unread = map[uint32]bool{}, map[uint32]error{}
	for oids := range slices.Chunk(slices.Sorted(maps.Keys(indexes)), atOnce) {
		rows, err := postgres.Query[detailRow](ctx, d.session, queries.IndexDetails(oids))
		if err != nil {
			return nil, nil, fmt.Errorf("reading what the indexes are: %w", err)
		}
		for _, row := range rows {
			unread[row.OID] = rescue.Catch(func() error { return row.complete(indexes[row.OID]) })
			deparse[row.OID] = row.Deparse
		}
	}
	return deparse, unread, nil
}

// complete copies the row into an index.
func (row detailRow) complete(i *softdelete.Index) error {
	i.Method, i.Unique, i.Primary, i.Exclusion = row.Method, row.Unique, row.Primary, row.Exclusion
	i.Deferrable, i.NullsNotDistinct, i.ReplicaIdentity = row.Deferrable, row.NullsNotDistinct, row.ReplicaIdentity
	i.Scope = predicate.ScopeOf(nil, "")
	for n, column := range row.Columns {
		switch {
		case n >= row.Keys:
			i.Include = append(i.Include, *column)
		case column == nil:
			i.Keys = append(i.Keys, softdelete.Key{Rest: row.Rest[n]})
		default:
			i.Keys = append(i.Keys, softdelete.Key{Column: *column, Rest: row.Rest[n]})
		}
	}
	return nil
}

// deparsed returns the wanted indexes of one table about which something is known already.
func deparsed(x *softdelete.Indexing, wanted map[uint32]bool) (oids []uint32) {
	for _, i := range x.Indexes {
		if i.Method != "" && wanted[i.OID] {
			oids = append(oids, i.OID)
		}
	}
	slices.Sort(oids)
	return oids
}

// deparse completes the indexes of one table with their predicates and expressions. An index that was dropped
// meanwhile is left out.
func (d *databaseRefresh) deparse(ctx context.Context, t *table, x *softdelete.Indexing,
	wanted map[uint32]bool) error {
	x.Indexes = slices.DeleteFunc(x.Indexes, func(i softdelete.Index) bool { return i.Method == "" })
	oids := deparsed(x, wanted)
	if len(oids) == 0 {
		return nil
	}
	rows, err := postgres.Query[deparseRow](ctx, d.session, queries.IndexDeparse(oids))
	if err != nil {
		return err
	}
	at := map[uint32]*softdelete.Index{}
	for n := range x.Indexes {
		if i := &x.Indexes[n]; wanted[i.OID] {
			at[i.OID] = i
		}
	}
	for _, row := range rows {
		if text, found := d.session.Illegible(slices.Concat(row.Expressions, row.Generated,
			[]string{row.Predicate})...); found {
			return notText(text)
		}
		i := at[row.OID]
		delete(at, row.OID)
		i.Predicate = row.Predicate
		for n := range i.Keys {
			i.Keys[n].Expression, i.Keys[n].Generated = row.Expressions[n], row.Generated[n]
		}
		i.Scope = predicate.ScopeOf(t.Markers, i.Predicate)
		if i.Scope.Undecided() {
			if err := d.decide(ctx, t, i); err != nil {
				return err
			}
		}
	}
	x.Indexes = slices.DeleteFunc(x.Indexes, func(i softdelete.Index) bool { return at[i.OID] != nil })
	return nil
}

// decide asks the planner about a predicate that the exporter does not understand.
func (d *databaseRefresh) decide(ctx context.Context, t *table, i *softdelete.Index) error {
	if len(t.partitions) == 0 {
		return nil
	}
	l := t.partitions[0] // for a partitioned table, because the planner does not read the parent itself
	none, err := d.contradict(ctx, queries.DeletedContradicts(l.Schema, l.Name, i.Predicate, t.Markers))
	if err != nil {
		return err
	}
	if none {
		i.Scope.Deleted = softdelete.None
		return nil
	}
	if none, err = d.contradict(ctx, queries.LiveContradicts(l.Schema, l.Name, i.Predicate, t.Markers)); none {
		i.Scope.Live = softdelete.None
	}
	return err
}

// contradict reports whether the planner sees that a query returns no row. It returns false if the role may not read
// the columns, or if a function of a constraint fails.
func (d *databaseRefresh) contradict(ctx context.Context, sql string) (bool, error) {
	rows, err := postgres.QueryUnder[struct {
		Plan string `db:"QUERY PLAN"`
	}](ctx, d.session, d.session.ProvingLimits, sql)
	if postgres.Code(err) == postgres.InsufficientPrivilege || postgres.IsInFunction(err) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	var plans []struct {
		Plan struct {
			Filter string `json:"One-Time Filter"`
			Plans  []any
		}
	}
	if err := json.Unmarshal([]byte(rows[0].Plan), &plans); err != nil {
		return false, fmt.Errorf("reading a plan: %w", err)
	}
	return len(plans) == 1 && plans[0].Plan.Filter == "false" && len(plans[0].Plan.Plans) == 0, nil
}
