package predicate

import (
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// value is what is known about the value in a marker column.
type value softdelete.Value

// markerMeaning returns what the values of the deciding column mean in a predicate that compares it with these
// literals. A table has only one alphabet: the one of the letters in its predicates.
func markerMeaning(m softdelete.Marker, said []string) softdelete.Meaning {
	meaning := m.Meaning()
	if len(m.Live)+len(m.Deleted) > 0 {
		return meaning
	}
	var live, deleted []softdelete.Value
	for _, a := range m.Decides().Definition().Alphabets {
		if slices.Contains(said, a.Live) || slices.Contains(said, a.Deleted) {
			live = append(live, softdelete.KnownValues(a.Live)...)
			deleted = append(deleted, softdelete.KnownValues(a.Deleted)...)
		}
	}
	if live != nil {
		meaning.Live, meaning.Deleted = live, deleted
	}
	return meaning
}

// timeMeaning returns what the values of a time with a flag mean.
func timeMeaning(t *softdelete.Time) softdelete.Meaning {
	deleted := softdelete.Value{Class: softdelete.Other}
	var live []softdelete.Value
	if !t.NotNull {
		live = append(live, softdelete.Value{Class: softdelete.Null})
	}
	if t.Type == softdelete.EpochTime {
		live = append(live, softdelete.KnownValues("0")...)
		deleted.Class = softdelete.Positive
	}
	if len(t.Live) > 0 {
		live = append(live, softdelete.KnownValues(t.Live...)...)
		deleted.Except = t.Live
	}
	m := softdelete.Meaning{Live: live, Deleted: []softdelete.Value{deleted}, Either: true}
	if live == nil {
		m.Live = m.Deleted // some time, like that of a deleted row
	}
	return m
}

// state is a state of a row, as seen by the markers of its table: the values of the marker columns, and their
// meaning.
type state struct {
	columns              map[string]value
	deleted, odd, either bool
}

// literals are the values with which a predicate compares each column.
type literals map[string][]string

func (said literals) collect(c condition) {
	switch c := c.(type) {
	case conjunction:
		for _, part := range c {
			said.collect(part)
		}
	case disjunction:
		for _, part := range c {
			said.collect(part)
		}
	case negation:
		said.collect(c.condition)
	case test:
		for _, l := range c.literals {
			said[c.operand.column] = append(said[c.operand.column], l.text)
		}
	}
}

// markerStates returns the states that a row can have in one marker. Flag and time of a pair are assumed to agree,
// because an application that filters by one of them means both.
func markerStates(m softdelete.Marker, said literals) []state {
	flag := markerMeaning(m, said[m.Column])
	time := softdelete.Meaning{Live: []softdelete.Value{{}}, Deleted: []softdelete.Value{{}}}
	if m.Time != nil && m.Time.Column != m.Column {
		time = timeMeaning(m.Time)
	}
	var states []state
	add := func(flags, times []softdelete.Value, s state) {
		for _, f := range flags {
			for _, t := range times {
				s.columns = map[string]value{m.Column: value(f)}
				if m.Time != nil && m.Time.Column != m.Column {
					s.columns[m.Time.Column] = value(t)
				}
				states = append(states, s)
			}
		}
	}
	either := flag.Either || time.Either
	add(flag.Live, time.Live, state{either: either})
	add(flag.Odd, time.Live, state{odd: true})
	add(flag.Deleted, time.Deleted, state{deleted: true, either: either})
	if m.Planned() { // the row is live until that time
		add(flag.Deleted, time.Deleted, state{})
	}
	return states
}

// manyStates is how many states of a row are considered at most: their number multiplies with each marker.
const manyStates = 5000

// rowStates returns the states that a row can have in all markers together, for a predicate that compares columns
// with these literals; false if there are too many.
func rowStates(ms softdelete.Markers, said literals) ([]state, bool) {
	all := []state{{columns: map[string]value{}}}
	for _, m := range ms {
		own := markerStates(m, said)
		if len(all)*len(own) > manyStates {
			return nil, false
		}
		var next []state
		for _, a := range all {
			for _, b := range own {
				s := state{columns: maps.Clone(a.columns), deleted: a.deleted || b.deleted, odd: a.odd || b.odd,
					either: a.either || b.either}
				maps.Copy(s.columns, b.columns)
				next = append(next, s)
			}
		}
		all = next
	}
	return all, true
}

// truth is a set of SQL's three truth values: the possible results of a predicate.
type truth uint8

const (
	yes truth = 1 << iota
	no
	unknown

	anything = yes | no | unknown
)

func (t truth) not() truth {
	n := t & unknown
	if t&yes != 0 {
		n |= no
	}
	if t&no != 0 {
		n |= yes
	}
	return n
}

// and returns the possible results of two predicates together. It assumes that they are independent, so the set may
// be too large, but never too small.
func (t truth) and(o truth) truth {
	var r truth
	for _, a := range []truth{yes, no, unknown} {
		for _, b := range []truth{yes, no, unknown} {
			switch {
			case t&a == 0 || o&b == 0:
			case a == no || b == no:
				r |= no
			case a == unknown || b == unknown:
				r |= unknown
			default:
				r |= yes
			}
		}
	}
	return r
}

func (t truth) or(o truth) truth { return t.not().and(o.not()).not() }

// compare returns the possible results of `value operator literal`.
func (v value) compare(operator string, l literal) truth {
	if v.Class == softdelete.Null {
		return unknown
	}
	equal := yes | no
	switch {
	case v.Class == softdelete.Known && l.is(v.Text):
		equal = yes
	case v.Class == softdelete.Known && l.isNot(v.Text), v.Class == softdelete.Positive && l.text == "0",
		slices.ContainsFunc(v.Except, l.is):
		equal = no
	}
	switch operator {
	case "=":
		return equal
	case "<>":
		return equal.not()
	}
	less := yes | no
	if l.number {
		less = v.less(l.text)
	}
	if strings.HasPrefix(operator, ">") {
		less = less.not()
		if operator == ">" {
			return less.and(equal.not())
		}
		return less
	}
	if operator == "<=" {
		return less.or(equal)
	}
	return less
}

// less returns the possible results of `value < number`.
func (v value) less(number string) truth {
	l, err := strconv.ParseFloat(number, 64)
	if err != nil || math.IsNaN(l) {
		return yes | no
	}
	n, err := strconv.ParseFloat(v.Text, 64)
	switch {
	case v.Class == softdelete.Known && v.Text == number:
		return no
	case v.Class == softdelete.Known && err == nil && (n < l || n > l): // equal ones may have been rounded to it
		return truthOf(n < l)
	case v.Class == softdelete.Positive && l <= 0:
		return no
	default:
		return yes | no
	}
}

func truthOf(b bool) truth {
	if b {
		return yes
	}
	return no
}

// is reports whether a text is certainly the same value as the literal.
func (l literal) is(text string) bool {
	if text == l.text {
		return true
	}
	a, known := l.moment(l.text)
	b, alsoKnown := l.moment(text)
	return known && alsoKnown && a.Equal(b)
}

// isNot reports whether a text is certainly another value than the literal.
func (l literal) isNot(text string) bool {
	a, known := l.moment(l.text)
	b, alsoKnown := l.moment(text)
	if known && alsoKnown {
		return !a.Equal(b)
	}
	return different(text, l.text)
}

// The forms of a time that are read. PostgreSQL reads and writes times in UTC here, because every transaction sets it.
var (
	zonedForms = []string{time.DateOnly, time.DateTime, time.DateTime + "Z07", time.DateTime + "Z07:00",
		time.DateTime + "Z07:00:00"}
	// Other types than timestamptz ignore a zone, and a date the time of day.
	dateForms = []string{time.DateOnly, time.DateOnly + " 00:00:00"}
)

// moment reads a text as a value of the literal's type, if that is a time. Fractions of a second are not read,
// because a column may round them.
func (l literal) moment(text string) (time.Time, bool) {
	var forms []string
	switch l.time {
	case softdelete.Timestamptz:
		forms = zonedForms
	case softdelete.LocalTimestamp, softdelete.Date:
		forms = dateForms
	}
	if forms != nil && text == "infinity" {
		return time.Date(math.MaxInt32, 1, 1, 0, 0, 0, 0, time.UTC), true // later than any other that is read
	}
	for _, form := range forms {
		if t, err := time.Parse(form, text); err == nil && t.Nanosecond() == 0 {
			return t, true
		}
	}
	return time.Time{}, false
}

// different reports whether two texts cannot be the same value: two numbers, two booleans, or two words that differ
// in more than case and blanks, which a collation or char(n) may ignore. A time can be written in several ways.
func different(a, b string) bool {
	x, errX := strconv.ParseFloat(a, 64)
	y, errY := strconv.ParseFloat(b, 64)
	if errX == nil && errY == nil {
		return x < y || x > y
	}
	return !strings.ContainsAny(a+b, ":-") && !strings.EqualFold(strings.TrimRight(a, " "), strings.TrimRight(b, " "))
}
