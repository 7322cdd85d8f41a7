package predicate

import (
	"slices"
	"strconv"
	"strings"

	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// test is a condition on one operand.
type test struct {
	operand operand
	// operator is IS or a comparison; empty if the operand itself is the result.
	operator string
	// not negates the result of IS.
	not bool
	// literals are what it is compared with: one value, or a list.
	literals []literal
	// all is true if the comparison must be true for all of the list, not just for one.
	all bool
}

// operand is a column, or COALESCE of a column and a literal.
type operand struct {
	column string
	// instead is the second argument of COALESCE; nil for the column alone.
	instead *literal
}

// literal is a constant.
type literal struct {
	text string
	// number is true if it has a numeric type, and is not a text that looks like a number.
	number bool
	// time is the type of a time; empty if it has another one.
	time softdelete.TimeType
}

// swapped are the comparisons with their sides exchanged.
var swapped = map[string]string{"=": "=", "<>": "<>", "<": ">", ">": "<", "<=": ">=", ">=": "<="}

// comparison reads a predicate without AND, OR and NOT.
func comparison(tokens []token) condition {
	if o, ok := readOperand(tokens); ok {
		return test{operand: o}
	}
	depth := 0
	for i, t := range tokens {
		depth += bracket(t)
		switch {
		case depth > 0:
		case t.is("IS"):
			return truthTest(tokens[:i], tokens[i+1:])
		case t.kind == signToken && swapped[t.text] != "":
			return compare(tokens[:i], t.text, tokens[i+1:])
		}
	}
	return opaque{}
}

// truthTest reads IS [NOT] NULL, TRUE, FALSE or UNKNOWN.
func truthTest(left, right []token) condition {
	o, ok := readOperand(left)
	if !ok || len(right) == 0 {
		return opaque{}
	}
	t := test{operand: o, operator: "IS"}
	if right[0].is("NOT") {
		t.not, right = true, right[1:]
	}
	if len(right) != 1 || !slices.Contains([]string{"NULL", "TRUE", "FALSE", "UNKNOWN"}, right[0].text) {
		return opaque{}
	}
	t.literals = []literal{{text: right[0].text}}
	return t
}

func compare(left []token, operator string, right []token) condition {
	if len(right) > 1 && (right[0].is("ANY") || right[0].is("ALL")) {
		o, ok := readOperand(left)
		list, known := readList(right[1:])
		if ok && known {
			return test{operand: o, operator: operator, literals: list, all: right[0].is("ALL")}
		}
		return opaque{}
	}
	if o, ok := readOperand(left); ok {
		if l, ok := readLiteral(right); ok {
			return test{operand: o, operator: operator, literals: []literal{l}}
		}
	}
	if o, ok := readOperand(right); ok {
		if l, ok := readLiteral(left); ok {
			return test{operand: o, operator: swapped[operator], literals: []literal{l}}
		}
	}
	return opaque{}
}

// readOperand reads a column or COALESCE(column, literal).
func readOperand(tokens []token) (operand, bool) {
	tokens = unwrap(tokens)
	// A cast to text does not change the result of the comparison.
	if at := slices.IndexFunc(tokens, func(t token) bool { return t.is("::") }); at > 0 && texts[written(tokens[at+1:])] {
		return readOperand(tokens[:at])
	}
	switch {
	case len(tokens) == 1 && tokens[0].name() != "" && !tokens[0].is("true") && !tokens[0].is("false"):
		return operand{column: tokens[0].name()}, true
	case len(tokens) > 2 && tokens[0].is("COALESCE") && closing(tokens[1:]) == len(tokens)-2:
		arguments := split(tokens[2:len(tokens)-1], ",")
		if len(arguments) != 2 {
			return operand{}, false
		}
		o, isOperand := readOperand(arguments[0])
		l, isLiteral := readLiteral(arguments[1])
		if o.instead == nil { // otherwise the first one is never NULL
			o.instead = &l
		}
		return o, isOperand && isLiteral
	default:
		return operand{}, false
	}
}

var texts = map[string]bool{"text": true, "character varying": true}

// exact are the types that hold every whole number as it is, numeric all those of numbers.
var (
	exact   = map[string]bool{"smallint": true, "integer": true, "bigint": true, "numeric": true}
	numeric = map[string]bool{"smallint": true, "integer": true, "bigint": true, "numeric": true, "real": true,
		"double precision": true}
)

// times are the types of times as pg_get_expr names them.
var times = map[string]softdelete.TimeType{"timestamp with time zone": softdelete.Timestamptz,
	"timestamp without time zone": softdelete.LocalTimestamp, "date": softdelete.Date}

// readLiteral reads a constant, with or without casts that do not change its value.
func readLiteral(tokens []token) (literal, bool) {
	tokens = unwrap(tokens)
	if at := lastCast(tokens); at > 0 {
		inner, kind := unwrap(tokens[:at]), tokens[at+1:]
		name := written(kind)
		if len(inner) == 1 && inner[0].kind == stringToken { // the cast to the type of the constant
			return literal{inner[0].text, numeric[name], times[name]}, len(kind) > 0 && !slices.ContainsFunc(kind, notOfType)
		}
		l, ok := readLiteral(inner)
		if !l.number {
			return l, ok && texts[name]
		}
		n, err := strconv.ParseInt(l.text, 10, 64)
		const mostExact = 1 << 53 // the whole numbers up to it are all there in double precision
		return l, ok && err == nil &&
			(exact[name] || name == "double precision" && -mostExact < n && n < mostExact) // otherwise it could be rounded
	}
	if len(tokens) != 1 {
		return literal{}, false
	}
	t := tokens[0]
	return literal{text: t.text, number: t.kind == numberToken},
		t.kind == stringToken || t.kind == numberToken || t.is("true") || t.is("false")
}

// notOfType reports whether a token cannot be part of the name of a type that keeps a constant as it is written:
// timestamp without time zone, text[], public."Status", but not varchar(3), which truncates it.
func notOfType(t token) bool {
	return t.kind == stringToken || t.kind == constantToken || t.is("COLLATE") ||
		t.kind == signToken && !strings.Contains("[].", t.text)
}

func lastCast(tokens []token) int {
	for i := len(tokens) - 1; i >= 0; i-- {
		if tokens[i].is("::") {
			return i
		}
	}
	return -1
}

// readList reads the argument of ANY and ALL: (ARRAY[literal, ...]), with or without a cast to an array of text.
func readList(tokens []token) ([]literal, bool) {
	tokens = unwrap(tokens)
	if at := lastCast(tokens); at > 0 && closing(tokens) == at-1 {
		name, isArray := strings.CutSuffix(written(tokens[at+1:]), " [ ]")
		list, ok := readList(tokens[:at])
		return list, ok && isArray && texts[name]
	}
	if len(tokens) < 3 || !tokens[0].is("ARRAY") || !tokens[1].is("[") || closing(tokens[1:]) != len(tokens)-2 {
		return nil, false
	}
	var list []literal
	for _, element := range split(tokens[2:len(tokens)-1], ",") {
		l, ok := readLiteral(element)
		if !ok {
			return nil, false
		}
		list = append(list, l)
	}
	return list, true
}

// in implements condition.
func (t test) in(s state) truth {
	v, isMarker := s.columns[t.operand.column]
	if !isMarker {
		return anything
	}
	if t.operand.instead != nil && v.Class == softdelete.Null {
		v = value{Class: softdelete.Known, Text: t.operand.instead.text}
	}
	switch t.operator {
	case "":
		return v.truth()
	case "IS":
		r := v.is(t.literals[0].text)
		if t.not {
			r = r.not()
		}
		return r
	}
	result := no
	if t.all {
		result = yes
	}
	for _, l := range t.literals {
		one := v.compare(t.operator, l)
		if t.all {
			result = result.and(one)
		} else {
			result = result.or(one)
		}
	}
	return result
}

// truth returns the value as a boolean.
func (v value) truth() truth {
	switch {
	case v.Class == softdelete.Null:
		return unknown
	case v.Class == softdelete.Known && (v.Text == "true" || v.Text == "false"):
		return truthOf(v.Text == "true")
	default:
		return anything
	}
}

// is returns the possible results of `value IS word`, which is never unknown.
func (v value) is(word string) truth {
	if word == "NULL" {
		return truthOf(v.Class == softdelete.Null)
	}
	want := map[string]truth{"TRUE": yes, "FALSE": no, "UNKNOWN": unknown}[word]
	switch t := v.truth(); {
	case t == want:
		return yes
	case t&want == 0:
		return no
	default:
		return yes | no
	}
}
