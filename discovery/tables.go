package discovery

import (
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// TableRule is a pattern of table names.
type TableRule struct {
	// Name is the pattern as written. A pattern with an escaped dot is matched against schema.table.
	Name    string
	Pattern *regexp.Regexp
	On      bool
}

// matches reports whether the rule is on and matches the name of a table, as it is or in snake case.
func (t TableRule) matches(schema, table string) bool {
	name := table
	if strings.Contains(t.Name, `\.`) {
		name = schema + "." + table
	}
	return t.On && (t.Pattern.MatchString(name) || t.Pattern.MatchString(snakeCase(name)))
}

// firstMatch returns the first rule that matches a table; nil if none does.
func firstMatch(rules []TableRule, schema, table string) *TableRule {
	i := slices.IndexFunc(rules, func(t TableRule) bool { return t.matches(schema, table) })
	if i < 0 {
		return nil
	}
	return &rules[i]
}

// copies returns the rule that says that a table's rows are copies or jobs; nil if there is none.
func (r Rules) copies(schema, table string, columns []Column) *TableRule {
	rule := firstMatch(r.Copies, schema, table)
	if rule != nil && firstMatch(r.CopiesWithTime, schema, table) != nil && r.hasOwnTime(columns) {
		return nil
	}
	return rule
}

// hasOwnTime reports whether the only marker among the columns is a time that may be NULL. A copy would also have the
// flag of the original, if there is one.
func (r Rules) hasOwnTime(columns []Column) bool {
	found := sole(r.candidates(columns, fits))
	return len(found) > 0 && !slices.ContainsFunc(found, func(c candidate) bool {
		return c.rule.Group != Times || c.class() != softdelete.TimeClass || c.NotNull
	})
}

// snakeCase writes a name without capitals: user_histories for UserHistories.
func snakeCase(name string) string {
	letters := []rune(name)
	var snake strings.Builder
	for i, c := range letters {
		if i > 0 && unicode.IsUpper(c) {
			before, ends := letters[i-1], i+1 < len(letters) && unicode.IsLower(letters[i+1])
			if unicode.IsLower(before) || unicode.IsDigit(before) || unicode.IsUpper(before) && ends {
				snake.WriteRune('_')
			}
		}
		snake.WriteRune(unicode.ToLower(c))
	}
	return snake.String()
}
