package discovery

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// Column is a column that could mark deleted rows, as described by the catalogs.
type Column struct {
	Name string
	// Type is PostgreSQL's name of its type, such as timestamptz or bool; for a domain that of its base type.
	Type string
	// OwnType is the type, or the base type of a domain, with its schema. It is set if values must be cast to it to
	// be compared, because the type is not PostgreSQL's own, or is an enum under a domain. Equality is its operator;
	// empty if that is PostgreSQL's own, or there is none that may be used.
	OwnType, Equality string
	// Labels are the labels of an enum type.
	Labels  []string
	NotNull bool
	// Born are the constants that new rows get, or once got: the defaults of the column and of its domain, and the
	// value that existing rows got when the column was added. NULL is not included.
	Born []string
	// Varies is true if a default is not a constant, such as now().
	Varies  bool
	Comment string
	// Meaning is what an integer column contains.
	Meaning softdelete.IntegerMeaning
	// Evidence is what the table's unique indexes show about the column.
	Evidence Evidence
	// Unborn is why its defaults could not be read this time, Unread why its values could not be read; empty if they
	// were read, or are not needed.
	Unborn, Unread string
}

// class returns the class of the column's type.
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

// counters are folded names of columns that count rows if they have a type for large numbers. The name deleted is not
// included: some applications keep the row's own id in it.
var counters = []string{"softdeleted"}

// isCounter reports whether a column with the name of a flag counts rows instead.
func (c Column) isCounter() bool {
	return (c.Type == "int8" || c.Type == "numeric") && slices.Contains(counters, softdelete.Fold(c.Name))
}

// Need is what must be read about a column before it can be decided on.
type Need int

// What a column can need.
const (
	NeedNothing  Need = iota
	NeedUnit          // the unit of an integer time
	NeedEvidence      // what unique indexes show about it
	NeedKind          // whether an integer with the name of a flag is one
)

// need returns what must be read about a column that may be a marker; timed is true if it has the name of a time.
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

// time returns the column as a deletion time.
func (c Column) time(unit softdelete.Unit) *softdelete.Time {
	t := &softdelete.Time{Column: c.Name, Type: softdelete.TimeType(c.Type), NotNull: c.NotNull}
	if c.isNumeric() {
		t.Type, t.Unit = softdelete.EpochTime, unit
	}
	return t
}

// partnerTime returns the column as the deletion time that belongs to a flag.
func (c Column) partnerTime(unit softdelete.Unit) *softdelete.Time {
	t := c.time(unit)
	t.Live = c.Born
	return t
}

// units are endings of names that show the unit of an integer.
var units = map[string]softdelete.Unit{
	"unix": softdelete.Seconds, "ms": softdelete.Milliseconds, "millis": softdelete.Milliseconds,
	"us": softdelete.Microseconds, "micros": softdelete.Microseconds, "ns": softdelete.Nanoseconds,
	"nanos": softdelete.Nanoseconds,
}

// unitEnd matches them only as separate words: not in status.
var unitEnd = func() *regexp.Regexp {
	var small, capital []string
	for _, end := range slices.Sorted(maps.Keys(units)) {
		small = append(small, end)
		capital = append(capital, strings.ToUpper(end[:1])+end[1:])
	}
	return regexp.MustCompile(`(?:_(?i:` + strings.Join(small, "|") + `)|[a-z](?:` + strings.Join(capital, "|") + `))$`)
}()

// unitOf returns the unit that a name shows, and the folded name without it.
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

// stems are beginnings of names of a flag and a time that belong together: is_deleted and deleted_at, del_flag and
// delete_time, alive and deleted_at.
var stems = [][]string{
	{"del", "alive", "live", "visible", "status", "state"},
	{"remov"}, {"trash"}, {"discard"}, {"destroy"}, {"void"}, {"retire"}, {"archiv"}, {"hid"}, {"activ"}, {"abled"},
}

// stem returns the stem of a name; the folded name itself if it has none.
func stem(name string) string {
	folded := softdelete.Fold(name)
	for _, same := range stems {
		if slices.ContainsFunc(same, func(s string) bool { return strings.Contains(folded, s) }) {
			return same[0]
		}
	}
	return folded
}

// spellings returns the usual ways to write a word.
func spellings(word string) []string {
	_, first := utf8.DecodeRuneInString(word)
	return []string{word, strings.ToUpper(word), strings.ToUpper(word[:first]) + word[first:]}
}
