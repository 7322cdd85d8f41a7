package softdelete

import (
	"slices"
	"strings"
)

// Class groups the types of marker columns.
type Class string

// The classes of types.
const (
	OtherClass   Class = "" // of a type that marks no rows
	TimeClass    Class = "time"
	IntegerClass Class = "integer"
	BooleanClass Class = "boolean"
	TextClass    Class = "text"
	EnumClass    Class = "enum" // a type of the user's, with labels
	// Columns of these types mark deleted rows only where the configuration says so.
	FloatClass Class = "float"
	BitClass   Class = "bit"
)

// Classes are the classes of PostgreSQL's types, by their names in pg_type.
var Classes = map[string]Class{
	string(Timestamptz): TimeClass, string(LocalTimestamp): TimeClass, string(Date): TimeClass,
	"int2": IntegerClass, "int4": IntegerClass, "int8": IntegerClass, "numeric": IntegerClass,
	"bool": BooleanClass, "float8": FloatClass, "bit": BitClass,
	"text": TextClass, "varchar": TextClass, "bpchar": TextClass, "char": TextClass,
}

// Value is one value of a marker column, or a set of values.
type Value struct {
	Class ValueClass
	// Text is the value of a Known value, as PostgreSQL writes it, without its type.
	Text string
	// Except are the values that an Other value is not.
	Except []string
}

// ValueClass says what is known about a Value.
type ValueClass int

// The classes of values.
const (
	Null     ValueClass = iota
	Known               // the one value that Text is
	Positive            // some number above 0
	Other               // some value, but none of the exceptions
)

// Meaning is what the values of a marker column mean.
type Meaning struct {
	Live, Deleted []Value
	// Odd values count as live, but applications do not use them on purpose: for example a flag that is NULL, which
	// neither "= true" nor "= false" finds.
	Odd []Value
	// Either is true if a table uses only one of the values, and it is not known which.
	Either bool
}

// Alphabet is a pair of letters with which a table marks rows as live or deleted.
type Alphabet struct {
	Live, Deleted string
	// Answers is true if they mean no and yes: in a column called active, yes means live.
	Answers bool
}

// Alphabets are all known alphabets.
var Alphabets = []Alphabet{
	{"N", "Y", true}, {"n", "y", true}, {"0", "1", true}, {"0", "2", false}, {"F", "T", true}, {"f", "t", true},
	{"false", "true", true}, {"False", "True", true}, {"FALSE", "TRUE", true},
	{"no", "yes", true}, {"No", "Yes", true}, {"NO", "YES", true},
	{"off", "on", true}, {"Off", "On", true}, {"OFF", "ON", true},
	{"N", "S", true}, {"n", "s", true}, // Portuguese and Spanish
	{"", "D", false}, {"", "d", false}, {"", "X", false}, {"", "x", false}, {" ", "X", false}, {" ", "x", false},
}

// DeletedLetters are the letters that mean deleted, YesLetters the letters that mean yes.
var (
	DeletedLetters = deletedLetters(func(Alphabet) bool { return true })
	YesLetters     = deletedLetters(func(a Alphabet) bool { return a.Answers })
)

// KnownLetters are the letters of all alphabets, in order.
var KnownLetters = func() []string {
	var letters []string
	for _, a := range Alphabets {
		for _, letter := range []string{a.Live, a.Deleted} {
			if !slices.Contains(letters, letter) {
				letters = append(letters, letter)
			}
		}
	}
	return letters
}()

// oneAlphabet reports whether all letters of a column can belong to one alphabet, in either case. A blank means live
// in each alphabet. The exception is a column that says whether a row is live: there only letters for yes and no are
// certain.
func oneAlphabet(letters []string, inverted bool) bool {
	return slices.ContainsFunc(Alphabets, func(a Alphabet) bool {
		if inverted && !a.Answers {
			return false
		}
		return !slices.ContainsFunc(letters, func(letter string) bool {
			blank := strings.TrimSpace(letter) == "" && !inverted
			return !blank && !strings.EqualFold(letter, a.Live) && !strings.EqualFold(letter, a.Deleted)
		})
	})
}

func deletedLetters(of func(Alphabet) bool) []string {
	var letters []string
	for _, a := range Alphabets {
		if of(a) && !slices.Contains(letters, a.Deleted) {
			letters = append(letters, a.Deleted)
		}
	}
	return letters
}

var (
	nothing  = []Value{{Class: Null}}
	anything = []Value{{Class: Other}}
)

// KnownValues returns a Known value for each text.
func KnownValues(texts ...string) []Value {
	values := make([]Value, len(texts))
	for i, text := range texts {
		values[i] = Value{Class: Known, Text: text}
	}
	return values
}

func allBut(texts ...string) []Value { return []Value{{Class: Other, Except: texts}} }
