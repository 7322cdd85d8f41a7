package softdelete

import (
	"strconv"
	"strings"
)

// value stands for a set of values that a marker column may have.
type value struct {
	class class
	// text is the value of a known one, as PostgreSQL writes it, without its type.
	text string
}

type class int

const (
	null     class = iota
	known          // the one value that text is
	positive       // some integer above 0
	other          // some value that is none of the known ones of its marker
)

var (
	isNull     = value{class: null}
	isTrue     = value{known, "true"}
	isFalse    = value{known, "false"}
	isZero     = value{known, "0"}
	isPositive = value{class: positive}
	isOther    = value{class: other}
)

// state is a state of a row as far as the markers of its table tell: the values of
// the marker columns, and what they mean.
type state struct {
	columns map[string]value
	deleted bool
	// odd tells that the state is allowed, but that applications do not mean it: a
	// flag that is NULL, which neither "= true" nor "= false" finds.
	odd bool
}

// states are the states that a row can be in by one marker. A pair is taken at its
// word: flag and time agree, because an application that filters by either means both.
func (m Marker) states() []state {
	var live, deleted, odd []value
	switch m.Kind {
	case Timestamp:
		live, deleted = []value{isNull}, []value{isOther}
	case Flag, Pair:
		live, odd, deleted = []value{isFalse}, []value{isNull}, []value{isTrue}
	default:
		// Nothing is known of what a value means.
		live, deleted = []value{isNull, isOther}, []value{isOther}
	}
	var states []state
	add := func(values []value, deleted, odd bool) {
		for _, v := range values {
			s := state{columns: map[string]value{m.Column: v}, deleted: deleted, odd: odd}
			if m.Time != nil && m.Time.Column != m.Column {
				s.columns[m.Time.Column] = isNull
				if deleted {
					s.columns[m.Time.Column] = isOther
				}
			}
			states = append(states, s)
		}
	}
	add(live, false, false)
	add(odd, false, true)
	add(deleted, true, false)
	return states
}

// states are the states that a row can be in by all markers together.
func (ms Markers) states() []state {
	all := []state{{}}
	for _, m := range ms {
		var next []state
		for _, a := range all {
			for _, b := range m.states() {
				s := state{columns: map[string]value{}, deleted: a.deleted || b.deleted, odd: a.odd || b.odd}
				for _, half := range []state{a, b} {
					for column, v := range half.columns {
						s.columns[column] = v
					}
				}
				next = append(next, s)
			}
		}
		all = next
	}
	return all
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
func (v value) compare(operator, literal string) truth {
	if v.class == null {
		return unknown
	}
	equal := yes | no
	switch {
	case v.class == known && v.text == literal:
		equal = yes
	case v.class == known && different(v.text, literal), v.class == positive && literal == "0":
		equal = no
	}
	switch operator {
	case "=":
		return equal
	case "<>":
		return equal.not()
	}
	less := v.less(literal)
	if strings.HasPrefix(operator, ">") {
		less = less.not() &^ unknown
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

// less is what `value < literal` can be for numbers; anything else may be either.
func (v value) less(literal string) truth {
	l, err := strconv.ParseFloat(literal, 64)
	if err != nil {
		return yes | no
	}
	n, err := strconv.ParseFloat(v.text, 64)
	switch {
	case v.class == known && err == nil:
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
		return x != y
	}
	return !strings.ContainsAny(a+b, ":-") && !strings.EqualFold(strings.TrimRight(a, " "), strings.TrimRight(b, " "))
}
