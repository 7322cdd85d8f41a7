package report

import (
	"bytes"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/softdelete-exporter/softdelete_exporter/assess"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

func links(live bool) *Links {
	if !live {
		return nil
	}
	return &Links{JSON: "?format=json", Metrics: "metrics"}
}

func asHTML(t *testing.T, r Report, live bool) string {
	t.Helper()
	var out bytes.Buffer
	if err := HTML(&out, r, links(live)); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestHTML(t *testing.T) {
	for _, name := range []string{"shop", "down", "none"} {
		t.Run(name, func(t *testing.T) {
			html := asHTML(t, scenes()[name], false)
			// Embedded files are checked by their hashes, and read as files.
			html = strings.Replace(html, style, "…", 1)
			html = strings.Replace(html, script, "…", 1)
			golden(t, name+".html", []byte(regexp.MustCompile(`sha256-.*?&#39;`).ReplaceAllString(html, "sha256-…&#39;")))
		})
	}
}

func TestThePageNeedsNothingButItself(t *testing.T) {
	for name, r := range scenes() {
		html := asHTML(t, r, true)
		if !strings.Contains(html, "<style>"+style+"</style>") || !strings.Contains(html, "<script>"+script+"</script>") {
			t.Errorf("%s: style or script are not in it as they were hashed", name)
		}
		markup := strings.Replace(strings.Replace(html, style, "", 1), script, "", 1)
		for _, bad := range []string{` style=`, ` on[a-z]+=`, `<script src`, `<link rel="stylesheet`,
			`(src|href)="(https?:)?//[^"]*"`, `<iframe`, `<img`} {
			for _, found := range regexp.MustCompile(bad).FindAllString(markup, -1) {
				if !strings.HasPrefix(found, `href="https://www.postgresql.org/docs/`) {
					t.Errorf("%s: the page has %s", name, found)
				}
			}
		}
	}
	if bad := regexp.MustCompile(`url\(|@import`).FindString(style); bad != "" {
		t.Errorf("the style loads: %s", bad)
	}
}

func TestThePolicyAllowsNothingUnsafe(t *testing.T) {
	for _, want := range []string{"default-src 'none'", "style-src 'sha256-", "script-src 'sha256-", "base-uri 'none'",
		"form-action 'none'", "frame-ancestors 'none'"} {
		if !strings.Contains(Policy(), want) {
			t.Errorf("the policy lacks %s: %s", want, Policy())
		}
	}
	for _, bad := range []string{"unsafe", "*", "http"} {
		if strings.Contains(Policy(), bad) {
			t.Errorf("the policy has %s: %s", bad, Policy())
		}
	}
}

func TestNamesAreTextAndNoMarkup(t *testing.T) {
	if html := asHTML(t, scenes()["shop"], false); strings.Contains(html, "<script>alert") {
		t.Error("a table's name runs as a script")
	}
}

// A reader who sees no colours recognizes every verdict by its shape and its word.
func TestEveryVerdictHasAShapeAndAWord(t *testing.T) {
	html := asHTML(t, scenes()["shop"], false)
	cell := regexp.MustCompile(`<td class="state (\w+)"><svg class="icon (\w+)" aria-hidden="true">` +
		`<use href="#(\w+)"/></svg> <b>(\w+)</b>`)
	rows := cell.FindAllStringSubmatch(html, -1)
	if len(rows) != len(scenes()["shop"].Tables) {
		t.Errorf("%d rows have a verdict, want %d", len(rows), len(scenes()["shop"].Tables))
	}
	for _, m := range rows {
		if m[1] != m[2] || m[2] != m[3] || m[3] != m[4] {
			t.Errorf("colour, shape and word disagree: %v", m[1:])
		}
	}
	for _, h := range order {
		if !strings.Contains(html, `<symbol id="`+h.String()+`"`) {
			t.Errorf("%s has no shape", h)
		}
	}
}

func TestTheWhiskerReachesFromEndToEndOfTheInterval(t *testing.T) {
	levels := assess.Levels{Fair: 0.25, Poor: 0.5}
	for _, test := range []struct {
		ratio softdelete.Estimate
		want  barView
	}{
		{softdelete.Estimate{Value: 0.5}, barView{Deleted: "50.00%"}},
		{softdelete.Estimate{Value: 0.5, Margin: 0.1},
			barView{Deleted: "50.00%", Whisker: true, Low: "40.00%", High: "60.00%"}},
		{softdelete.Estimate{Value: 0.05, Margin: 0.1},
			barView{Deleted: "5.00%", Whisker: true, Low: "0.00%", High: "15.00%"}},
		{softdelete.Estimate{Value: 0.95, Margin: 0.1},
			barView{Deleted: "95.00%", Whisker: true, Low: "85.00%", High: "100.00%"}},
		{softdelete.Estimate{Value: 0.5, Margin: softdelete.NoMargin}, barView{Deleted: "50.00%"}},
	} {
		test.want.FairLimit, test.want.PoorLimit = "25.00%", "50.00%"
		if diff := cmp.Diff(&test.want, bar(test.ratio, levels)); diff != "" {
			t.Errorf("%+v (-want +got):\n%s", test.ratio, diff)
		}
	}
}

func TestTheSparklineBreaksWhereThereWasNoAnswer(t *testing.T) {
	ms := softdelete.Ping{Up: true, Duration: 5e6}
	s := spark([]softdelete.Ping{ms, ms, {}, ms, {}, ms, ms, ms})
	if len(s.Lines) != 2 || len(s.Dots) != 1 || len(s.Lost) != 2 {
		t.Errorf("%d lines, %d dots, %d lost; want 2, 1, 2: %+v", len(s.Lines), len(s.Dots), len(s.Lost), s)
	}
}

func TestHTMLOfAThousandTablesIsOfBoundedSize(t *testing.T) {
	if n := len(asHTML(t, thousand(1000), true)); n > 2_500_000 {
		t.Errorf("the page takes %d bytes", n)
	}
}

func BenchmarkHTMLOfAThousandTables(b *testing.B) {
	r := thousand(1000)
	for b.Loop() {
		var out bytes.Buffer
		if err := HTML(&out, r, links(true)); err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(out.Len()), "bytes")
	}
}
