package report

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/softdelete-exporter/softdelete_exporter/assess"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

func written(t *testing.T, r Report, s Screen) string {
	t.Helper()
	var out bytes.Buffer
	if err := Text(&out, r, s); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestTheReportOfManyTablesFitsTheScreen(t *testing.T) {
	r := thousand(500)
	for _, s := range []Screen{{Width: 80, Height: 24}, {Width: 80, Height: 50}, {Width: 200, Height: 60}} {
		text := written(t, r, s)
		if n := strings.Count(text, "\n"); n > s.Height {
			t.Errorf("%+v: it has %d lines", s, n)
		}
		longest := 0
		for line := range strings.Lines(text) {
			longest = max(longest, utf8.RuneCountInString(strings.TrimSuffix(line, "\n")))
		}
		if most := min(s.Width, mostWidth); longest > most {
			t.Errorf("%+v: a line has %d columns", s, longest)
		}
		for _, want := range []string{"What to do\n", "Purge ", "alerts: ", "--full"} {
			if !strings.Contains(text, want) {
				t.Errorf("%+v: %q is not in\n%s", s, want, text)
			}
		}
	}
	golden(t, "many.txt", []byte(written(t, r, Screen{Width: 100, Height: 40})))
	if full := written(t, r, Screen{Width: 80}); strings.Count(full, "public.table_") < 500 {
		t.Error("in full, tables are missing")
	}
	if fits := written(t, scenes()["good"], Screen{Width: 80, Height: 24}); strings.Contains(fits, "--full") ||
		fits != written(t, scenes()["good"], Screen{Width: 80}) {
		t.Errorf("what fits is shortened:\n%s", fits)
	}
}

func TestAWideScreenShowsMoreColumns(t *testing.T) {
	head := func(width int) string {
		r, size := thousand(3), 123456789.0
		for i := range r.Tables {
			r.Tables[i].Numbers.DeletedBytes = &size
		}
		text := written(t, r, Screen{Width: width})
		_, list, _ := strings.Cut(text, "Tables: ")
		return strings.Join(strings.Fields(strings.Split(list, "\n")[1]), " ")
	}
	for width, want := range map[int]string{60: "deleted ratio old overdue", 80: "deleted ratio old oldest overdue size",
		130: "active deleted ratio old oldest overdue size"} {
		if got := head(width); got != want {
			t.Errorf("on %d columns: %s; want %s", width, got, want)
		}
	}
}

// ordered has tables that each order puts into another sequence.
func ordered() Report {
	bytes := func(t softdelete.Table, n float64) softdelete.Table {
		t.Numbers.DeletedBytes = &n
		return t
	}
	unread := failed(softdelete.Table{Schema: "public", Name: "d"}, softdelete.Locked, "locked", "")
	s := &softdelete.Snapshot{Taken: noon, Databases: []softdelete.Database{{Name: "shop", Checks: checks,
		Tables: []softdelete.Table{
			bytes(aged(table("a", "", 10000, 100, 50), 10, 10), 3000),
			bytes(aged(table("b", "", 20000, 900, 40), 10, 300), 2000),
			bytes(aged(table("c", "", 1000, 800, 0), 10, 0), 1000), unread}}}}
	return Report{Assessment: assess.Assess(pings(), s, limits(), assess.AlertConditions{}, noon)}
}

func TestTablesAreListedInTheOrderThatIsAsked(t *testing.T) {
	r := ordered()
	for order, want := range map[string]string{"": "cdba", "health": "cdba", "name": "abcd", "ratio": "cbad",
		"deleted": "bcad", "total": "bacd", "old": "abcd", "oldest": "bacd", "overdue": "bacd", "bytes": "abcd"} {
		r.Sort = order
		got := ""
		for _, table := range r.sorted() {
			got += table.Name
		}
		if got != want || order != "" && !slices.Contains(Orders, order) {
			t.Errorf("%s: %s, want %s", order, got, want)
		}
	}
}

func TestCSVHasTheNumbersOfTheDocument(t *testing.T) {
	r := ordered()
	r.Sort = "name"
	var out bytes.Buffer
	if err := CSV(&out, r); err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(&out).ReadAll()
	if err != nil || len(rows) != 5 {
		t.Fatalf("%d rows: %v", len(rows), err)
	}
	value := func(row int, column string) string {
		i := slices.Index(rows[0], column)
		if i < 0 {
			t.Fatalf("there is no column %s: %v", column, rows[0])
		}
		return rows[row][i]
	}
	b := 2
	for column, want := range map[string]string{"table": "b", "deleted_records": "900", "old_deleted_records": "40",
		"total_records": "20000", "deletion_ratio_percent": "4.5", "retention_seconds": "7776000", "overdue_days": "299",
		"deleted_bytes": "2000", "deleted_1_days": "86", "deleted_2_to_7_days": "516", "deleted_8_to_14_days": "258",
		"deleted_31_to_90_days": "0", "deleted_91_to_180_days": "12", "deleted_over_365_days": "3"} {
		if got := value(b, column); got != want {
			t.Errorf("%s is %q, want %q", column, got, want)
		}
	}
	unread := 4
	if value(unread, "table") != "d" || value(unread, "health") != "unknown" {
		t.Errorf("the last row is %v", rows[unread])
	}
	for _, column := range rows[0][6:] {
		if got := value(unread, column); got != "" {
			t.Errorf("%s of a table that was not read is %q", column, got)
		}
	}
}

func TestACellIsNoFormula(t *testing.T) {
	for name, want := range map[string]string{"=1+1": "'=1+1", "@x": "'@x", "a=b": "a=b", "": ""} {
		if got := cell(name); got != want {
			t.Errorf("%q becomes %q, want %q", name, got, want)
		}
	}
}

func TestRecommendationsOfOneKindAreOneItem(t *testing.T) {
	var tables []softdelete.Table
	for i := range 32 {
		tables = append(tables, aged(table(fmt.Sprintf("t%02d", i), "", 60000, 40000, 37500), 90, 30))
	}
	at := func(n int) Report {
		s := &softdelete.Snapshot{Taken: noon,
			Databases: []softdelete.Database{{Name: "shop", Checks: checks, Tables: tables[:n]}}}
		return Report{Assessment: assess.Assess(pings(), s, limits(), assess.AlertConditions{}, noon)}
	}
	if got := at(32).items(); len(got) != 1 || len(got[0].Of) != 32 ||
		got[0].Title != "Purge 32 tables: 1.2 million rows." {
		t.Errorf("32 purges are %+v", got)
	}
	if got := at(2).items(); len(got) != 2 || got[0].Title != "Purge 37,500 old deleted rows of public.t00." {
		t.Errorf("two purges are %+v", got)
	}
	html := asHTML(t, at(32), false)
	if !strings.Contains(html, "<b>Purge 32 tables: 1.2 million rows.</b>") || strings.Count(html, `<li id="r`) != 32 {
		t.Error("the page does not group them")
	}
	seen := map[int]bool{}
	for _, one := range scenes()["trouble"].items() {
		for _, i := range one.Of {
			seen[i] = true
		}
	}
	if len(seen) != len(scenes()["trouble"].Recommendations) {
		t.Errorf("%d of %d recommendations are shown", len(seen), len(scenes()["trouble"].Recommendations))
	}
}

func TestASampledDateIsShownAsABound(t *testing.T) {
	sampled := aged(table("s", "", 60000, 40000, 37500), 90, 30)
	sampled.Numbers.OldestSeen, sampled.Numbers.Oldest = sampled.Numbers.Oldest, time.Time{}
	s := &softdelete.Snapshot{Taken: noon,
		Databases: []softdelete.Database{{Name: "shop", Checks: checks, Tables: []softdelete.Table{sampled}}}}
	r := Report{Assessment: assess.Assess(pings(), s, limits(), assess.AlertConditions{}, noon)}
	if text := written(t, r, Screen{Width: 130}); !strings.Contains(text, "≤2025-11-02  ≥29 days") {
		t.Errorf("the text says\n%s", text)
	}
}
