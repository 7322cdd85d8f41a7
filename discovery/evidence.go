package discovery

import (
	"slices"

	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// WithUniqueIndex is the group of names that are also used for rows that are not deleted. They mark deleted rows if
// uniqueness is enforced only among the rows in which the column is NULL.
const WithUniqueIndex Group = "with_unique_index"

// Evidence is what the unique indexes and exclusion constraints of a table show about a column.
type Evidence struct {
	// Mentioned is true if one that has a predicate uses the column, in the predicate or in a key.
	Mentioned bool
	// OnlyNull is true if one of them contains only rows in which the column is NULL.
	OnlyNull bool
	// Excluded are words for deleted rows that one of them leaves out.
	Excluded []string
	// Unread is why they could not be read this time; empty if they were read, or are not needed.
	Unread string
}

// speaks reports whether an index suggests that the column is a marker.
func (e Evidence) speaks() bool { return e.OnlyNull || len(e.Excluded) > 0 }

// sole removes columns that only an index suggests, except the first one if no other column marks deleted rows: such
// a column is never a second marker.
func sole(found []candidate) []candidate {
	byIndex := func(c candidate) bool { return c.rule.Group == WithUniqueIndex }
	others := slices.DeleteFunc(slices.Clone(found), byIndex)
	if len(others) == 0 && len(found) > 0 {
		return found[:1]
	}
	return others
}

// provable returns the columns for which the indexes must be read: columns whose name alone is not enough, in a table
// that has no other marker.
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

// listsWithUniqueIndex reports whether a unique index is enough for a column of this name.
func (r Rules) listsWithUniqueIndex(c Column) bool {
	folded := softdelete.Fold(c.Name)
	return slices.ContainsFunc(r.Names, func(rule Rule) bool {
		return rule.On && rule.Group == WithUniqueIndex && rule.Name == folded
	})
}

// DeletedWords returns the values of a status that mean deleted, in all spellings that it can have.
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
