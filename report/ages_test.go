package report

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/softdelete-exporter/softdelete_exporter/assess"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// picture returns the picture of a table with this retention, which was counted at noon, from rows deleted before,
// between and after the edges, by age in days.
func picture(retention time.Duration, edges []int, rows ...softdelete.Estimate) *ages {
	t := table("orders", "", 1000, 10, 0)
	t.Policy.Retention, t.Numbers.Ages = retention, &softdelete.Ages{Rows: rows}
	for _, days := range edges {
		t.Numbers.Ages.Edges = append(t.Numbers.Ages.Edges, softdelete.AgeEdge(noon, days))
	}
	return newAges(&assess.TableHealth{Table: &t})
}

func exactly(rows ...int64) (all []softdelete.Estimate) {
	for _, n := range rows {
		all = append(all, softdelete.Exactly(n))
	}
	return all
}

func TestThePictureOfAges(t *testing.T) {
	for name, test := range map[string]struct {
		picture      *ages
		blocks, text string
	}{
		"every class": {
			picture(90*day, []int{365, 180, 90, 30, 14, 7, 1, 0}, exactly(800, 0, 1, 100, 101, 400, 799, 50, 0)...),
			"█·▁|▁▂▄█▁",
			"Deleted rows by age. Past the retention of 90 days: more than 365 days 800; 91 to 180 days 1. Within it: " +
				"31 to 90 days 100; 15 to 30 days 101; 8 to 14 days 400; 2 to 7 days 799; last day 50.",
		},
		"a retention between": {
			picture(45*day, []int{90, 45, 30, 0}, exactly(1, 2, 3, 4, 0)...), "▂▄|▆█",
			"Deleted rows by age. Past the retention of 45 days: more than 90 days 1; 46 to 90 days 2. Within it: " +
				"31 to 45 days 3; 1 to 30 days 4.",
		},
		"nothing past it": {picture(90*day, []int{90, 0}, exactly(0, 2, 0)...), "·|█",
			"Deleted rows by age. Past the retention of 90 days: none. Within it: 1 to 90 days 2."},
		"a retention at no edge": {picture(45*day, []int{90, 30, 0}, exactly(1, 2, 3, 0)...), "▃▆█",
			"Deleted rows by age: more than 90 days 1; 31 to 90 days 2; 1 to 30 days 3."},
		"no retention": {picture(0, []int{90, 0}, exactly(1, 2, 0)...), "▄█",
			"Deleted rows by age: more than 90 days 1; 1 to 90 days 2."},
		"few other edges": {picture(0, []int{91, 84, 3}, exactly(1, 2, 3, 4)...), "▂▄▆█",
			"Deleted rows by age: more than 91 days 1; 85 to 91 days 2; 4 to 84 days 3; up to 3 days 4."},
		"many other edges": {
			picture(0, []int{91, 90, 84, 77, 70, 14, 6, 5, 4, 3}, exactly(1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1)...), "▄▇█",
			"Deleted rows by age: more than 90 days 2; 15 to 90 days 4; up to 14 days 5."},
		"in the future": {picture(0, []int{7, 0}, exactly(1, 2, 4)...), "▂▄█",
			"Deleted rows by age: more than 7 days 1; 1 to 7 days 2; in the future 4."},
		"a day": {picture(6*day, []int{7, 6, 0}, exactly(0, 8, 8, 0)...), "·█|█",
			"Deleted rows by age. Past the retention of 6 days: day 7 8. Within it: 1 to 6 days 8."},
		"wide joins": {picture(90*day, []int{7}, exactly(4, 2)...), "█▄",
			"Deleted rows by age: more than 7 days 4; up to 7 days 2."},
		"one class": {picture(90*day, nil, exactly(4)...), "█", "Deleted rows by age: any age 4."},
		"a sample": {
			picture(90*day, []int{90}, softdelete.Estimate{Value: 1000, Margin: 300},
				softdelete.Estimate{Value: 10, Margin: softdelete.NoMargin}),
			"█|▁",
			"Deleted rows by age. Past the retention of 90 days: more than 90 days ~1,000 ±300. Within it: " +
				"up to 90 days ~10.",
		},
	} {
		if got := test.picture.blocks(); got != test.blocks {
			t.Errorf("%s: %s, want %s", name, got, test.blocks)
		}
		if got := test.picture.String(); got != test.text {
			t.Errorf("%s: %q, want %q", name, got, test.text)
		}
	}
	for name, a := range map[string]*ages{
		"unknown": newAges(&assess.TableHealth{Table: &softdelete.Table{Numbers: softdelete.ExactNumbers(10, 1)}}),
		"pending": newAges(&assess.TableHealth{Table: &softdelete.Table{}}),
		"empty":   picture(90*day, []int{90, 0}, exactly(0, 0, 0)...),
	} {
		if a != nil {
			t.Errorf("%s: %s", name, a)
		}
	}
}

func TestThePictureOfThePage(t *testing.T) {
	a := picture(90*day, []int{365, 90, 30, 0}, exactly(1, 2200, 0, 1100, 0)...)
	want := &agesView{
		ID: "a3",
		Text: "Deleted rows by age. Past the retention of 90 days: more than 365 days 1; 91 to 365 days 2,200. Within it: " +
			"1 to 30 days 1,100.",
		Width: 42, Height: 24, Overdue: "M2 24v-2h8v2zM12 24v-22h8v22z", Kept: "M32 24v-11h8v11z", Mark: "21",
	}
	if diff := cmp.Diff(want, a.view(3)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	r := scenes()["shop"]
	html := asHTML(t, r, false)
	images := strings.Count(html, `role="img"`)
	known := 0
	for i := range r.Tables {
		if a := newAges(&r.Tables[i]); a != nil {
			known++
			if !strings.Contains(html, fmt.Sprintf(`role="img" aria-labelledby="a%d"`, i)) ||
				!strings.Contains(html, fmt.Sprintf(`<li id="a%d">%s</li>`, i, a)) {
				t.Errorf("%s: a reader who sees no picture does not read %q", r.Tables[i].Name, a)
			}
		}
	}
	if images != known || known < 5 {
		t.Errorf("%d pictures of %d tables", images, known)
	}
}

func TestTheTextExplainsItsPicturesOnce(t *testing.T) {
	for name, want := range map[string]int{"shop": 1, "good": 0, "none": 0} {
		if got := strings.Count(asText(t, scenes()[name], false), "by age, oldest first"); got != want {
			t.Errorf("%s: explained %d times", name, got)
		}
	}
}

// A good table has one line, unless its purge is overdue.
func TestTheTextShowsAnOverduePurgeOfAGoodTable(t *testing.T) {
	for overdue, days := range map[bool]int{false: 1, true: 2} {
		orders := aged(table("orders", "", 1000, 20, 10), 90, days)
		s := &softdelete.Snapshot{Taken: noon,
			Databases: []softdelete.Database{{Name: "shop", Checks: checks, Tables: []softdelete.Table{orders}}}}
		r := Report{Assessment: assess.Assess(pings(), s, limits(), assess.AlertConditions{}, noon)}
		if r.Tables[0].Verdict.Health != softdelete.Good {
			t.Fatalf("the table is %s", r.Tables[0].Verdict.Health)
		}
		if got := strings.Contains(asText(t, r, false), "|"); got != overdue {
			t.Errorf("old rows of %d days: the picture is shown %t", days, got)
		}
	}
}
