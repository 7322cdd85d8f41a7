package queries

import "testing"

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

func TestRenderRefusesAVariableWithoutValue(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("render did not panic")
		}
	}()
	render("SELECT :forgotten", nil)
}
