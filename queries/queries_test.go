package queries

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

func TestRenderReplacesVariablesAsPsqlDoes(t *testing.T) {
	values := vars{"sql": "count(*)", "text": `it's`, "path": `a\b`, "name": `we"ird.Näme`}
	for _, test := range []struct{ name, template, want string }{
		{"SQL as it is", "SELECT :sql", "SELECT count(*)"},
		{"a literal", "SELECT :'text'", "SELECT 'it''s'"},
		{"a literal with a backslash", "SELECT :'path'", `SELECT  E'a\\b'`},
		{"an identifier", `SELECT :"name"`, `SELECT "we""ird.Näme"`},
		{"no cast", "SELECT 1::int8", "SELECT 1::int8"},
		{"a variable before a cast", "SELECT :'text'::text", "SELECT 'it''s'::text"},
		{"nothing in a string", "SELECT ':sql it''s :sql'", "SELECT ':sql it''s :sql'"},
		{"nothing in a quoted identifier", `SELECT ":sql"`, `SELECT ":sql"`},
		{"nothing in a dollar-quoted string", "SELECT $$:sql ' \"$$", "SELECT $$:sql ' \"$$"},
		{"nothing in a comment", "SELECT 1 /* :sql */", "SELECT 1 /* :sql */"},
		{"no line comments", "-- :unset\nSELECT 1 -- it's\n", "SELECT 1"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := render(test.template, values); got != test.want {
				t.Errorf("render(%q) = %q, want %q", test.template, got, test.want)
			}
		})
	}
}

// A statement has no comment and no indentation. What stands between quotes stays as it is.
func TestStatementsAreDense(t *testing.T) {
	entries, err := files.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	quoted := func(text string) (all []string) {
		for _, found := range token.FindAllString(text, -1) {
			if !strings.HasPrefix(found, "--") {
				all = append(all, found)
			}
		}
		return all
	}
	for _, entry := range entries {
		text, err := files.ReadFile(entry.Name())
		if err != nil {
			t.Fatal(err)
		}
		short := dense(entry.Name())
		if diff := cmp.Diff(quoted(string(text)), quoted(short)); diff != "" {
			t.Errorf("%s (-file +statement):\n%s", entry.Name(), diff)
		}
		rest := token.ReplaceAllString(short, "x")
		if strings.ContainsAny(rest, "\n\t") || strings.Contains(rest, "  ") || strings.Contains(short, "--") {
			t.Errorf("%s is not dense: %s", entry.Name(), short)
		}
	}
}

func TestRenderRefusesAVariableWithoutValue(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("render did not panic")
		}
	}()
	render("SELECT :forgotten", nil)
}

// Only strings that mean the same with either setting of standard_conforming_strings fit into a message.
func TestWhichStatementsFitIntoAMessage(t *testing.T) {
	for sql, want := range map[string]bool{
		`SELECT 'a''b' FROM "C:\"`:          true,
		`SELECT ` + literal(`C:\`):          true,
		`SELECT (` + literal("\\' \x01"):    true,
		`SELECT $$ \ $$ -- \`:               true,
		`SELECT 'C:\'::text`:                false,
		`SELECT ('C:\'::text)`:              false,
		`SELECT DATE'C:\'`:                  false,
		`SELECT E'\\', 'C:\'`:               false,
		`SELECT 'x' /* \ */ WHERE a ~ '\d'`: false,
	} {
		if got := FitsMessage(sql); got != want {
			t.Errorf("%s: %t", sql, got)
		}
	}
	r := Relation{Schema: `C:\`, Name: "a\nb\\", Table: &softdelete.Table{Markers: softdelete.Markers{
		{Kind: softdelete.Status, Column: `c\`, Deleted: []string{`C:\`, "'\\", "\x01"}}}}}
	timed := r
	timed.Table = &softdelete.Table{Markers: softdelete.Markers{{Kind: softdelete.Sentinel, Column: `c\`,
		Live: []string{`\'`}, Time: &softdelete.Time{Column: `c\`, Type: softdelete.Timestamptz}}}}
	for _, sql := range append(Settings(Limits{Version: 170000}), r.Count(1), r.CountMarked(1), timed.Classes(1),
		timed.CountMarked(1), timed.Count(1), PurgeCheck(r.Table, nil), IndexDeparse([]uint32{1}), Visible([]uint32{1}),
		RowSecurity()) {
		if !FitsMessage(sql) {
			t.Errorf("it does not fit: %s", sql)
		}
	}
}
