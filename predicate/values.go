package predicate

import (
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// value stands for a set of values that a marker column may have.
type value struct {
	class valueClass
	// text is the value of a known one, as PostgreSQL writes it, without its type.
	text string
	// except are values that another one is not.
	except []string
}

type valueClass int

const (
	null     valueClass = iota
	known               // the one value that text is
	positive            // some number above 0
	other               // some value, but none of the exceptions
)

func these(texts ...string) []value {
	values := make([]value, len(texts))
	for i, text := range texts {
		values[i] = value{class: known, text: text}
	}
	return values
}

// meaning is what the values of one column mean.
type meaning struct {
	live, deleted []value
	// odd values count as live, but no application means them: a flag that is NULL,
	// which neither "= true" nor "= false" finds.
	odd []value
	// either tells that a table uses one of the values only, though we do not know which.
	either bool
}

// alphabets are the pairs of a live and a deleted letter that are in use.
var alphabets = [][2]string{{"N", "Y"}, {"n", "y"}, {"0", "1"}, {"0", "2"}, {"F", "T"}, {"f", "t"},
	{"false", "true"}, {"", "D"}}

// letters is what letters mean in the alphabets of those that are said, because a
// table has but one; in any alphabet if none is known.
func letters(said []string) meaning {
	m := meaning{odd: []value{{class: null}}, either: true}
	var deleted []string
	for _, alphabet := range alphabets {
		if slices.Contains(said, alphabet[0]) || slices.Contains(said, alphabet[1]) {
			m.live = append(m.live, these(alphabet[0])...)
			m.deleted = append(m.deleted, these(alphabet[1])...)
		}
		deleted = append(deleted, alphabet[1])
	}
	if m.live == nil {
		m.live, m.deleted = []value{{class: other, except: deleted}}, these(deleted...)
	}
	return m
}

// markerMeaning is what the values of the deciding column mean in a predicate that compares it with
// the given literals.
func markerMeaning(m softdelete.Marker, said []string) meaning {
	nothing, something := []value{{class: null}}, []value{{class: other}}
	switch kind := m.Decides(); {
	case kind == softdelete.Sentinel && len(m.Live) == 1:
		return meaning{live: these(m.Live...), deleted: []value{{class: other, except: m.Live}}}
	case len(m.Deleted) > 0:
		return meaning{live: []value{{class: other, except: m.Deleted}}, deleted: these(m.Deleted...), odd: nothing}
	case len(m.Live) > 0:
		return meaning{live: these(m.Live...), deleted: []value{{class: other, except: m.Live}}, odd: nothing}
	case kind == softdelete.Timestamp:
		return meaning{live: nothing, deleted: something}
	case kind == softdelete.Epoch:
		return meaning{live: append(these("0"), nothing...), deleted: []value{{class: positive}}, either: true}
	case kind == softdelete.Flag:
		return meaning{live: these("false"), deleted: these("true"), odd: nothing}
	case kind == softdelete.InvertedFlag:
		return meaning{live: these("true"), deleted: append(these("false"), nothing...), either: true}
	case kind == softdelete.Number:
		return meaning{live: these("0"), deleted: []value{{class: other, except: []string{"0"}}}, odd: nothing}
	case kind == softdelete.Letter:
		return letters(said)
	default:
		return meaning{live: append(nothing, something...), deleted: something}
	}
}

// timeMeaning is what the values of a time beside a flag mean.
func timeMeaning(t *softdelete.Time) meaning {
	m := meaning{live: []value{{class: null}}, deleted: []value{{class: other}}, either: true}
	if t.Type == softdelete.EpochTime {
		m.live, m.deleted = append(m.live, these("0")...), []value{{class: positive}}
	}
	if t.Live != "" {
		m.live = append(m.live, these(t.Live)...)
		m.deleted[0].except = []string{t.Live}
	}
	if t.NotNull {
		if m.live = m.live[1:]; len(m.live) == 0 {
			m.live = m.deleted // some time, which nothing tells from that of a deleted row
		}
	}
	return m
}

// state is a state of a row as far as the markers of its table tell: the values of
// the marker columns, and what they mean.
type state struct {
	columns              map[string]value
	deleted, odd, either bool
}

// literals are what a predicate compares each column with.
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

// markerStates are the states that a row can be in by one marker. A pair is taken at its
// word: flag and time agree, because an application that filters by either means both.
func markerStates(m softdelete.Marker, said literals) []state {
	flag := markerMeaning(m, said[m.Column])
	time := meaning{live: []value{{}}, deleted: []value{{}}}
	if m.Time != nil && m.Time.Column != m.Column {
		time = timeMeaning(m.Time)
	}
	var states []state
	add := func(flags, times []value, s state) {
		for _, f := range flags {
			for _, t := range times {
				s.columns = map[string]value{m.Column: f}
				if m.Time != nil && m.Time.Column != m.Column {
					s.columns[m.Time.Column] = t
				}
				states = append(states, s)
			}
		}
	}
	either := flag.either || time.either
	add(flag.live, time.live, state{either: either})
	add(flag.odd, time.live, state{odd: true})
	add(flag.deleted, time.deleted, state{deleted: true, either: either})
	return states
}

// manyStates is how many states of a row are looked at: they multiply with each marker.
const manyStates = 5000

// rowStates are the states that a row can be in by all markers together, for a predicate
// that compares columns with the given literals; false if they are too many.
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

// NullWhileLive tells of each marker column whether it is NULL in every live row.
func NullWhileLive(ms softdelete.Markers) map[string]bool {
	always := map[string]bool{}
	for _, column := range ms.Columns() {
		always[column] = true
	}
	for _, m := range ms { // a row is live if it is so by each marker
		for _, s := range markerStates(m, nil) {
			for column, v := range s.columns {
				if !s.deleted && !s.odd && v.class != null {
					always[column] = false
				}
			}
		}
	}
	return always
}

// truth is a set of the three truth values of SQL: what a predicate can be.
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

// and is what two predicates together can be. They are taken to be independent,
// which may make the set too large, never too small.
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

// compare is what `value operator literal` can be.
func (v value) compare(operator string, l literal) truth {
	if v.class == null {
		return unknown
	}
	equal := yes | no
	switch {
	case v.class == known && v.text == l.text:
		equal = yes
	case v.class == known && different(v.text, l.text), v.class == positive && l.text == "0",
		slices.Contains(v.except, l.text):
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

// less is what `value < number` can be.
func (v value) less(number string) truth {
	l, err := strconv.ParseFloat(number, 64)
	if err != nil || math.IsNaN(l) {
		return yes | no
	}
	n, err := strconv.ParseFloat(v.text, 64)
	switch {
	case v.class == known && v.text == number:
		return no
	case v.class == known && err == nil && (n < l || n > l): // equal ones may have been rounded to it
		return truthOf(n < l)
	case v.class == positive && l <= 0:
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

// different tells whether two texts cannot be the same value: two numbers, two
// truth values, or two words that differ in more than case and blanks, which a
// collation or char(n) may not tell apart. Times may be written in several ways.
func different(a, b string) bool {
	x, errX := strconv.ParseFloat(a, 64)
	y, errY := strconv.ParseFloat(b, 64)
	if errX == nil && errY == nil {
		return x < y || x > y
	}
	return !strings.ContainsAny(a+b, ":-") && !strings.EqualFold(strings.TrimRight(a, " "), strings.TrimRight(b, " "))
}
