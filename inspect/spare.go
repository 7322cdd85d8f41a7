package inspect

import (
	"context"

	"github.com/softdelete-exporter/softdelete_exporter/postgres"
	"github.com/softdelete-exporter/softdelete_exporter/rescue"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// A panic costs no more than what it happened to: one table, else one part of the work
// on a database, else one database. What else the refresh finds is kept.

// begin tells the tests which step begins.
func (i *Inspector) begin(step, table string) {
	if i.each != nil {
		i.each(step, table)
	}
}

// catch does one step of what concerns a table, whose name the log is told of if it panics.
func (p *pass) catch(s *postgres.Session, step, schema, name string, do func() error) error {
	err := rescue.Catch(func() error {
		p.begin(step, name)
		return do()
	})
	if rescue.Is(err) {
		rescue.Log(p.Logger, err, "step", step, "datname", s.Database, "schemaname", schema, "relname", name)
		s.Calm()
	}
	return err
}

// spare does one step of what concerns a table. A panic becomes its problem; passing
// tells that the table is not left alone for that.
func (v *visit) spare(r *relation, step string, passing bool, do func() error) error {
	err := v.catch(v.Session, step, r.Schema, r.Name, do)
	if rescue.Is(err) {
		r.Fail(postgres.Problem(err), passing, v.began, v.config.TTL.Std())
	}
	return err
}

// part does one part of the work on a database.
func (v *visit) part(step string, do func()) {
	err := rescue.Catch(func() error {
		v.begin(step, "")
		do()
		return nil
	})
	if err != nil {
		rescue.Log(v.Logger, err, "step", step, "datname", v.Database)
		v.Calm()
	}
}

// spareVisit is a visit of which a panic costs the one database only.
func (p *pass) spareVisit(ctx context.Context, name string) (seen string, err error) {
	caught := rescue.Catch(func() error {
		seen, err = p.visit(ctx, name)
		return nil
	})
	switch {
	case caught == nil:
		return seen, err
	case name == "":
		return "", caught // there is no other
	}
	rescue.Log(p.Logger, caught, "datname", name)
	p.left(name, softdelete.Checks{}, caught)
	return name, nil
}
