package inspect

import (
	"context"
	"fmt"

	"github.com/softdelete-exporter/softdelete_exporter/postgres"
	"github.com/softdelete-exporter/softdelete_exporter/queries"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// notText returns the error about something that contains such a text.
func notText(text string) error { return fmt.Errorf("%s is not valid UTF-8", text) }

// namable returns an error if a name among the indexes of a table cannot be written in a statement; nil otherwise.
func namable(s *postgres.Session, x *softdelete.Indexing) error {
	var names []string
	for _, i := range x.Indexes {
		names = append(names, i.Schema, i.Name, i.Constraint)
		names = append(names, i.Include...)
		for _, k := range i.Keys {
			names = append(names, k.Column, k.Rest)
		}
		for _, p := range i.Partitions {
			names = append(names, p.Schema, p.Name)
		}
	}
	for _, p := range x.Partitions {
		names = append(names, p.Schema, p.Name)
	}
	for _, columns := range x.ForeignKeys {
		names = append(names, columns...)
	}
	if name, found := s.Illegible(names...); found {
		return notText(name)
	}
	return nil
}

// writable returns those tables whose names the encoding of the database can represent. The others cannot exist
// there.
func writable(ctx context.Context, s *postgres.Session, schemas, relnames []string) (these, names []string) {
	for i, schema := range schemas {
		_, err := postgres.Query[struct{ Text string }](ctx, s, queries.Writable(schema+"."+relnames[i]))
		if postgres.Code(err) != postgres.Untranslatable {
			these, names = append(these, schema), append(names, relnames[i])
		}
	}
	return these, names
}

// unnamed returns the problem of a relation whose name cannot be written in a statement; nil if it can.
func unnamed(s *postgres.Session, oid uint32, schema, name string) *softdelete.Problem {
	p := &softdelete.Problem{Reason: softdelete.Unsupported}
	if _, found := s.Illegible(schema); found {
		p.Message, p.Remedy = fmt.Sprintf("the name of schema %s is not valid UTF-8", schema), queries.RenameSchema(oid)
		return p
	}
	if _, found := s.Illegible(name); found {
		p.Message, p.Remedy = fmt.Sprintf("the name of %s.%s is not valid UTF-8", schema, name), queries.RenameTable(oid)
		return p
	}
	return nil
}
