package discovery

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// Column is a column that could mark deleted rows, as the catalogs have it.
type Column struct {
	Name string
	// Type is PostgreSQL's name of its type, such as timestamptz or bool; of a domain
	// that of its base.
	Type string
	// OwnType is the type, or that of a domain's base, with its schema, if values must be cast to it
	// to be compared: it is not PostgreSQL's own, or an enum under a domain. Equality is the operator
	// that it then has; empty if that is PostgreSQL's, or there is none that we may use.
	OwnType, Equality string
	// Labels are those of an enum type.
	Labels  []string
	NotNull bool
	// Born are the constants with which rows are born, or once were: the column's default,
	// its domain's, and what the rows got that were there when the column was added. NULL is
	// not among them.
	Born []string
	// Varies tells of a default that is no constant, such as now().
	Varies  bool
	Comment string
	// Meaning is what an integer column turned out to hold.
	Meaning softdelete.IntegerMeaning
	// Evidence is what the table's unique indexes say of the column.
	Evidence Evidence
	// Unborn is why its defaults could not be read this time, Unread why its values could not;
	// empty if they were, or need not be.
	Unborn, Unread string
}

// class is what matters of the column's type.
func (c Column) class() softdelete.Class {
	if len(c.Labels) > 0 {
		return softdelete.EnumClass
	}
	if c.OwnType != "" { // whatever its name is
		if c.Equality != "" {
			return softdelete.TextClass
		}
		return softdelete.OtherClass
	}
	return softdelete.Classes[c.Type]
}

// holdsTimes reports whether the values of the column can be times.
func (c Column) holdsTimes() bool {
	return c.class() == softdelete.TimeClass || c.isNumeric()
}

// isNumeric reports whether its values are numbers.
func (c Column) isNumeric() bool {
	return c.class() == softdelete.IntegerClass || c.class() == softdelete.FloatClass
}

// counters are the folded names that stand for a number of rows where they are of a type for
// large numbers. deleted is none of them: some applications keep the row's own id in it.
var counters = []string{"softdeleted"}

// isCounter reports whether a column that is called a flag counts rows instead.
func (c Column) isCounter() bool {
	return (c.Type == "int8" || c.Type == "numeric") && slices.Contains(counters, softdelete.Fold(c.Name))
}

// Need is what must be asked of a column before it can be decided on.
type Need int

// What a column can need.
const (
	NeedNothing  Need = iota
	NeedUnit          // what an integer that is a time counts
	NeedEvidence      // what unique indexes say of it
	NeedKind          // whether an integer that is called a flag is one
)

// need says what must be asked of a column that is to mark deleted rows; timed that
// it is called a time.
func (c Column) need(timed bool) Need {
	switch _, unit := unitOf(c.Name); {
	case !c.isNumeric() || unit != "":
		return NeedNothing
	case timed:
		return NeedUnit
	default:
		return NeedKind
	}
}

// time is the column as that of a deletion time.
func (c Column) time(unit softdelete.Unit) *softdelete.Time {
	t := &softdelete.Time{Column: c.Name, Type: softdelete.TimeType(c.Type), NotNull: c.NotNull}
	if c.isNumeric() {
		t.Type, t.Unit = softdelete.EpochTime, unit
	}
	return t
}

// partnerTime is the column as the time of a flag's deletion.
func (c Column) partnerTime(unit softdelete.Unit) *softdelete.Time {
	t := c.time(unit)
	t.Live = c.Born
	return t
}

// units are the ends of names that tell what an integer counts.
var units = map[string]softdelete.Unit{
	"unix": softdelete.Seconds, "ms": softdelete.Milliseconds, "millis": softdelete.Milliseconds,
	"us": softdelete.Microseconds, "micros": softdelete.Microseconds, "ns": softdelete.Nanoseconds,
	"nanos": softdelete.Nanoseconds,
}

// unitEnd finds them where they are a word of their own: not in status.
var unitEnd = func() *regexp.Regexp {
	var small, capital []string
	for _, end := range slices.Sorted(maps.Keys(units)) {
		small = append(small, end)
		capital = append(capital, strings.ToUpper(end[:1])+end[1:])
	}
	return regexp.MustCompile(`(?:_(?i:` + strings.Join(small, "|") + `)|[a-z](?:` + strings.Join(capital, "|") + `))$`)
}()

// unitOf is the unit that a name tells, and the folded name without it.
func unitOf(name string) (bare string, unit softdelete.Unit) {
	folded := softdelete.Fold(name)
	if !unitEnd.MatchString(name) {
		return folded, ""
	}
	for end, unit := range units {
		if bare, found := strings.CutSuffix(folded, end); found {
			return bare, unit
		}
	}
	return folded, ""
}

// stems are beginnings by which a flag and a time are known to tell of the same
// thing: is_deleted and deleted_at, del_flag and delete_time, alive and deleted_at.
var stems = [][]string{
	{"del", "alive", "live", "visible", "status", "state"},
	{"remov"}, {"trash"}, {"discard"}, {"destroy"}, {"void"}, {"retire"}, {"archiv"}, {"hid"}, {"activ"}, {"abled"},
}

// stem says which of the stems a name has; the folded name itself if none.
func stem(name string) string {
	folded := softdelete.Fold(name)
	for _, same := range stems {
		if slices.ContainsFunc(same, func(s string) bool { return strings.Contains(folded, s) }) {
			return same[0]
		}
	}
	return folded
}

// spellings are the usual ways to write a word.
func spellings(word string) []string {
	_, first := utf8.DecodeRuneInString(word)
	return []string{word, strings.ToUpper(word), strings.ToUpper(word[:first]) + word[first:]}
}
