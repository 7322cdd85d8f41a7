package report

import (
	"strings"
	"testing"

	"github.com/softdelete-exporter/softdelete_exporter/assess"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

func TestNamesFromRightToLeftAreIsolated(t *testing.T) {
	for text, want := range map[string]string{
		"a <b>: 5":              "a &lt;b&gt;: 5",
		"in public.طلبات: 71%":  "in <bdi>public.طلبات</bdi>: 71%",
		"of הזמנות, and 3 rows": "of <bdi>הזמנות</bdi>, and 3 rows",
		"of <ש>.":               "of <bdi>&lt;ש&gt;</bdi>.",
		"中文: 5":                 "中文: 5",
	} {
		if got := string(isolate(text)); got != want {
			t.Errorf("%q becomes %q, want %q", text, got, want)
		}
	}
	orders := aged(table("طلبات", "متجر", 420000, 300000, 12345), 75, 3)
	s := &softdelete.Snapshot{Taken: noon, Databases: []softdelete.Database{
		{Name: "سوق", Checks: checks, Tables: []softdelete.Table{orders}}, {Name: "b", Checks: checks}}}
	r := Report{Assessment: assess.Assess(pings(), s, limits(), assess.AlertConditions{HighDeletionRatio: true}, noon)}
	html := asHTML(t, r, false)
	for _, want := range []string{"<li>High deletion ratio in <bdi>public.طلبات</bdi>: 71.4%</li>",
		"<b>Purge 12,345 old deleted rows of <bdi>public.طلبات</bdi>.</b>",
		"<i><bdi>سوق</bdi></i> <i><bdi>public</bdi>.</i><wbr><bdi>طلبات</bdi></summary>", "<b><bdi>متجر</bdi></b>"} {
		if !strings.Contains(html, want) {
			t.Errorf("the page does not have %s", want)
		}
	}
}
