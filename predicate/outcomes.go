package predicate

import (
	"slices"

	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// Outcomes are what an expression can be in the rows of one kind.
type Outcomes struct {
	// Null says in which of the rows it is NULL: Some if that is not certain.
	Null softdelete.Cover
	// Values are what it can be where it is not NULL; nil if that is not known.
	Values []string
}

// Fixed reports whether the expression is one and the same value in all of the rows.
func (o Outcomes) Fixed() bool { return o.Null == softdelete.None && len(o.Values) == 1 }

// OutcomesOf reports what an expression can be in live and in deleted rows. It reads what
// pg_get_expr writes, and never guesses: what it does not understand can be anything.
func OutcomesOf(markers softdelete.Markers, expression string) (live, deleted Outcomes) {
	tokens, readable := scan(expression)
	if !readable {
		return Outcomes{}, Outcomes{}
	}
	return outcomes(markers, tokens)
}

// ColumnOutcomes is OutcomesOf for a column.
func ColumnOutcomes(markers softdelete.Markers, column string) (live, deleted Outcomes) {
	return outcomes(markers, []token{{kind: nameToken, text: column}})
}

func outcomes(markers softdelete.Markers, tokens []token) (live, deleted Outcomes) {
	said := literals{}
	for _, column := range markers.Columns() {
		for _, t := range tokens {
			if t.kind == stringToken || t.kind == numberToken {
				said[column] = append(said[column], t.text)
			}
		}
	}
	states, few := rowStates(markers, said)
	if !few {
		return Outcomes{}, Outcomes{}
	}
	var inLive, inDeleted outcome
	for _, s := range states {
		switch {
		case s.odd:
		case s.deleted:
			inDeleted = inDeleted.or(outcomeIn(s, tokens))
		default:
			inLive = inLive.or(outcomeIn(s, tokens))
		}
	}
	return inLive.sum(), inDeleted.sum()
}

// outcome is what an expression can be: NULL, one of some values, or some other value.
type outcome struct {
	null, other bool
	values      []string
}

var (
	certainlyNull = outcome{null: true}
	notNull       = outcome{other: true}
	whatever      = outcome{null: true, other: true}
)

func constant(value string) outcome { return outcome{values: []string{value}} }

// or is what one or the other can be.
func (o outcome) or(p outcome) outcome {
	values := slices.Concat(o.values, p.values)
	slices.Sort(values)
	return outcome{null: o.null || p.null, other: o.other || p.other, values: slices.Compact(values)}
}

// isNull means that it cannot be anything but NULL.
func (o outcome) isNull() bool { return o.null && !o.other && len(o.values) == 0 }

func (o outcome) sum() Outcomes {
	switch {
	case o.isNull():
		return Outcomes{Null: softdelete.All}
	case o.other && o.null:
		return Outcomes{}
	case o.other:
		return Outcomes{Null: softdelete.None}
	case o.null:
		return Outcomes{Values: o.values}
	default:
		return Outcomes{Null: softdelete.None, Values: o.values}
	}
}

// strict are functions of PostgreSQL that are NULL if an argument is.
var strict = []string{"abs", "age", "date", "date_part", "date_trunc", "lower", "md5", "round", "timezone",
	"to_timestamp", "trunc", "upper"}

// outcomeIn evaluates an expression in a state of a row.
func outcomeIn(s state, tokens []token) outcome {
	tokens = unwrap(tokens)
	if l, ok := readLiteral(tokens); ok {
		return constant(l.text)
	}
	cast := lastOutside(tokens, "::")
	switch last := len(tokens) - 1; {
	case last < 0:
		return whatever
	case tokens[0].is("NULL") && (last == 0 || cast == 1):
		return certainlyNull
	case last == 0 && tokens[0].name() != "":
		return s.column(tokens[0].name())
	case tokens[0].is("CASE"):
		return caseIn(s, tokens)
	case last > 1 && tokens[1].is("(") && closing(tokens[1:]) == last-1:
		return callIn(s, tokens[0], split(tokens[2:last], ","))
	}
	if t := parse(tokens).in(s); t != anything {
		return t.outcome()
	}
	if at := slices.IndexFunc(tokens, token.isArithmetic); at > 0 && outside(tokens, at) {
		return strictly(outcomeIn(s, tokens[:at]), outcomeIn(s, tokens[at+1:]))
	}
	if at := lastOutside(tokens, "AT"); at > 0 && at+3 < len(tokens) && tokens[at+1].is("TIME") {
		return strictly(outcomeIn(s, tokens[:at]), outcomeIn(s, tokens[at+3:]))
	}
	if cast > 0 && !slices.ContainsFunc(tokens[cast:],
		func(t token) bool { return t.is(".") }) { // a type of PostgreSQL's own
		return outcomeIn(s, tokens[:cast])
	}
	return whatever
}

// isArithmetic reports whether a token is an operator that is NULL if one of its sides is.
func (t token) isArithmetic() bool {
	return t.kind == signToken && slices.Contains([]string{"+", "-", "*", "/", "%"}, t.text)
}

// lastOutside is the index of the last such token outside of brackets, -1 if there is none.
func lastOutside(tokens []token, text string) int {
	for at := len(tokens) - 1; at >= 0; at-- {
		if tokens[at].is(text) && outside(tokens, at) {
			return at
		}
	}
	return -1
}

// outside reports whether a token is outside of all brackets.
func outside(tokens []token, at int) bool {
	depth := 0
	for _, t := range tokens[:at] {
		depth += bracket(t)
	}
	return depth == 0
}

// strictly is what an expression can be that is NULL if one of its parts is.
func strictly(parts ...outcome) outcome {
	result := notNull
	for _, p := range parts {
		if p.isNull() {
			return certainlyNull
		}
		result.null = result.null || p.null
	}
	return result
}

// column is what a column can be in the state.
func (s state) column(name string) outcome {
	v, isMarker := s.columns[name]
	switch {
	case !isMarker:
		return whatever
	case v.Class == softdelete.Null:
		return certainlyNull
	case v.Class == softdelete.Known:
		return constant(v.Text)
	default:
		return notNull
	}
}

// callIn evaluates COALESCE, NULLIF, EXTRACT, or a function.
func callIn(s state, function token, arguments [][]token) outcome {
	if function.is("EXTRACT") {
		arguments = [][]token{arguments[0][lastOutside(arguments[0], "FROM")+1:]}
	}
	parts := make([]outcome, len(arguments))
	for i, a := range arguments {
		parts[i] = outcomeIn(s, a)
	}
	switch {
	case function.is("COALESCE"):
		result := certainlyNull
		for _, p := range parts {
			if result.null {
				result.null = false
				result = result.or(p)
			}
		}
		return result
	case function.is("NULLIF") && len(parts) == 2:
		return nullIf(parts[0], parts[1])
	case (function.is("EXTRACT") || slices.Contains(strict, function.name())) &&
		slices.ContainsFunc(parts, outcome.isNull):
		return certainlyNull
	default:
		return whatever
	}
}

// nullIf is NULL if the first is equal to the second.
func nullIf(a, b outcome) outcome {
	if slices.ContainsFunc([]outcome{a, b}, func(o outcome) bool { return o.null || o.other || len(o.values) != 1 }) {
		return a.or(certainlyNull)
	}
	switch {
	case a.values[0] == b.values[0]:
		return certainlyNull
	case different(a.values[0], b.values[0]):
		return a
	default:
		return a.or(certainlyNull)
	}
}

// caseIn evaluates CASE WHEN condition THEN result … ELSE result END.
func caseIn(s state, tokens []token) outcome {
	var result outcome
	reached := true // the arm that is looked at
	depth, start := 0, 1
	applies := yes
	word := ""
	for at, t := range tokens {
		depth += bracket(t)
		switch {
		case t.is("CASE"):
			depth++
		case t.is("END"):
			depth--
		}
		ends := at == len(tokens)-1 && t.is("END") && depth == 0
		if !ends && (depth != 1 || !t.is("WHEN") && !t.is("THEN") && !t.is("ELSE")) {
			continue
		}
		part := tokens[start:at]
		switch word {
		case "": // CASE operand WHEN …, whose comparisons are not read
			if len(part) > 0 {
				return whatever
			}
		case "WHEN":
			applies = parse(part).in(s)
		case "THEN", "ELSE":
			if reached && applies&yes != 0 {
				result = result.or(outcomeIn(s, part))
			}
			reached = reached && applies != yes
			applies = yes
		}
		word, start = t.text, at+1
		if ends {
			if reached { // there is no ELSE
				result = result.or(certainlyNull)
			}
			return result
		}
	}
	return whatever
}

// outcome is what the truth value can be as a boolean.
func (t truth) outcome() outcome {
	o := outcome{null: t&unknown != 0}
	if t&no != 0 {
		o.values = append(o.values, "false")
	}
	if t&yes != 0 {
		o.values = append(o.values, "true")
	}
	return o
}
