// Package queries holds every SQL text that the exporter runs or prints, one .sql
// file per question. The files use psql's variables, so that each of them runs as
// it is with `psql -v name=value -f file`; what psql would put in their place,
// this package does: :name is SQL of our own, :'name' a literal, :"name" an
// identifier. Names and literals are quoted here and nowhere else.
package queries

import (
	"embed"
	"fmt"
	"regexp"
	"strings"
)

//go:embed *.sql
var files embed.FS

// vars are the values of a template's variables, unquoted.
type vars map[string]string

// token finds what psql's scanner tells apart: strings, quoted identifiers,
// comments and casts, in which nothing is replaced, and the three forms of a variable.
var token = regexp.MustCompile(`(?s:\$\$.*?\$\$)|'(?:[^']|'')*'|"(?:[^"]|"")*"|--[^\n]*\n?|(?s:/\*.*?\*/)|::|:"(\w+)"|:'(\w+)'|:(\w+)`)

// render fills in a template. Line comments are for its reader and are left out.
// A variable without a value is a mistake of ours, not of the user, so it panics.
func render(template string, values vars) string {
	value := func(name string) string {
		v, ok := values[name]
		if !ok {
			panic(fmt.Sprintf("queries: no value for variable %q in %q", name, template))
		}
		return v
	}
	var sql strings.Builder
	end := 0
	for _, m := range token.FindAllStringSubmatchIndex(template, -1) {
		sql.WriteString(template[end:m[0]])
		end = m[1]
		switch {
		case m[2] >= 0:
			sql.WriteString(identifier(value(template[m[2]:m[3]])))
		case m[4] >= 0:
			sql.WriteString(literal(value(template[m[4]:m[5]])))
		case m[6] >= 0:
			sql.WriteString(value(template[m[6]:m[7]]))
		case !strings.HasPrefix(template[m[0]:m[1]], "--"):
			sql.WriteString(template[m[0]:m[1]])
		}
	}
	sql.WriteString(template[end:])
	return strings.TrimSpace(sql.String())
}

// lead is what a DBA sees in pg_stat_activity and in the log in front of every
// statement that we run.
const lead = "/* softdelete_exporter */ "

// statement renders a file into one statement that says whose it is.
func statement(file string, values vars) string {
	template, err := files.ReadFile(file)
	if err != nil {
		panic(err)
	}
	return lead + strings.TrimSuffix(render(string(template), values), ";")
}

// identifier quotes a name (PostgreSQL documentation, 4.1.1).
func identifier(name string) string {
	return `"` + strings.ReplaceAll(name, `"`, `""`) + `"`
}

// literal quotes a string (PostgreSQL documentation, 4.1.2). A backslash is safe
// under either setting of standard_conforming_strings.
func literal(value string) string {
	quoted := "'" + strings.ReplaceAll(value, "'", "''") + "'"
	if strings.Contains(value, `\`) {
		return " E" + strings.ReplaceAll(quoted, `\`, `\\`)
	}
	return quoted
}

// array writes the text form of an array, to be cast to its type in the template
// (PostgreSQL documentation, 8.15.2).
func array[T any](elements []T) string {
	quoted := make([]string, len(elements))
	for i, e := range elements {
		text := strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(fmt.Sprint(e))
		quoted[i] = `"` + text + `"`
	}
	return "{" + strings.Join(quoted, ",") + "}"
}
