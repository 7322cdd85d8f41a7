package inspect

import (
	"context"
	"slices"
	"strings"

	"github.com/softdelete-exporter/softdelete_exporter/discovery"
	"github.com/softdelete-exporter/softdelete_exporter/postgres"
	"github.com/softdelete-exporter/softdelete_exporter/predicate"
	"github.com/softdelete-exporter/softdelete_exporter/queries"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// askIndexes reads the predicates of the table's unique indexes, for the column to be judged by.
func (q *columnQuestion) askIndexes(ctx context.Context, s *postgres.Session) error {
	rows, err := postgres.Query[struct{ Predicate string }](ctx, s, queries.Evidence(q.column.OID))
	if err != nil {
		return err
	}
	q.UniquenessVersion, q.Predicates = q.column.UniquenessVersion, nil
	for _, row := range rows {
		q.Predicates = append(q.Predicates, row.Predicate)
	}
	return nil
}

// evidence is what the predicates of unique indexes say of a column.
func (r *refresh) evidence(c *column, predicates []string) discovery.Evidence {
	all := discoveryColumns([]column{*c})
	e := all[0].Evidence
	for _, text := range predicates {
		// The predicate is read as if the column marked deleted rows: it must keep all of them out.
		keepsOut := func(m softdelete.Marker) bool {
			scope := predicate.ScopeOf(softdelete.Markers{m}, text)
			return scope.Deleted == softdelete.None && scope.Live != softdelete.None
		}
		if softdelete.Classes[c.Type] == softdelete.TimeClass {
			e.OnlyNull = e.OnlyNull || keepsOut(softdelete.Marker{Column: c.Column, Kind: softdelete.Timestamp})
			continue
		}
		for _, word := range r.rules.DeletedWords(all[0]) {
			if !strings.Contains(text, "'"+word+"'") {
				continue // it is left out as any other word
			}
			if !slices.Contains(e.Excluded, word) &&
				keepsOut(softdelete.Marker{Column: c.Column, Kind: softdelete.Status, Deleted: []string{word}}) {
				e.Excluded = append(e.Excluded, word)
			}
		}
	}
	return e
}
