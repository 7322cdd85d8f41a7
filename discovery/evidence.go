package discovery

import (
	"slices"

	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// WithUniqueIndex are names that also stand for rows that are wanted. They mark deleted rows where
// uniqueness is enforced only among the rows in which the column is NULL.
const WithUniqueIndex Group = "with_unique_index"

// Evidence is what the unique indexes and exclusion constraints of a table say of a column.
type Evidence struct {
	// Mentioned means that the predicate or a key of one with a predicate has the column.
	Mentioned bool
	// OnlyNull means that one of them holds only rows in which the column is NULL.
	OnlyNull bool
	// Excluded are words for deleted rows that one of them leaves out.
	Excluded []string
	// Unread is why they could not be read this time; empty if they were, or need not be.
	Unread string
}

// speaks reports whether an index gives a column away.
func (e Evidence) speaks() bool { return e.OnlyNull || len(e.Excluded) > 0 }

// sole leaves out the columns that only an index speaks for, except the first where no other column
// marks deleted rows: they never are a second marker.
func sole(found []candidate) []candidate {
	byIndex := func(c candidate) bool { return c.rule.Group == WithUniqueIndex }
	others := slices.DeleteFunc(slices.Clone(found), byIndex)
	if len(others) == 0 && len(found) > 0 {
		return found[:1]
	}
	return others
}

// provable are the columns that the indexes must be asked about: those that their name alone does not
// tell of, in a table where nothing else marks deleted rows.
func (r Rules) provable(columns []Column) []candidate {
	if len(r.candidates(columns, fits, alwaysSet)) > 0 {
		return nil
	}
	var found []candidate
	for _, c := range r.candidates(columns, unknownName, switchedOff) {
		isTime := c.class() == softdelete.TimeClass && !c.NotNull
		switch {
		case !c.Evidence.Mentioned:
		case isTime && (c.reason == switchedOff || r.listsWithUniqueIndex(c.Column)),
			c.rule.Group == Statuses && slices.Contains(allowed[Statuses], c.class()):
			found = append(found, c)
		}
	}
	return found
}

// listsWithUniqueIndex reports whether a unique index is enough for the name of a column.
func (r Rules) listsWithUniqueIndex(c Column) bool {
	folded := softdelete.Fold(c.Name)
	return slices.ContainsFunc(r.Names, func(rule Rule) bool {
		return rule.On && rule.Group == WithUniqueIndex && rule.Name == folded
	})
}

// DeletedWords are the values of a status that mean deleted, in the spellings that it can have.
func (r Rules) DeletedWords(c Column) []string {
	if c.class() == softdelete.EnumClass {
		return r.labels(c)
	}
	var words []string
	for _, v := range r.StatusValues {
		words = append(words, spellings(v)...)
	}
	return words
}
