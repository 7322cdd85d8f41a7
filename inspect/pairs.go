package inspect

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/softdelete-exporter/softdelete_exporter/postgres"
	"github.com/softdelete-exporter/softdelete_exporter/predicate"
	"github.com/softdelete-exporter/softdelete_exporter/queries"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// agreements returns how often the flag and the time of each marker agree in the rows that were read.
func (c *count) agreements() []*softdelete.Agreement {
	all := make([]*softdelete.Agreement, len(c.table.Markers))
	for i := range all {
		both, timeless, timed := at(c.observed.Both, i), at(c.observed.Timeless, i), at(c.observed.Timed, i)
		if both != nil && timeless != nil && timed != nil {
			all[i] = &softdelete.Agreement{Both: *both, Timeless: *timeless, Timed: *timed}
		}
	}
	return all
}

// dispute returns what is not certain about a marker. The indexes are read only if it is a pair of which more than a
// few rows disagree.
func (c *count) dispute(ctx context.Context, i int, n *softdelete.Numbers) (softdelete.Dispute, error) {
	d := softdelete.Dispute{Marker: c.table.Markers[i], Agreement: c.agreements()[i], Exact: n.Method == softdelete.Exact}
	if d.Agreement == nil || !d.Agreement.Disagrees() {
		return d, nil
	}
	byTime, err := partialOnTime(ctx, c.session, c.table)
	d.Index = byTime[d.Marker.Column]
	return d, err
}

// partialOnTime reads which indexes of a table are partial on the time of a pair alone, by the flag of the pair.
func partialOnTime(ctx context.Context, s *postgres.Session, t *table) (map[string]string, error) {
	rows, err := postgres.Query[partialIndex](ctx, s, queries.Evidence(t.OID))
	if err != nil {
		return nil, fmt.Errorf("reading the partial indexes of %s.%s: %w", t.Schema, t.Name, err)
	}
	indexes := make([]softdelete.Index, len(rows))
	for i, row := range rows {
		indexes[i] = softdelete.Index{Name: row.Name, Predicate: row.Predicate, Valid: true}
	}
	return t.byTime(indexes), nil
}

// byTime returns the indexes that are partial on the time of a pair alone, by the flag of the pair. A pair of which a
// column is generated is left out, because the one is made from the other.
func (t *table) byTime(indexes []softdelete.Index) map[string]string {
	found := map[string]string{}
	for _, m := range t.Markers {
		if !m.Found() || t.generated[m.Column] || t.generated[m.Time.Column] {
			continue
		}
		alone := softdelete.Markers{m.TimeAlone()}
		partialOn := func(holds func(string) bool) int {
			return slices.IndexFunc(indexes, func(i softdelete.Index) bool { return i.Valid && holds(i.Predicate) })
		}
		time := partialOn(func(p string) bool { return predicate.ScopeOf(alone, p).LiveOnly() })
		flag := partialOn(func(p string) bool { return predicate.Mentions(p, []string{m.Column}) })
		if time >= 0 && flag < 0 {
			found[m.Column] = indexes[time].Name
		}
	}
	return found
}

// undecidable reports whether an index that was found after the count makes the numbers uncertain.
func (t *table) undecidable() bool {
	return slices.ContainsFunc(t.Disputes(), softdelete.Dispute.Undecidable)
}

// findDisputes finds out, without a refresh, of which pairs it is not certain which column decides. It ignores errors,
// because counting reports them.
func (r *refresh) findDisputes(ctx context.Context, s *postgres.Session, tables []table) {
	for i := range tables {
		t := &tables[i]
		if t.catalogProblem != nil || !slices.ContainsFunc(t.Markers, softdelete.Marker.Found) || s.Broken() {
			continue
		}
		if byTime, err := partialOnTime(ctx, s, t); err == nil {
			t.Indexing = &softdelete.Indexing{ByTime: byTime}
		}
		s.Guarded = t.guardedPartitions()
		numbers, err := (&databaseRefresh{refresh: r, session: s}).count(ctx, t)
		s.Guarded = nil
		if u := (*unclearError)(nil); errors.As(err, &u) {
			t.catalogProblem = &u.Problem
		} else if err == nil {
			t.Numbers = numbers
		}
	}
}
