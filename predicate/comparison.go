package predicate

import (
	"slices"
	"strings"
)

// test is what a predicate asks of one operand.
type test struct {
	operand operand
	// operator is IS or a comparison; empty when the operand itself is the answer.
	operator string
	// not turns the answer of IS round.
	not bool
	// literals are what it is compared with: one, or those of a list.
	literals []string
	// all tells that the comparison must hold with all of the list, not with any.
	all bool
}

// operand is a column, or what stands in for its NULL.
type operand struct {
	column string
	// instead is the second argument of COALESCE; nil for the bare column.
	instead *string
}

// swapped are the comparisons seen from the other side.
var swapped = map[string]string{"=": "=", "<>": "<>", "<": ">", ">": "<", "<=": ">=", ">=": "<="}

// comparison reads a predicate without AND, OR and NOT.
func comparison(tokens []token) condition {
	if o, ok := readOperand(tokens); ok {
		return test{operand: o}
	}
	at := slices.IndexFunc(tokens, func(t token) bool { return bracket(t) == 0 && t.is("IS") })
	if at > 0 {
		return truthTest(tokens[:at], tokens[at+1:])
	}
	depth := 0
	for i, t := range tokens {
		depth += bracket(t)
		if depth == 0 && t.kind == 'o' && swapped[t.text] != "" {
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
	t.literals = []string{right[0].text}
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
		if literal, ok := readLiteral(right); ok {
			return test{operand: o, operator: operator, literals: []string{literal}}
		}
	}
	if o, ok := readOperand(right); ok {
		if literal, ok := readLiteral(left); ok {
			return test{operand: o, operator: swapped[operator], literals: []string{literal}}
		}
	}
	return opaque{}
}

// readOperand reads a column or COALESCE(column, literal).
func readOperand(tokens []token) (operand, bool) {
	tokens = unwrap(tokens)
	// A cast to text changes nothing of what the column is compared with.
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
		o, isColumn := readOperand(arguments[0])
		literal, isLiteral := readLiteral(arguments[1])
		o.instead = &literal
		return o, isColumn && isLiteral
	default:
		return operand{}, false
	}
}

var texts = map[string]bool{"text": true, "character varying": true}

// readLiteral reads a constant, with or without a cast to its type.
func readLiteral(tokens []token) (string, bool) {
	tokens = unwrap(tokens)
	if at := lastCast(tokens); at > 0 && !slices.ContainsFunc(tokens[at+1:], notOfType) {
		return readLiteral(tokens[:at])
	}
	if len(tokens) != 1 {
		return "", false
	}
	t := tokens[0]
	return t.text, t.kind == 's' || t.kind == 'n' || t.is("true") || t.is("false")
}

// notOfType tells what the name of a type does not hold: timestamp(3) without time
// zone, numeric(10,2), text[], public."Status".
func notOfType(t token) bool {
	return t.kind == 's' || t.kind == 'o' && !strings.Contains("()[],.", t.text)
}

func lastCast(tokens []token) int {
	for i := len(tokens) - 1; i >= 0; i-- {
		if tokens[i].is("::") {
			return i
		}
	}
	return -1
}

// readList reads what ANY and ALL are given: (ARRAY[literal, ...]), cast or not.
func readList(tokens []token) ([]string, bool) {
	tokens = unwrap(tokens)
	if at := slices.IndexFunc(tokens, func(t token) bool { return t.is("ARRAY") }); at == 0 {
		if end := closing(tokens[1:]) + 1; end > 1 {
			var list []string
			for _, element := range split(tokens[2:end], ",") {
				literal, ok := readLiteral(element)
				if !ok {
					return nil, false
				}
				list = append(list, literal)
			}
			return list, true
		}
	}
	// A cast of the whole list: ((ARRAY[...])::text[]).
	if len(tokens) > 2 && tokens[0].is("(") {
		if end := closing(tokens); end > 0 && end+1 < len(tokens) && tokens[end+1].is("::") {
			return readList(tokens[:end+1])
		}
	}
	return nil, false
}

// in implements condition.
func (t test) in(s state) truth {
	v, isMarker := s.columns[t.operand.column]
	if !isMarker {
		return anything
	}
	if t.operand.instead != nil && v.class == null {
		v = value{class: known, text: *t.operand.instead}
	}
	switch t.operator {
	case "":
		return v.truth()
	case "IS":
		r := v.is(t.literals[0])
		if t.not {
			r = r.not()
		}
		return r
	}
	result := no
	if t.all {
		result = yes
	}
	for _, literal := range t.literals {
		one := v.compare(t.operator, literal)
		if t.all {
			result = result.and(one)
		} else {
			result = result.or(one)
		}
	}
	return result
}

// truth is what the value is as a boolean.
func (v value) truth() truth {
	switch {
	case v.class == null:
		return unknown
	case v.class == known && (v.text == "true" || v.text == "false"):
		return truthOf(v.text == "true")
	default:
		return anything
	}
}

// is is what `value IS word` can be; it is never unknown.
func (v value) is(word string) truth {
	if word == "NULL" {
		return truthOf(v.class == null)
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
