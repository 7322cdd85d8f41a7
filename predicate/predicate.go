// Package predicate tells what the WHERE of an index lets in of a table's live and deleted
// rows. It reads PostgreSQL's own words, those of pg_get_expr, and never guesses.
//
// PostgreSQL can be asked something similar: EXPLAIN shows whether its planner sees that a
// predicate contradicts "deleted". But its answer is only ever that no deleted row is let
// in, never that every live one is; it does not understand COALESCE(flag, false) = false;
// and EXPLAIN needs SELECT on all columns of the predicate, while our role may have it on the
// marker alone. So the planner is asked only where this package finds no answer.
package predicate

import (
	"regexp"
	"slices"
	"strings"

	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// ScopeOf reads a predicate in PostgreSQL's own words, those of pg_get_expr. It
// never guesses: All and None hold whatever the parts that it does not know mean.
func ScopeOf(markers softdelete.Markers, predicate string) softdelete.Scope {
	if predicate == "" {
		return softdelete.Scope{Live: softdelete.All, Deleted: softdelete.All}
	}
	s := softdelete.Scope{Mentions: Mentions(predicate, markers.Columns())}
	if !s.Mentions {
		return s
	}
	tokens, readable := scan(predicate)
	if !readable {
		return s
	}
	condition := parse(tokens)
	said := literals{}
	said.collect(condition)
	states, few := rowStates(markers, said)
	if !few {
		return s
	}
	var live, deleted cover
	for _, state := range states {
		of := &live
		if state.deleted {
			of = &deleted
		}
		of.add(condition.in(state), state)
	}
	s.Live, s.Deleted = live.cover(), deleted.cover()
	return s
}

// cover adds up what a predicate is in the states of one kind of row.
type cover struct {
	// all is what it can be in any state, meant in those that applications mean.
	all, meant truth
	// either is what it can be where one of several states is meant; one means that
	// one of them is let in.
	either truth
	one    bool
}

func (c *cover) add(t truth, s state) {
	c.all |= t
	switch {
	case s.odd:
	case s.either:
		c.either |= t
		c.one = c.one || t == yes
	default:
		c.meant |= t
	}
}

func (c *cover) cover() softdelete.Cover {
	switch {
	case c.all&yes == 0:
		return softdelete.None
	case c.meant|c.either == yes, c.one && c.meant&^yes == 0:
		return softdelete.All
	default:
		return softdelete.Some
	}
}

// Mentions reports whether one of the columns stands in an expression of PostgreSQL's
// writing; of one that cannot be read, whether it may.
func Mentions(expression string, columns []string) bool {
	tokens, readable := scan(expression)
	if !readable {
		return slices.ContainsFunc(columns, func(column string) bool {
			return strings.Contains(expression, strings.ReplaceAll(column, `"`, `""`))
		})
	}
	for i, t := range tokens {
		call := i+1 < len(tokens) && tokens[i+1].is("(")
		if name := t.name(); name != "" && !call && slices.Contains(columns, name) {
			return true
		}
	}
	return false
}

// Conjuncts are the parts of a predicate that must all be true, as text.
func Conjuncts(predicate string) []string {
	tokens, readable := scan(predicate)
	switch {
	case predicate == "":
		return nil
	case !readable:
		return []string{predicate}
	}
	var parts []string
	for _, part := range split(unwrap(tokens), "AND") {
		parts = append(parts, written(part))
	}
	return parts
}

// token is a piece of an expression.
type token struct {
	kind tokenKind
	// text is what is meant, raw what is written, quotes included.
	text, raw string
}

type tokenKind int

// The kinds of token, in the order of the groups of lexeme.
const (
	_             tokenKind = iota
	constantToken           // in quotes, of a value that is not read
	stringToken
	nameToken // in double quotes
	wordToken // a name or a key word
	numberToken
	signToken // an operator, a bracket or the like
)

// lexeme is one token as PostgreSQL's scanner has it (scan.l), with a group for each
// kind. Only E'…' has escapes: elsewhere a backslash is a character like any other.
var lexeme = regexp.MustCompile(
	`(?s)^\s*(?:([Ee]'(?:[^'\\]|\\.|'')*'|[BbXxNn]'(?:[^']|'')*')|('(?:[^']|'')*')|("(?:[^"]|"")+")|` +
		`([A-Za-z_[:^ascii:]][\w$[:^ascii:]]*)|(\d+(?:\.\d*)?(?:[Ee][-+]?\d+)?)|(::|[-+*/<>=~!@#%^&|` + "`" +
		`?]+|[(),.:\[\]]))`)

// blanks stand between tokens. Others that Unicode knows are letters to PostgreSQL.
const blanks = " \t\n\r\f"

// deepest is how many brackets are read within each other: what it costs to read a
// predicate grows with them, and no person nests so many.
const deepest = 100

// scan takes an expression apart. It is not readable if PostgreSQL does not write such:
// what is understood of it could be wrong, so that nothing is.
func scan(text string) (tokens []token, readable bool) {
	var open []string // the brackets that wait to be closed
	for text = strings.Trim(text, blanks); text != ""; {
		at := lexeme.FindStringSubmatchIndex(text)
		if at == nil {
			return nil, false
		}
		var t token
		for t.kind = constantToken; at[2*t.kind] < 0; t.kind++ { // to the group that was found
		}
		t.raw, text = text[at[2*t.kind]:at[1]], text[at[1]:]
		t.text = t.raw
		switch {
		case t.kind == stringToken:
			t.text = strings.ReplaceAll(t.raw[1:len(t.raw)-1], "''", "'")
		case t.kind == nameToken:
			t.text = strings.ReplaceAll(t.raw[1:len(t.raw)-1], `""`, `"`)
		case t.is("("):
			open = append(open, ")")
		case t.is("["):
			open = append(open, "]")
		case t.is(")"), t.is("]"):
			if len(open) == 0 || open[len(open)-1] != t.raw {
				return nil, false
			}
			open = open[:len(open)-1]
		case t.kind == signToken && (strings.Contains(t.raw, "--") || strings.Contains(t.raw, "/*")): // a comment
			return nil, false
		case strings.EqualFold(t.raw, "U") &&
			(strings.HasPrefix(text, "&'") || strings.HasPrefix(text, `&"`)): // other escapes
			return nil, false
		}
		if len(open) > deepest {
			return nil, false
		}
		tokens = append(tokens, t)
	}
	return tokens, len(open) == 0
}

// name is the column that a token can be the name of. PostgreSQL quotes whatever is
// not plain lower case, so that its key words are told apart by their capitals.
func (t token) name() string {
	if t.kind == nameToken || t.kind == wordToken && strings.ToLower(t.text) == t.text {
		return t.text
	}
	return ""
}

// is reports whether a token is the key word, operator or bracket given.
func (t token) is(text string) bool {
	return (t.kind == wordToken || t.kind == signToken) && t.text == text
}

// condition is a predicate, or a part of one.
type condition interface{ in(state) truth }

type (
	conjunction []condition
	disjunction []condition
	negation    struct{ condition }
	// opaque is a part that is not understood.
	opaque struct{}
)

func (c conjunction) in(s state) truth {
	t := yes
	for _, part := range c {
		t = t.and(part.in(s))
	}
	return t
}

func (c disjunction) in(s state) truth {
	t := no
	for _, part := range c {
		t = t.or(part.in(s))
	}
	return t
}

func (c negation) in(s state) truth { return c.condition.in(s).not() }

func (opaque) in(state) truth { return anything }

// parse reads a predicate. PostgreSQL writes every operand of AND, OR and NOT that
// is not a mere name in brackets, so that they are found outside of any.
func parse(tokens []token) condition {
	tokens = unwrap(tokens)
	if parts := split(tokens, "OR"); len(parts) > 1 {
		return disjunction(each(parts))
	}
	if parts := split(tokens, "AND"); len(parts) > 1 {
		return conjunction(each(parts))
	}
	if len(tokens) > 0 && tokens[0].is("NOT") {
		return negation{parse(tokens[1:])}
	}
	return comparison(tokens)
}

func each(parts [][]token) []condition {
	conditions := make([]condition, len(parts))
	for i, p := range parts {
		conditions[i] = parse(p)
	}
	return conditions
}

// unwrap takes off brackets around the whole.
func unwrap(tokens []token) []token {
	for len(tokens) > 1 && tokens[0].is("(") && closing(tokens) == len(tokens)-1 {
		tokens = tokens[1 : len(tokens)-1]
	}
	return tokens
}

// closing is the index of the bracket that closes the first one.
func closing(tokens []token) int {
	depth := 0
	for i, t := range tokens {
		depth += bracket(t)
		if depth == 0 {
			return i
		}
	}
	return -1
}

func bracket(t token) int {
	switch {
	case t.is("("), t.is("["):
		return 1
	case t.is(")"), t.is("]"):
		return -1
	default:
		return 0
	}
}

// split takes the tokens apart at each separator outside of brackets.
func split(tokens []token, separator string) [][]token {
	var parts [][]token
	depth, start := 0, 0
	for i, t := range tokens {
		depth += bracket(t)
		if depth == 0 && t.is(separator) {
			parts = append(parts, tokens[start:i])
			start = i + 1
		}
	}
	return append(parts, tokens[start:])
}

// written is the tokens as text again.
func written(tokens []token) string {
	all := make([]string, len(tokens))
	for i, t := range tokens {
		all[i] = t.raw
	}
	return strings.Join(all, " ")
}
