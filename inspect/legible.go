package inspect

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"

	"github.com/softdelete-exporter/softdelete_exporter/queries"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// legible is a row of which every text is valid UTF-8.
type legible struct {
	pgx.CollectableRow
	s *session
}

// Scan implements pgx.CollectableRow.
func (l legible) Scan(into ...any) error {
	if err := l.CollectableRow.Scan(into...); err != nil {
		return err
	}
	for _, field := range into {
		switch texts := field.(type) {
		case *string:
			l.s.escape(texts)
		case **string:
			l.s.escape(*texts)
		case *[]string:
			for _, text := range *texts {
				l.s.note(text)
			}
		case *[]*string:
			for _, text := range *texts {
				if text != nil {
					l.s.note(*text)
				}
			}
		}
	}
	return nil
}

// escape makes a text legible, which may be nil. One that was not is not as the database
// has it and may stand in no statement, so the session remembers it.
func (s *session) escape(text *string) {
	if text == nil {
		return
	}
	if escaped := softdelete.Legible(*text); escaped != *text {
		s.escaped[escaped] = true
		*text = escaped
	}
}

// note remembers an element of an array in which the driver replaced what is not UTF-8.
func (s *session) note(text string) {
	if strings.ContainsRune(text, utf8.RuneError) {
		s.escaped[text] = true
	}
}

// errUnnamed tells that a database has such a name, which no connection string can hold.
var errUnnamed = errors.New("its name is not valid UTF-8")

// illegible finds among texts one that is not as the database has it.
func (s *session) illegible(texts ...string) (text string, found bool) {
	for _, text := range texts {
		if s.escaped[text] {
			return text, true
		}
	}
	return "", false
}

// notText is the error of what holds such a text.
func notText(text string) error { return fmt.Errorf("%s is not valid UTF-8", text) }

// named tells which name of the indexes of a table no statement can write; nil if none.
func (s *session) named(x *softdelete.Indexing) error {
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
	if name, found := s.illegible(names...); found {
		return notText(name)
	}
	return nil
}

// writable keeps the names of those tables that the encoding of the database can write.
// The others cannot be there.
func (s *session) writable(ctx context.Context, schemas, relnames []string) (these, names []string) {
	for i, schema := range schemas {
		_, err := query[struct{ Text string }](ctx, s, queries.Writable(schema+"."+relnames[i]))
		if code(err) != untranslatable {
			these, names = append(these, schema), append(names, relnames[i])
		}
	}
	return these, names
}

// unnamed is the problem with a relation that no statement can name; nil if it can be
// named.
func (s *session) unnamed(oid uint32, schema, name string) *softdelete.Problem {
	p := &softdelete.Problem{Reason: softdelete.Unsupported}
	if _, found := s.illegible(schema); found {
		p.Message, p.Remedy = fmt.Sprintf("the name of schema %s is not valid UTF-8", schema), queries.RenameSchema(oid)
		return p
	}
	if _, found := s.illegible(name); found {
		p.Message, p.Remedy = fmt.Sprintf("the name of %s.%s is not valid UTF-8", schema, name), queries.RenameTable(oid)
		return p
	}
	return nil
}
