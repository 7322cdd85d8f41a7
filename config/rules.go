package config

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/softdelete-exporter/softdelete_exporter/discovery"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// Rules are the names by which discovery recognizes columns that mark deleted rows.
type Rules struct {
	// Times say when a row was deleted: a time or an integer, which is NULL or 0 for live rows.
	Times Names `yaml:"times"`
	// Epochs say the same, but only as an integer; a time of such a name is a planned deletion.
	Epochs Names `yaml:"epochs"`
	// TextTimes say the same as a text, which is NULL for live rows.
	TextTimes Names `yaml:"text_times"`
	// Flags say whether a row is deleted: a boolean, an integer or a short text.
	Flags Names `yaml:"flags"`
	// InvertedFlags say whether a row is live.
	InvertedFlags Names `yaml:"inverted_flags"`
	// Statuses say which state a row is in: a text or an enum.
	Statuses Names `yaml:"statuses"`
	// WithUniqueIndex are times whose names are also used for rows that are not deleted. One is used if a unique
	// index or exclusion constraint contains only rows in which it is NULL, and no other column marks deleted rows.
	WithUniqueIndex Names `yaml:"with_unique_index"`
	// StatusValues are the states that mean deleted, in lower case.
	StatusValues Switches `yaml:"status_values"`
	// Copies are patterns of the names of tables that hold copies of other rows, a log of deletions, or jobs. Those
	// with an escaped dot are matched against schema.table.
	Copies Switches `yaml:"copies"`
	// CopiesWithTime are patterns of those tables whose rows can still be deleted themselves: the table is watched if
	// its only marker is a deletion time that may be NULL.
	CopiesWithTime Switches `yaml:"copies_with_time"`
	// UnusedComments are patterns of comments that say that a column is not in use.
	UnusedComments Switches `yaml:"unused_comments"`
}

// Switches is an ordered list of texts that are on or off. The user's file can switch or add some; the others
// keep their defaults.
type Switches []Switch

// Names are switches for column names. Only the letters and digits of a name count.
type Names []Switch

// Switch is one text that is on or off.
type Switch struct {
	Name string
	On   bool
}

// UnmarshalYAML merges the switches of the file into the existing ones.
func (s *Switches) UnmarshalYAML(node *yaml.Node) error {
	return merge((*[]Switch)(s), node, func(name string) string { return name })
}

// UnmarshalYAML merges the switches of the file into the existing ones.
func (n *Names) UnmarshalYAML(node *yaml.Node) error {
	return merge((*[]Switch)(n), node, softdelete.Fold)
}

func merge(into *[]Switch, node *yaml.Node, key func(string) string) error {
	if node.Kind != yaml.MappingNode {
		return fault(node, "each name must be switched on or off; write {name: on}")
	}
	merged := slices.Clone(*into)
	seen := map[string]string{}
	var faults yaml.TypeError
	fault := func(at *yaml.Node, format string, args ...any) {
		faults.Errors = append(faults.Errors, fmt.Sprintf("line %d: ", at.Line)+fmt.Sprintf(format, args...))
	}
	for i := 0; i+1 < len(node.Content); i += 2 {
		name, value := node.Content[i], node.Content[i+1]
		s := Switch{Name: key(name.Value)}
		if err := value.Decode(&s.On); err != nil {
			fault(value, "%s must be on or off, not %q", name.Value, value.Value)
		}
		if s.Name == "" {
			fault(name, "%q has no letter or digit, so it matches no column", name.Value)
		}
		if other, twice := seen[s.Name]; twice {
			fault(name, "%s and %s are the same name; keep one", other, name.Value)
		}
		seen[s.Name] = name.Value
		if at := slices.IndexFunc(merged, func(o Switch) bool { return o.Name == s.Name }); at >= 0 {
			merged[at] = s
		} else {
			merged = append(merged, s)
		}
	}
	if len(faults.Errors) > 0 {
		return &faults
	}
	*into = merged
	return nil
}

