package inspect

import (
	"context"
	"slices"
	"time"

	"github.com/go-kit/log/level"

	"github.com/softdelete-exporter/softdelete_exporter/postgres"
	"github.com/softdelete-exporter/softdelete_exporter/queries"
	"github.com/softdelete-exporter/softdelete_exporter/rescue"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// defaultRow is a row of queries.Defaults: a default, or a value that rows got when the column was added, or both.
type defaultRow struct {
	Relation             uint32
	Column               string
	Missing              *string
	HasDefault, Constant bool
	// Expression is the default if it is constant; Type is the type of the column.
	Expression *string
	Type       string
}

// readDefaults reads the values that new rows get in the columns that may be markers. It returns what to keep: each
// constant is evaluated only once.
func (r *refresh) readDefaults(ctx context.Context, s *postgres.Session, tables [][]column,
	facts map[softdelete.ColumnID]softdelete.ColumnFacts,
	deadline time.Time) map[softdelete.ColumnID]softdelete.ColumnFacts {
	kept := map[softdelete.ColumnID]softdelete.ColumnFacts{}
	var relations []uint32
	var attnames []string
	for _, columns := range tables {
		for _, c := range columns {
			if c.answer.considered {
				relations, attnames = append(relations, c.OID), append(attnames, c.Column)
			}
		}
	}
	if len(relations) == 0 {
		return kept
	}
	rows, err := postgres.Repeat[defaultRow](ctx, s, queries.Defaults(relations, attnames))
	if err != nil {
		r.revisit(s.Database)
		level.Warn(r.log(ctx)).Log("msg", "cannot read the defaults of columns", "datname", s.Database, "err", err)
	}
	type key struct {
		oid  uint32
		name string
	}
	found := map[key][]defaultRow{}
	for _, row := range rows {
		k := key{row.Relation, row.Column}
		found[k] = append(found[k], row)
	}
	for _, columns := range tables {
		for i := range columns {
			c := &columns[i]
			if !c.answer.considered {
				continue
			}
			if err != nil {
				c.answer.unborn = whyUnread(err)
				continue
			}
			id := softdelete.ColumnID{Relation: c.OID, Attnum: c.Attnum}
			d := defaults{refresh: r, session: s, column: c, known: facts[id].Constants, deadline: deadline}
			d.note(ctx, found[key{c.OID, c.Column}])
			if zero := facts[id].Zero; zero != "" && !slices.Contains(c.answer.born, zero) {
				c.answer.born = append(c.answer.born, zero)
				slices.Sort(c.answer.born)
			}
			if zero := facts[id].Zero; len(d.kept) > 0 || zero != "" {
				kept[id] = softdelete.ColumnFacts{Constants: d.kept, Zero: zero}
			}
		}
	}
	return kept
}

// defaults are the defaults of one column, including those of the same column in partitions.
type defaults struct {
	refresh *refresh
	session *postgres.Session
	column  *column
	// known are the constants of the last refresh, kept those of this one.
	known, kept map[string]*string
	deadline    time.Time
}

// note records the values that new rows get in the column.
func (d *defaults) note(ctx context.Context, rows []defaultRow) {
	a := &d.column.answer
	born := func(value *string) {
		if value != nil && !slices.Contains(a.born, *value) {
			a.born = append(a.born, *value)
		}
	}
	for _, row := range rows {
		born(row.Missing)
		switch {
		case !row.HasDefault:
		case !row.Constant || row.Expression == nil:
			a.varies = true
		default:
			value, err := d.constant(ctx, row)
			switch {
			case err == nil:
				born(value)
			case rescue.Is(err):
				a.fault = err
			case passing(err):
				a.unborn = whyUnread(err)
				d.refresh.revisit(d.session.Database)
			default:
				a.varies = true // inserting a row would fail, too
			}
		}
	}
	slices.Sort(a.born)
}

// constant returns the value of a constant default; nil for NULL.
func (d *defaults) constant(ctx context.Context, row defaultRow) (value *string, err error) {
	if _, found := d.session.Illegible(*row.Expression); found {
		return row.Expression, nil // no marker can name such a value
	}
	question := queries.Constant(*row.Expression, row.Type)
	value, known := d.known[question]
	if !known {
		if time.Now().After(d.deadline) {
			return nil, context.DeadlineExceeded
		}
		err = d.refresh.catchStep(d.session, "columns", d.column.Schema, d.column.Name, func() error {
			rows, err := postgres.Query[struct{ Value *string }](ctx, d.session, question)
			if err == nil && len(rows) == 1 {
				value = rows[0].Value
			}
			return err
		})
		if err != nil {
			level.Warn(d.refresh.log(ctx)).Log("msg", "cannot evaluate a default", "datname", d.session.Database, "schemaname",
				d.column.Schema, "relname", d.column.Name, "column", d.column.Column, "err", err)
			return nil, err
		}
	}
	if d.kept == nil {
		d.kept = map[string]*string{}
	}
	d.kept[question] = value
	return value, nil
}

// passing reports whether the query may succeed at the next refresh: the error is not caused by the expression or by
// what it uses.
func passing(err error) bool {
	code := postgres.Code(err)
	return len(code) < 2 || !slices.Contains([]string{"22", "0A", "42", "54"}, code[:2])
}
