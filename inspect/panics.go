package inspect

import (
	"context"

	"github.com/softdelete-exporter/softdelete_exporter/postgres"
	"github.com/softdelete-exporter/softdelete_exporter/rescue"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// A panic affects only one table; or else one part of the work on a database; or else one database. Everything else
// that the refresh finds is kept.

// beginStep tells tests which step begins.
func (i *Inspector) beginStep(step, table string) {
	if i.each != nil {
		i.each(step, table)
	}
}

// catchStep runs one step about a table, whose name is logged if it panics.
func (r *refresh) catchStep(s *postgres.Session, step, schema, name string, do func() error) error {
	err := rescue.Catch(func() error {
		r.beginStep(step, name)
		return do()
	})
	if rescue.Is(err) {
		rescue.Log(r.Logger, err, "step", step, "datname", s.Database, "schemaname", schema, "relname", name)
		s.Calm()
	}
	return err
}

// catchTable runs one step about a table. A panic becomes the table's problem; if passing, the table is not paused
// for it.
func (d *databaseRefresh) catchTable(t *table, step string, passing bool, do func() error) error {
	err := d.refresh.catchStep(d.session, step, t.Schema, t.Name, do)
	if rescue.Is(err) {
		t.Fail(postgres.Problem(err), passing, d.refresh.began, d.refresh.config.TTL.Std())
	}
	return err
}

// catchPart runs one part of the work on a database.
func (d *databaseRefresh) catchPart(step string, do func()) {
	err := rescue.Catch(func() error {
		d.refresh.beginStep(step, "")
		do()
		return nil
	})
	if err != nil {
		rescue.Log(d.refresh.Logger, err, "step", step, "datname", d.session.Database)
		d.session.Calm()
	}
}

// catchDatabase refreshes a database. A panic affects only this database.
func (r *refresh) catchDatabase(ctx context.Context, name string) (seen string, err error) {
	caught := rescue.Catch(func() error {
		seen, err = r.refreshDatabase(ctx, name)
		return nil
	})
	switch {
	case caught == nil:
		return seen, err
	case name == "":
		return "", caught // there is no other database
	}
	rescue.Log(r.Logger, caught, "datname", name)
	r.markSkipped(name, softdelete.Checks{}, caught)
	return name, nil
}
