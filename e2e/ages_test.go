//go:build e2e

package e2e

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"

	"github.com/softdelete-exporter/softdelete_exporter/assess"
	"github.com/softdelete-exporter/softdelete_exporter/report"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// pictures is a page with a table of each sort of picture: counted in full, sampled, and with old rows only.
func pictures() http.Handler {
	now := time.Now()
	class := func(margin float64, rows ...float64) (all []softdelete.Estimate) {
		for _, n := range rows {
			all = append(all, softdelete.Estimate{Value: n, Margin: margin})
		}
		return all
	}
	var tables []softdelete.Table
	add := func(name string, retention int, edges []int, rows []softdelete.Estimate) {
		n := softdelete.ExactNumbers(100_000, 30_000)
		n.Oldest, n.Ages = now.AddDate(-2, 0, 0), &softdelete.Ages{Rows: rows}
		for _, days := range edges {
			n.Ages.Edges = append(n.Ages.Edges, softdelete.AgeEdge(now, days))
		}
		at := softdelete.Time{Column: "deleted_at", Type: softdelete.Timestamptz}
		t := softdelete.Table{Schema: "public", Name: name,
			Markers: softdelete.Markers{{Kind: softdelete.Timestamp, Column: "deleted_at", Time: &at}},
			Policy:  softdelete.Policy{Retention: time.Duration(retention) * 24 * time.Hour, TimeZone: "UTC"}}
		t.Succeed(n, now)
		tables = append(tables, t)
	}
	years := []int{365, 180, 90, 30, 14, 7, 1, 0}
	add("counted", 90, years, class(0, 12_000, 3000, 1000, 9000, 3000, 1000, 900, 100, 0))
	add("sampled", 90, []int{90, 30}, class(2000, 10_000, 10_000, 10_000))
	add("never_purged", 0, years, class(0, 30_000, 0, 0, 0, 0, 0, 0, 0, 0))
	s := &softdelete.Snapshot{Taken: now, Databases: []softdelete.Database{{Name: "shop",
		Checks: softdelete.Checks{Connect: true, Discovery: true, Counting: true, Indexes: true}, Tables: tables}}}
	pings := []softdelete.Ping{{At: now, Up: true, Duration: time.Millisecond}}
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Security-Policy", report.Policy())
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		r := report.Report{Assessment: assess.Assess(pings, s, assess.Thresholds{}, assess.AlertConditions{}, now)}
		_ = report.HTML(w, r, nil) // the browser may have left
	})
}

// allAges has rows in every class.
func allAges(now time.Time, deleted int64) *softdelete.Ages {
	a := &softdelete.Ages{Edges: softdelete.AgeEdges(now, 90*24*time.Hour)}
	for range len(a.Edges) + 1 {
		a.Rows = append(a.Rows, softdelete.Exactly(deleted/int64(len(a.Edges)+1)))
	}
	return a
}

// drawing is a picture as the browser shows it.
type drawing struct {
	Width, Height float64
	// Name is what a screen reader says, Paths how many paths are seen, Contrast the lowest contrast of one with what
	// is behind it.
	Name     string
	Paths    int
	Contrast float64
}

// drawings measures the pictures of the list; axe-core must be on the page.
const drawings = `(() => {
	const light = (colour) => colour.match(/[\d.]+/g).slice(0, 3).map((c) => c / 255)
		.map((c) => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
		.reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
	const paper = light(getComputedStyle(document.querySelector(".scroll")).backgroundColor);
	axe.setup(document.body);
	const found = [...document.querySelectorAll("#list svg.ages")].map((svg) => {
		const box = svg.getBoundingClientRect();
		const paths = [...svg.querySelectorAll("path")].filter((p) => p.getBoundingClientRect().height > 1);
		const colours = paths.map((p) => getComputedStyle(p)).map((s) => s.stroke === "none" ? s.fill : s.stroke);
		const contrast = colours.map(light).map((c) => (Math.max(c, paper) + 0.05) / (Math.min(c, paper) + 0.05));
		return {Width: box.width, Height: box.height, Name: axe.commons.text.accessibleText(svg), Paths: paths.length,
			Contrast: Math.min(...contrast)};
	});
	axe.teardown();
	return found;
})()`

func TestThePicturesOfAgesInABrowser(t *testing.T) {
	web := httptest.NewServer(pictures())
	defer web.Close()
	tab := newTab(t)
	tab.open(web.URL)
	check := func(situation string, width float64) {
		t.Helper()
		tab.checkAccessible(situation)
		found := ask[[]drawing](tab, drawings)
		if len(found) != 3 {
			t.Fatalf("%s: %d pictures, want 3", situation, len(found))
		}
		var paths []int
		for _, d := range found {
			if d.Width != width || d.Height < 20 || d.Contrast < 3 {
				t.Errorf("%s: a picture is %+v; want %g wide, and a contrast of 3", situation, d, width)
			}
			if !strings.HasPrefix(d.Name, "Deleted rows by age") || !strings.Contains(d.Name, ",000") {
				t.Errorf("%s: a screen reader says %q", situation, d.Name)
			}
			paths = append(paths, d.Paths)
		}
		// Old rows, others and the mark; one colour and no mark where nothing is ever purged.
		if slices.Sort(paths); !slices.Equal(paths, []int{1, 3, 3}) {
			t.Errorf("%s: %v paths are seen", situation, paths)
		}
	}
	for _, theme := range []string{"light", "dark"} {
		tab.prefer(theme)
		check(theme, 110)
	}
	ask[bool](tab, `document.querySelectorAll("#list details").forEach((d) => { d.open = true }), true`)
	tab.waitFor(`document.querySelectorAll("#list tr.detail").length === 3`)
	check("opened", 110)
	tab.resize(390, 844)
	if got := ask[int](tab, `document.documentElement.scrollWidth`); got > 390 {
		t.Errorf("the page is %d pixels wide on 390", got)
	}
	check("on a phone", 72)
	tab.resize(794, 1123) // A4
	call(tab, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Media: "print"})
	check("on paper", 60)
	if got := ask[string](tab, `document.querySelector(".key .ages").parentElement.textContent`); !strings.Contains(got,
		"oldest first") {
		t.Errorf("the key says %q", got)
	}
	tab.checkQuiet(web.URL)
}
