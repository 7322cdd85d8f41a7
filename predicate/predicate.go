// Package predicate decides which live and deleted rows of a table the WHERE of an index includes. It reads the text
// of pg_get_expr, and never guesses.
//
// PostgreSQL can answer a similar question: EXPLAIN shows whether the planner sees that a predicate contradicts
// "deleted". But that only proves that no deleted row is included, never that every live row is. The planner does not
// understand COALESCE(flag, false) = false. And EXPLAIN needs SELECT on all columns of the predicate, while the role
// may have it only on the marker. So the planner is asked only if this package finds no answer.
package predicate

import (
	"regexp"
	"slices"
	"strings"

	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// ScopeOf reads a predicate in the form of pg_get_expr. It never guesses: All and None are true whatever the parts
// that it does not understand mean.
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

// cover collects the results of a predicate for the states of one kind of row.
type cover struct {
	// all are the possible results in any state, meant those in the states that applications use on purpose.
	all, meant truth
	// either are the possible results if a table uses only one of several states; one is true if one of these is
	// included.
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

// Mentions reports whether an expression of PostgreSQL uses one of the columns. If the expression cannot be read, it
// reports whether it may use one.
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

// Conjuncts returns the parts of a predicate that must all be true, as text.
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
	// text is the meaning of the token, raw is how it is written, including quotes.
	text, raw string
}

type tokenKind int

// The kinds of token, in the order of the groups of lexeme.
const (
	_             tokenKind = iota
	constantToken           // in quotes; its value is not read
	stringToken
	nameToken // in double quotes
	wordToken // a name or a key word
	numberToken
	signToken // an operator, a bracket or the like
)

// lexeme matches one token as PostgreSQL's scanner does (scan.l), with a group for each kind. Only E'…' has escapes:
// elsewhere a backslash is an ordinary character.
var lexeme = regexp.MustCompile(
	`(?s)^\s*(?:([Ee]'(?:[^'\\]|\\.|'')*'|[BbXxNn]'(?:[^']|'')*')|('(?:[^']|'')*')|("(?:[^"]|"")+")|` +
		`([A-Za-z_[:^ascii:]][\w$[:^ascii:]]*)|(\d+(?:\.\d*)?(?:[Ee][-+]?\d+)?)|(::|[-+*/<>=~!@#%^&|` + "`" +
		`?]+|[(),.:\[\]]))`)

// blanks separate tokens. For PostgreSQL, other blanks of Unicode are letters.
const blanks = " \t\n\r\f"

// deepest is how many nested brackets are read: the cost of reading grows with them, and nobody writes so many.
const deepest = 100

// scan splits an expression into tokens. It is not readable if PostgreSQL would not write it; then no part of it is
// used, because it could be misunderstood.
func scan(text string) (tokens []token, readable bool) {
	var open []string // the brackets that wait to be closed
	for text = strings.Trim(text, blanks); text != ""; {
		at := lexeme.FindStringSubmatchIndex(text)
		if at == nil {
			return nil, false
		}
		var t token
		for t.kind = constantToken; at[2*t.kind] < 0; t.kind++ { // go to the group that matched
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

// name returns the column name that a token can be. PostgreSQL quotes every name that is not plain lower case, so its
// keywords can be recognized by their capitals.
func (t token) name() string {
	if t.kind == nameToken || t.kind == wordToken && strings.ToLower(t.text) == t.text {
		return t.text
	}
	return ""
}

// is reports whether a token is the given keyword, operator or bracket.
func (t token) is(text string) bool {
	return (t.kind == wordToken || t.kind == signToken) && t.text == text
}

// condition is a predicate, or a part of it.
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

// parse reads a predicate. PostgreSQL puts every operand of AND, OR and NOT that is not just a name in brackets, so
// these operators are outside all brackets.
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

// unwrap removes brackets around the whole expression.
func unwrap(tokens []token) []token {
	for len(tokens) > 1 && tokens[0].is("(") && closing(tokens) == len(tokens)-1 {
		tokens = tokens[1 : len(tokens)-1]
	}
	return tokens
}

// closing returns the index of the bracket that closes the first one.
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

// split splits the tokens at each separator outside brackets.
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

// written returns the tokens as text.
func written(tokens []token) string {
	all := make([]string, len(tokens))
	for i, t := range tokens {
		all[i] = t.raw
	}
	return strings.Join(all, " ")
}
