package inspect

import (
	"context"
	"slices"

	"github.com/softdelete-exporter/softdelete_exporter/discovery"
	"github.com/softdelete-exporter/softdelete_exporter/postgres"
	"github.com/softdelete-exporter/softdelete_exporter/predicate"
	"github.com/softdelete-exporter/softdelete_exporter/queries"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// partialIndex is a row of queries.Evidence.
type partialIndex struct {
	Name      string
	Strict    bool
	Predicate string
}

// askIndexes reads the predicates of the table's unique indexes, as evidence about the column.
func (q *columnQuestion) askIndexes(ctx context.Context, s *postgres.Session) error {
	rows, err := postgres.Query[partialIndex](ctx, s, queries.Evidence(q.column.OID))
	if err != nil {
		return err
	}
	q.UniquenessVersion, q.Predicates = q.column.UniquenessVersion, nil
	for _, row := range rows {
		if row.Strict {
			q.Predicates = append(q.Predicates, row.Predicate)
		}
	}
	return nil
}

// evidence returns what the predicates of unique indexes show about a column.
func (r *refresh) evidence(c *column, predicates []string) discovery.Evidence {
	e := discovery.Evidence{Mentioned: c.UniquenessVersion != ""}
	if softdelete.Classes[c.Type] == softdelete.TimeClass {
		e.OnlyNull = slices.ContainsFunc(predicates, func(p string) bool { return predicate.OnlyNull(c.Column, p) })
		return e
	}
	for _, word := range r.rules.DeletedWords(discovery.Column{Type: c.Type, Labels: c.Labels}) {
		if slices.ContainsFunc(predicates, func(p string) bool { return predicate.LeavesOut(c.Column, word, p) }) {
			e.Excluded = append(e.Excluded, word)
		}
	}
	return e
}

// noteEvidence records what unique indexes show about the column of a question; unread is why they could not be read
// this time.
func (r *refresh) noteEvidence(s *postgres.Session, q *columnQuestion, unread string) {
	a := &q.column.answer
	if err := r.catchStep(s, "evidence", q.column.Schema, q.column.Name, func() error {
		a.evidence = r.evidence(q.column, q.Predicates)
		return nil
	}); err != nil {
		a.fault = err
	}
	a.evidence.Unread = unread
}