// on returns the names that are switched on.
func (s Switches) on() []string {
	var names []string
	for _, n := range s {
		if n.On {
			names = append(names, n.Name)
		}
	}
	return names
}

// tables returns the patterns in the form that discovery uses.
func (s Switches) tables() []discovery.TableRule {
	var rules []discovery.TableRule
	for _, n := range s {
		rules = append(rules, discovery.TableRule{Name: n.Name, Pattern: regexp.MustCompile(whole(n.Name)), On: n.On})
	}
	return rules
}

// columns returns the rules for columns by group, the most certain group first.
func (r Rules) columns() []columnRules {
	return []columnRules{
		{discovery.Times, r.Times}, {discovery.Epochs, r.Epochs}, {discovery.TextTimes, r.TextTimes},
		{discovery.Flags, r.Flags}, {discovery.InvertedFlags, r.InvertedFlags}, {discovery.Statuses, r.Statuses},
		{discovery.WithUniqueIndex, r.WithUniqueIndex},
	}
}

type columnRules struct {
	group discovery.Group
	names Names
}

// Compiled returns the rules in the form that discovery uses.
func (r Rules) Compiled() discovery.Rules {
	rules := discovery.Rules{StatusValues: r.StatusValues.on()}
	for _, c := range r.columns() {
		for _, n := range c.names {
			rules.Names = append(rules.Names, discovery.Rule{Group: c.group, Name: n.Name, On: n.On})
		}
	}
	rules.Copies, rules.CopiesWithTime = r.Copies.tables(), r.CopiesWithTime.tables()
	for _, name := range r.UnusedComments.on() {
		rules.Unused = append(rules.Unused, regexp.MustCompile(whole(name)))
	}
	return rules
}

// whole returns the expression, changed to match only a whole text.
func whole(expression string) string { return "^(?s:" + expression + ")$" }

// rules checks what the types cannot.
func (f *faults) rules(r Rules) {
	patterns := func(field string, names Switches) {
		for _, n := range names {
			if _, err := regexp.Compile(whole(n.Name)); err != nil {
				f.add(field, "%q is not a pattern: %v; write an RE2 regular expression", n.Name, err)
			}
		}
	}
	patterns("discovery.rules.copies", r.Copies)
	patterns("discovery.rules.copies_with_time", r.CopiesWithTime)
	patterns("discovery.rules.unused_comments", r.UnusedComments)
	for _, n := range r.StatusValues {
		if n.Name != strings.ToLower(n.Name) || n.Name == "" {
			f.add("discovery.rules.status_values", "%q must be in lower case; other spellings are found by it", n.Name)
		}
	}
}

// marker checks the settings of a marker.
func (f *faults) marker(field string, s *TableSettings) {
	if s.Column == "" && s.saysMarker() {
		f.add(field+".column",
			"is missing; kind, values, unit, future and time_column need the column that marks deleted rows")
	}
	if s.Kind != "" && !slices.Contains(softdelete.Kinds, s.Kind) {
		f.add(field+".kind", "must be one of %s, not %q; a pair is a column and its time_column",
			words(softdelete.Kinds), s.Kind)
	}
	if s.Unit != "" && !slices.Contains(softdelete.Units, s.Unit) {
		f.add(field+".unit", "must be one of %s, not %q", words(softdelete.Units), s.Unit)
	}
	if s.Future != "" && !slices.Contains(discovery.Futures, s.Future) {
		f.add(field+".future", "must be one of %s, not %q", words(discovery.Futures), s.Future)
	}
	if len(s.DeletedValues) > 0 && len(s.LiveValues) > 0 {
		f.add(field+".live_values", "and deleted_values contradict each other; keep one: every other value is the opposite")
	}
	if s.TimeColumn != "" && s.TimeColumn == s.Column {
		f.add(field+".time_column", "is the column itself; leave it out")
	}
}

// words lists texts for a message.
func words[T ~string](all []T) string {
	texts := make([]string, len(all))
	for i, w := range all {
		texts[i] = string(w)
	}
	return strings.Join(texts, " ")
}
