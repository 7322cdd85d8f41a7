package postgres

import (
	"strings"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"

	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// legible is a row in which every text is valid UTF-8.
type legible struct {
	pgx.CollectableRow
	s *Session
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
			l.s.noteAll(*texts)
		case *[][]*string:
			for _, row := range *texts {
				l.s.noteAll(row)
			}
		}
	}
	return nil
}

// escape makes a text legible; the text may be nil. An escaped text differs from the one in the database and
// must not be used in a statement, so the session remembers it.
func (s *Session) escape(text *string) {
	if text == nil {
		return
	}
	if escaped := softdelete.Legible(*text); escaped != *text {
		s.escaped[escaped] = true
		*text = escaped
	}
}

// note remembers an element of an array in which the driver replaced bytes that are not UTF-8.
func (s *Session) note(text string) {
	if strings.ContainsRune(text, utf8.RuneError) {
		s.escaped[text] = true
	}
}

func (s *Session) noteAll(texts []*string) {
	for _, text := range texts {
		if text != nil {
			s.note(*text)
		}
	}
}

// Illegible returns one of the texts that differs from the one in the database.
func (s *Session) Illegible(texts ...string) (text string, found bool) {
	for _, text := range texts {
		if s.escaped[text] {
			return text, true
		}
	}
	return "", false
}
