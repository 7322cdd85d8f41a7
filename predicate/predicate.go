// Package predicate tells what the WHERE of an index lets in of a table's live and deleted
// rows. It reads PostgreSQL's own words, those of pg_get_expr, and never guesses.
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
	tokens := scan(predicate)
	s := softdelete.Scope{Mentions: mention(tokens, markers.Columns())}
	if !s.Mentions {
		return s
	}
	condition := parse(tokens)
	var said []string
	for _, t := range tokens {
		if t.kind == 's' {
			said = append(said, t.text)
		}
	}
	var live, deleted cover
	for _, state := range rowStates(markers, said) {
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
	// either is what it can be where one of several states is meant; one tells that
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

// Mentions tells whether one of the columns stands in an expression of PostgreSQL's
// writing.
func Mentions(expression string, columns []string) bool { return mention(scan(expression), columns) }

// Conjuncts are the parts of a predicate that must all be true, as text.
func Conjuncts(predicate string) []string {
	var parts []string
	if tokens := unwrap(scan(predicate)); len(tokens) > 0 {
		for _, part := range split(tokens, "AND") {
			parts = append(parts, written(part))
		}
	}
	return parts
}

// token is a word, a quoted name, a string, a number, an operator or a bracket.
type token struct {
	kind byte // 'w', 'q', 's', 'n' or 'o'
	text string
	// raw is the token as it was written, quotes included.
	raw string
}

var lexeme = regexp.MustCompile(`"(?:[^"]|"")*"|E?'(?:[^'\\]|\\.|'')*'|[\pL_][\pL\pN_$]*|\d[\w.]*|::|[-+*/<>=~!@#%^&|` + "`" + `?]+|[^\s]`)

func scan(text string) []token {
	var tokens []token
	for _, l := range lexeme.FindAllString(text, -1) {
		t := token{'o', l, l}
		switch c := l[0]; {
		case c == '"':
			t = token{'q', strings.ReplaceAll(l[1:len(l)-1], `""`, `"`), l}
		case strings.HasSuffix(l, "'"):
			t = token{'s', strings.ReplaceAll(l[strings.Index(l, "'")+1:len(l)-1], "''", "'"), l}
		case c >= '0' && c <= '9':
			t.kind = 'n'
		case c == '_' || c >= 0x80 || c|0x20 >= 'a' && c|0x20 <= 'z':
			t.kind = 'w'
		}
		tokens = append(tokens, t)
	}
	return tokens
}

// name is the column that a token can be the name of. PostgreSQL quotes whatever is
// not plain lower case, so that its key words are told apart by their capitals.
func (t token) name() string {
	if t.kind == 'q' || t.kind == 'w' && strings.ToLower(t.text) == t.text {
		return t.text
	}
	return ""
}

// is tells whether a token is the key word, operator or bracket given.
func (t token) is(text string) bool { return (t.kind == 'w' || t.kind == 'o') && t.text == text }

func mention(tokens []token, columns []string) bool {
	for i, t := range tokens {
		call := i+1 < len(tokens) && tokens[i+1].is("(")
		if name := t.name(); name != "" && !call && slices.Contains(columns, name) {
			return true
		}
	}
	return false
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
