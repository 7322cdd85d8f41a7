package discovery

import (
	"regexp"
	"slices"
	"strings"

	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// Rules are what discovery goes by: the names by which a column is known to mark
// deleted rows, and what keeps it from being taken nevertheless.
type Rules struct {
	// Names are the rules of columns, the surest first.
	Names []Rule
	// StatusValues are the values of a status that mean deleted, in lower case.
	StatusValues []string
	// Copies are tables whose rows are copies of others, or jobs: what marks deleted
	// rows elsewhere tells of something else there.
	Copies []TableRule
	// CopiesWithTime are those of them in which a deletion time nevertheless deletes the row
	// itself, if it may be NULL and no flag stands beside it.
	CopiesWithTime []TableRule
	// Unused are the comments that say that a column is not in use.
	Unused []*regexp.Regexp
}

// Rule is a name that columns have. It takes those whose type its group allows.
type Rule struct {
	Group Group
	// Name is folded.
	Name string
	// On is false for a rule that must be asked for.
	On bool
}

// String names the rule as the configuration does.
func (r Rule) String() string { return string(r.Group) + "." + r.Name }

// Group is what the columns of a rule hold. Its text is the setting that lists the
// rules.
type Group string

// The groups of rules.
const (
	Times         Group = "times"          // when a row was deleted: a time, or an integer
	Epochs        Group = "epochs"         // when it was deleted, as an integer; a time of that name is a plan
	TextTimes     Group = "text_times"     // when it was deleted, as a text
	Flags         Group = "flags"          // whether it is deleted: a boolean, an integer or a short text
	InvertedFlags Group = "inverted_flags" // whether it is live
	Statuses      Group = "statuses"       // its state, of which some values mean deleted
)

// allowed are the classes of type that the columns of a group can have.
var allowed = map[Group][]softdelete.Class{
	Times:         {softdelete.TimeClass, softdelete.IntegerClass},
	Epochs:        {softdelete.IntegerClass},
	TextTimes:     {softdelete.TextClass},
	Flags:         {softdelete.BooleanClass, softdelete.IntegerClass, softdelete.TextClass},
	InvertedFlags: {softdelete.BooleanClass, softdelete.IntegerClass, softdelete.TextClass},
	Statuses:      {softdelete.TextClass, softdelete.EnumClass},

	WithUniqueIndex: {softdelete.TimeClass},
}

// holdsTime reports whether a flag of the same stem can find its time in the group.
func (g Group) holdsTime() bool { return g == Times || g == Epochs }

// isFlag reports whether the group says whether, not when.
func (g Group) isFlag() bool { return g == Flags || g == InvertedFlags || g == Statuses }

// Candidates are the folded names that a column can have which a rule knows, the
// names with a unit included: the rules that are on, or with the others too.
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

// Similar is a regular expression of folded names that may tell of deletion but are
// in no rule. Such columns are never taken, only explained.
const Similar = "delet|remov|trash|discard|destroy|tombstone|purge|^isdel|^delflag"

var similar = regexp.MustCompile(Similar)

// rejection is why a column is left alone.
type rejection int

const (
	fits        rejection = iota
	unknownName           // no rule knows it
	wrongType             // the rule is for other types
	switchedOff           // the rule is off
	counter               // as a number of its size it counts rows
	unused                // its comment says that it is not in use
	noLabel               // an enum without a label that means deleted
	alwaysSet             // NOT NULL, and nothing stands for live rows
	unread                // its default or its indexes could not be read this time
)

// candidate is a column and the rule that knows it.
type candidate struct {
	Column
	rule   Rule
	reason rejection
}

// match finds the rule that knows a column, and why that leaves it alone, if it does.
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

// rule is the rule that knows a column by its name: one for its type before others,
// one that is on before one that is off, one of flags for an integer that could be
// either, then the surest.
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
			continue // no index speaks for it
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

// labels are those of an enum that mean deleted.
func (r Rules) labels(c Column) []string {
	var deleted []string
	for _, label := range c.Labels {
		if slices.Contains(r.StatusValues, strings.ToLower(label)) {
			deleted = append(deleted, label)
		}
	}
	return deleted
}
