package discovery

import (
	"regexp"
	"slices"
	"strings"

	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// Rules are the names by which columns are recognized as markers, and the reasons not to use such a column.
type Rules struct {
	// Names are the rules for columns, the most certain first.
	Names []Rule
	// StatusValues are the values of a status that mean deleted, in lower case.
	StatusValues []string
	// Copies match tables whose rows are copies of other rows, or jobs. In them, a marker does not mean that its row
	// is deleted.
	Copies []TableRule
	// CopiesWithTime match those of these tables in which a deletion time still marks the row itself, if it may be
	// NULL and there is no flag.
	CopiesWithTime []TableRule
	// Unused match comments that say that a column is not in use.
	Unused []*regexp.Regexp
}

// Rule is a name of columns. It applies only to columns of the types that its group allows.
type Rule struct {
	Group Group
	// Name is folded.
	Name string
	// On is false for a rule that must be switched on.
	On bool
}

// String writes the rule as in the configuration.
func (r Rule) String() string { return string(r.Group) + "." + r.Name }

// Group says what the columns of a rule contain. Its text is the setting that lists the rules.
type Group string

// The groups of rules.
const (
	Times         Group = "times"          // when a row was deleted: a time, or an integer
	Epochs        Group = "epochs"         // when it was deleted, as an integer; a time of that name is a planned deletion
	TextTimes     Group = "text_times"     // when it was deleted, as a text
	Flags         Group = "flags"          // whether it is deleted: a boolean, an integer or a short text
	InvertedFlags Group = "inverted_flags" // whether it is live
	Statuses      Group = "statuses"       // its state, of which some values mean deleted
)

// allowed are the classes of types that the columns of each group can have.
var allowed = map[Group][]softdelete.Class{
	Times:         {softdelete.TimeClass, softdelete.IntegerClass},
	Epochs:        {softdelete.IntegerClass},
	TextTimes:     {softdelete.TextClass},
	Flags:         {softdelete.BooleanClass, softdelete.IntegerClass, softdelete.TextClass},
	InvertedFlags: {softdelete.BooleanClass, softdelete.IntegerClass, softdelete.TextClass},
	Statuses:      {softdelete.TextClass, softdelete.EnumClass},

	WithUniqueIndex: {softdelete.TimeClass},
}

// holdsTime reports whether the group can contain the time that belongs to a flag.
func (g Group) holdsTime() bool { return g == Times || g == Epochs }

// isFlag reports whether the group says whether a row is deleted, and not when.
func (g Group) isFlag() bool { return g == Flags || g == InvertedFlags || g == Statuses }

// Candidates returns the folded names that match a rule, including names with a unit: of the rules that are on, or of
// all rules.
func (r Rules) Candidates(off bool) []string {
	var names []string
	for _, rule := range r.Names {
		if !rule.On && !off {
			continue
		}
		names = append(names, rule.Name)
		if rule.Group.holdsTime() {
			for end := range units {
				names = append(names, rule.Name+end)
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// Similar is a regular expression of folded names that sound like deletion but match no rule. Such columns are
// explained, but never used.
const Similar = "delet|remov|trash|discard|destroy|tombstone|purge|^isdel|^delflag"

var similar = regexp.MustCompile(Similar)

// rejection is why a column is not used.
type rejection int

const (
	fits        rejection = iota
	unknownName           // no rule matches it
	wrongType             // the rule is for other types
	switchedOff           // the rule is off
	counter               // as a number of its size it counts rows
	unused                // its comment says that it is not in use
	noLabel               // an enum without a label that means deleted
	alwaysSet             // NOT NULL, and no value means live
	unread                // its default or its indexes could not be read this time
)

// candidate is a column with the rule that matches it.
type candidate struct {
	Column
	rule   Rule
	reason rejection
}

// match finds the rule that matches a column, and why the column is not used, if so.
func (r Rules) match(c Column) candidate {
	rule, known := r.rule(c)
	j := candidate{c, rule, fits}
	switch {
	case !known:
		j.reason = unknownName
	case !slices.Contains(allowed[rule.Group], c.class()):
		j.reason = wrongType
	case rule.Group == Statuses && c.class() == softdelete.EnumClass && len(r.labels(c)) == 0:
		j.reason = noLabel
	case !rule.On:
		j.reason = switchedOff
	case rule.Group == Flags && c.isCounter():
		j.reason = counter
	case slices.ContainsFunc(r.Unused, func(p *regexp.Regexp) bool { return p.MatchString(c.Comment) }):
		j.reason = unused
	case c.Unborn != "", rule.Group == WithUniqueIndex && !c.Evidence.OnlyNull:
		j.reason = unread
	case c.class() == softdelete.TimeClass && c.NotNull && len(c.Born) == 0:
		j.reason = alwaysSet
	}
	return j
}

// rule returns the rule that matches the name of a column. It prefers a rule for the column's type, then one that is
// on, then a flag rule for an integer that could be either, then the most certain rule.
func (r Rules) rule(c Column) (best Rule, known bool) {
	folded := softdelete.Fold(c.Name)
	bare, unit := unitOf(c.Name)
	most := 0
	for _, rule := range r.Names {
		if rule.Name != folded && !(rule.Group.holdsTime() && unit != "" && c.class() == softdelete.IntegerClass &&
			rule.Name == bare) {
			continue
		}
		if rule.Group == WithUniqueIndex && !c.Evidence.OnlyNull && c.Evidence.Unread == "" {
			continue // no index suggests it
		}
		worth := 1
		if slices.Contains(allowed[rule.Group], c.class()) {
			worth += 4
		}
		if rule.On {
			worth += 2
		}
		if rule.Group == Flags && c.class() == softdelete.IntegerClass {
			worth++
		}
		if worth > most {
			best, most = rule, worth
		}
	}
	return best, most > 0
}

// labels returns the labels of an enum that mean deleted.
func (r Rules) labels(c Column) []string {
	var deleted []string
	for _, label := range c.Labels {
		if slices.Contains(r.StatusValues, strings.ToLower(label)) {
			deleted = append(deleted, label)
		}
	}
	return deleted
}
