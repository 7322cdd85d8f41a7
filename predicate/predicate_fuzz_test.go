package predicate

import (
	"strings"
	"testing"

	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// asked are markers of every kind, to check a predicate against all of them.
var asked = []softdelete.Markers{
	{{Kind: softdelete.Timestamp, Column: "deleted_at",
		Time: &softdelete.Time{Column: "deleted_at", Type: softdelete.Timestamptz}}},
	{{Kind: softdelete.Sentinel, Column: "deleted_at", Live: []string{"infinity"}}},
	{{Kind: softdelete.Epoch, Column: "deleted_at"}},
	{{Kind: softdelete.Pair, Column: "is_deleted",
		Time: &softdelete.Time{Column: "deleted_at", Type: softdelete.Timestamptz}}},
	{{Kind: softdelete.Flag, Column: "is_deleted"}, {Kind: softdelete.InvertedFlag, Column: "alive"}},
	{{Kind: softdelete.Number, Column: "is_deleted"}},
	{{Kind: softdelete.Letter, Column: "is_deleted"}},
	{{Kind: softdelete.Status, Column: "status", Deleted: []string{"deleted", "trashed"}}},
}

func FuzzPredicate(f *testing.F) {
	for _, predicate := range []string{
		`((path <> 'C:\'::text) AND (deleted_at IS NULL))`,
		`((path || '\'::text) = 'x'::text)`,
		`(status = ANY ((ARRAY['a'::character varying, 'b'::character varying])::text[]))`,
		`(NOT COALESCE(is_deleted, false))`,
		`((deleted_at > '-infinity'::timestamp with time zone) OR alive)`,
		`'`, `"`, `E'\'`, `(`, `)`, `[)`, `""`, `COALESCE(`, `ARRAY[`, `IS`, `NOT`, `= ANY`, `::`, `U&'\0041'`,
		"\x00", "\xff'",
	} {
		f.Add(predicate)
	}
	f.Fuzz(func(t *testing.T, predicate string) {
		for _, markers := range asked {
			got := ScopeOf(markers, predicate)
			if got.Mentions != (predicate != "" && Mentions(predicate, markers.Columns())) {
				t.Errorf("%q mentions %v: %t", predicate, markers.Columns(), got.Mentions)
			}
			if !got.Mentions && got.Live != got.Deleted {
				t.Errorf("%q tells rows apart without a marker: %+v", predicate, got)
			}
		}
		tokens, readable := scan(predicate)
		if !readable {
			return
		}
		left := predicate
		for _, token := range tokens {
			before, after, found := strings.Cut(left, token.raw)
			if !found || strings.Trim(before, blanks) != "" {
				t.Fatalf("%q is left out of %q", before, predicate)
			}
			left = after
		}
		if again, _ := scan(written(tokens)); len(again) != len(tokens) {
			t.Errorf("%q has %d tokens, %q has %d", predicate, len(tokens), written(tokens), len(again))
		}
	})
}

// Reading any expression terminates, and an expression that is always NULL has no values.
func FuzzOutcomes(f *testing.F) {
	for _, expression := range []string{
		`CASE WHEN (deleted_at IS NULL) THEN true ELSE NULL::boolean END`, `CASE`, `CASE END`, `CASE WHEN THEN END`,
		`CASE WHEN CASE a WHEN b THEN c END THEN 1 END`, `COALESCE(deleted_at, 'infinity'::timestamptz)`, `NULLIF(a)`,
		`NULLIF(is_deleted, true)`, `EXTRACT(epoch FROM deleted_at)`, `EXTRACT()`, `date_trunc('day'::text, deleted_at)`,
		`(deleted_at AT TIME ZONE 'UTC'::text)`, `AT TIME ZONE`, `NULL::int`, `- 1`, `1 +`, ``,
	} {
		f.Add(expression)
	}
	f.Fuzz(func(t *testing.T, expression string) {
		for _, markers := range asked {
			live, deleted := OutcomesOf(markers, expression)
			for _, o := range []Outcomes{live, deleted} {
				if o.Null == softdelete.All && o.Values != nil {
					t.Errorf("%q is %+v", expression, o)
				}
			}
		}
	})
}

// The content of a string or the name of another column does not change what the rest of the predicate means.
func FuzzQuotes(f *testing.F) {
	for _, text := range []string{`C:\`, `\'`, `''`, `"`, `\\`, `) OR (deleted_at IS NULL`, "a\nb", `E'`, `--`, `/*`,
		`U&`, `;`, `$$`, `{`, "\xff"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		text = strings.ReplaceAll(text, "\x00", "") // which PostgreSQL does not allow
		literal := "'" + strings.ReplaceAll(text, "'", "''") + "'"
		name := `"` + strings.ReplaceAll(text, `"`, `""`) + `x"`
		for _, part := range []string{
			"(path <> " + literal + "::text)", "((path || " + literal + "::text) = 'x'::text)", "(" + name + " > 5)",
			"(a = " + literal + "::public." + name + ")",
			"(bits <> B'1')",
		} {
			for predicate, want := range map[string]softdelete.Scope{
				"(" + part + " AND (deleted_at IS NULL))":     {Mentions: true, Live: softdelete.Some, Deleted: softdelete.None},
				"((deleted_at IS NOT NULL) AND " + part + ")": {Mentions: true, Live: softdelete.None, Deleted: softdelete.Some},
				"(" + part + " OR (deleted_at IS NULL))":      {Mentions: true, Live: softdelete.All, Deleted: softdelete.Some},
			} {
				if got := ScopeOf(asked[0], predicate); got != want {
					t.Errorf("%s: %+v, want %+v", predicate, got, want)
				}
			}
			if Mentions(part, []string{"deleted_at"}) {
				t.Errorf("%s is said to mention deleted_at", part)
			}
		}
	})
}
