// Package queries contains every SQL text that the exporter runs or prints, one .sql file per question. The files use
// psql's variables, so that each file can be run unchanged with `psql -v name=value -f file`. This package replaces
// the variables as psql does: :name by our own SQL, :'name' by a literal, :"name" by an identifier. Names and
// literals are quoted here and nowhere else.
package queries

import (
	"embed"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

//go:embed *.sql
var files embed.FS

// vars are the values of a template's variables, unquoted.
type vars map[string]string

// token matches what psql's scanner distinguishes: strings, quoted identifiers, comments and casts, in which nothing
// is replaced, and the three forms of a variable.
var token = regexp.MustCompile(
	`(?s:\$\$.*?\$\$)|'(?:[^']|'')*'|"(?:[^"]|"")*"|--[^\n]*\n?|(?s:/\*.*?\*/)|::|:"(\w+)"|:'(\w+)'|:(\w+)`)

// piece is text of a template, with the variable after it, if any.
type piece struct {
	text string
	// quote writes the value as SQL.
	quote    func(string) string
	variable string
}

// pieces are the templates that were split, by their texts.
var pieces sync.Map

// split splits a template at its variables, once. It drops line comments, which are for readers of the file.
func split(template string) []piece {
	if known, found := pieces.Load(template); found {
		return known.([]piece)
	}
	var all []piece
	var text strings.Builder
	end := 0
	for _, m := range token.FindAllStringSubmatchIndex(template, -1) {
		text.WriteString(template[end:m[0]])
		end = m[1]
		quote, name := identifier, m[2:4]
		switch {
		case m[4] >= 0:
			quote, name = literal, m[4:6]
		case m[6] >= 0:
			quote, name = func(sql string) string { return sql }, m[6:8]
		}
		switch {
		case name[0] >= 0:
			all = append(all, piece{text.String(), quote, template[name[0]:name[1]]})
			text.Reset()
		case !strings.HasPrefix(template[m[0]:m[1]], "--"):
			text.WriteString(template[m[0]:m[1]])
		}
	}
	text.WriteString(template[end:])
	all = append(all, piece{text: text.String()})
	pieces.Store(template, all)
	return all
}

// render fills in a template. It panics if a variable has no value, because that is a bug.
func render(template string, values vars) string {
	var sql strings.Builder
	for _, p := range split(template) {
		sql.WriteString(p.text)
		if p.quote == nil {
			continue
		}
		value, found := values[p.variable]
		if !found {
			panic(fmt.Sprintf("queries: no value for variable %q in %q", p.variable, template))
		}
		sql.WriteString(p.quote(value))
	}
	return strings.TrimSpace(sql.String())
}

// lead begins every statement that the exporter runs, so that a DBA recognizes it in pg_stat_activity and in the log.
const lead = "/* softdelete_exporter */ "

// statement renders a file into one statement that begins with lead.
func statement(file string, values vars) string {
	return lead + strings.TrimSuffix(render(dense(file), values), ";")
}

// densified are the texts of files by their names, see dense.
var densified sync.Map

// space matches what the parts of a statement are separated by.
var space = regexp.MustCompile(`\s+`)

// dense returns a file without its comments and indentation: a server may log each statement.
func dense(file string) string {
	if known, found := densified.Load(file); found {
		return known.(string)
	}
	text, err := files.ReadFile(file)
	if err != nil {
		panic(err)
	}
	var out strings.Builder
	between, end := "", 0 // what separates two tokens, and where the last one ends
	for _, m := range append(token.FindAllIndex(text, -1), []int{len(text), len(text)}) {
		between += string(text[end:m[0]])
		end = m[1]
		found := string(text[m[0]:m[1]])
		if strings.HasPrefix(found, "--") {
			between += " "
			continue
		}
		out.WriteString(space.ReplaceAllString(between, " ") + found)
		between = ""
	}
	short := strings.TrimSpace(out.String())
	densified.Store(file, short)
	return short
}

// identifier quotes a name (PostgreSQL documentation, 4.1.1). It writes characters that a terminal would act on, or
// that are invisible, as numbers.
func identifier(name string) string {
	doubled := strings.ReplaceAll(name, `"`, `""`)
	if plain(name) {
		return `"` + doubled + `"`
	}
	return `U&"` + numbered(strings.ReplaceAll(doubled, `\`, `\\`), `\%04X`, `\+%06X`) + `"`
}

// qualified writes the name of a relation as the text of a regclass.
func qualified(schema, name string) string {
	double := func(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }
	return double(schema) + "." + double(name)
}

// literal quotes a string (PostgreSQL documentation, 4.1.2), and writes the same characters as numbers. A backslash
// is safe with either setting of standard_conforming_strings.
func literal(value string) string {
	quoted := "'" + strings.ReplaceAll(value, "'", "''") + "'"
	if strings.Contains(value, `\`) || !plain(value) {
		return " E" + numbered(strings.ReplaceAll(quoted, `\`, `\\`), `\u%04X`, `\U%08X`)
	}
	return quoted
}

// plain reports whether all characters of a text are visible and safe to show.
func plain(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) })
}

// numbered writes invisible characters as numbers, in four or more digits. Bytes that are not UTF-8 stay.
func numbered(text, four, more string) string {
	var out strings.Builder
	for len(text) > 0 {
		r, size := utf8.DecodeRuneInString(text)
		switch {
		case unicode.IsPrint(r):
			out.WriteString(text[:size])
		case r <= 0xFFFF:
			fmt.Fprintf(&out, four, r)
		default:
			fmt.Fprintf(&out, more, r)
		}
		text = text[size:]
	}
	return out.String()
}

// escape writes an element of an array.
var escape = strings.NewReplacer(`\`, `\\`, `"`, `\"`)

// bareElement matches numbers and days, which need no quotes.
var bareElement = regexp.MustCompile(`^[0-9][0-9A-Za-z.:+-]*$`)

// array writes the text form of an array, which the template casts to its type (PostgreSQL documentation, 8.15.2).
func array[T any](elements []T) string {
	quoted := make([]string, len(elements))
	for i, e := range elements {
		if quoted[i] = fmt.Sprint(e); !bareElement.MatchString(quoted[i]) {
			quoted[i] = `"` + escape.Replace(quoted[i]) + `"`
		}
	}
	return "{" + strings.Join(quoted, ",") + "}"
}
