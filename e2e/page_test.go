//go:build e2e

package e2e

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"

	"github.com/softdelete-exporter/softdelete_exporter/assess"
	"github.com/softdelete-exporter/softdelete_exporter/internal/exportertest"
	"github.com/softdelete-exporter/softdelete_exporter/internal/pgserver/pgtest"
	"github.com/softdelete-exporter/softdelete_exporter/report"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// many is a page of 500 tables in two databases. Some have names that are written from right to left.
func many(t *testing.T) string {
	t.Helper()
	now := time.Now()
	all := softdelete.Checks{Connect: true, Discovery: true, Counting: true, Indexes: true}
	databases := []softdelete.Database{{Name: "shop", Checks: all}, {Name: "متجر", Checks: all}}
	for i := range 500 {
		n := softdelete.ExactNumbers(10_000, int64(i*i%9000))
		old := softdelete.Exactly(int64(i * i % 9000 / 2))
		bytes := float64(i << 14)
		n.Old, n.DeletedBytes, n.Oldest = &old, &bytes, now.AddDate(0, 0, -i)
		at := softdelete.Time{Column: "deleted_at", Type: softdelete.Timestamptz}
		table := softdelete.Table{Schema: "public", Name: fmt.Sprintf("table_%03d", i), Purging: &softdelete.Purging{},
			Markers: softdelete.Markers{{Kind: softdelete.Timestamp, Column: "deleted_at", Time: &at}},
			Policy:  softdelete.Policy{Service: "billing", Retention: 90 * 24 * time.Hour, TimeZone: "UTC"}}
		if i%100 == 0 {
			table.Name = fmt.Sprintf("طلبات_%03d", i)
		}
		table.Succeed(n, now)
		d := &databases[i%2]
		d.Tables = append(d.Tables, table)
	}
	server := softdelete.Server{Host: "db1", Port: 5432, Database: "shop", Version: "17.2", Role: softdelete.Primary}
	pings := []softdelete.Ping{{At: now, Up: true, Duration: time.Millisecond, Server: &server}}
	limits := assess.Thresholds{}
	limits.DeletionRatio.Fair, limits.DeletionRatio.Poor = 0.25, 0.5
	limits.OldDeletedRows.Fair, limits.OldDeletedRows.Poor = 1000, 10_000
	limits.ResponseMS.Slow = 100
	r := report.Report{Assessment: assess.Assess(pings, &softdelete.Snapshot{Taken: now, Databases: databases}, limits,
		assess.AlertConditions{HighDeletionRatio: true}, now)}
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Security-Policy", report.Policy())
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_ = report.HTML(w, r, &report.Links{JSON: "?format=json", Metrics: "metrics"}) // the browser may have left
	}))
	t.Cleanup(web.Close)
	return web.URL
}

func TestThePageOfFiveHundredTables(t *testing.T) {
	tab := newTab(t)
	tab.prefer("light")
	address := many(t)
	tab.open(address)

	t.Run("says first what to do", func(t *testing.T) {
		tab.t = t
		if y := ask[float64](tab, `document.querySelector("#todo").getBoundingClientRect().top`); y > 700 {
			t.Errorf("it begins %g pixels from the top", y)
		}
		got := ask[string](tab, `document.querySelector(".todo .group b").textContent`)
		if !strings.HasPrefix(got, "Purge ") {
			t.Errorf("the first group is %q", got)
		}
		if ask[bool](tab, `document.querySelector(".alerts").checkVisibility()`) {
			t.Error("the alerts are not folded")
		}
		tab.checkAccessible("with 500 tables", "color-contrast")
	})

	t.Run("keeps filter and order in its address", func(t *testing.T) {
		tab.t = t
		set(tab, "#find", "table_1", "input")
		tab.click("[name=health][value=good]")
		sortBy(tab, "8")
		set(tab, "#group", "database", "change")
		tab.click("#renew")
		want := names(tab)
		search := ask[string](tab, `location.search`)
		for _, part := range []string{"find=table_1", "hide=good", "sort=8", "group=database", "renew=1"} {
			if !strings.Contains(search, part) {
				t.Errorf("%s is not in the address: %s", part, search)
			}
		}
		tab.open(address + search)
		if got := names(tab); strings.Join(got, " ") != strings.Join(want, " ") || len(got) == 0 || len(got) > 110 {
			t.Errorf("opened again, it has %d tables; there were %d", len(got), len(want))
		}
		if !ask[bool](tab, `document.querySelector("#renew").checked`) {
			t.Error("it does not renew itself any more")
		}
		tab.checkAccessible("filtered and grouped", "color-contrast")
		tab.open(address)
	})

	t.Run("keeps a name from right to left in its place", func(t *testing.T) {
		tab.t = t
		// The number stands to the right of the name, and the verdict's own text around it keeps its order.
		ask[bool](tab, `document.querySelector("#alerts ~ details").open = true; true`)
		if !ask[bool](tab, `(() => {
			const name = [...document.querySelectorAll(".alerts bdi")].find((b) => b.textContent.includes("طلبات"));
			const after = document.createRange();
			after.selectNodeContents(name.nextSibling);
			return after.getBoundingClientRect().left >= name.getBoundingClientRect().right - 1;
		})()`) {
			t.Error("the number is not behind the name")
		}
	})

	t.Run("is whole on paper", func(t *testing.T) {
		tab.t = t
		const a4 = 1032 // pixels of A4 across, without the margins
		tab.resize(a4, 720)
		call(tab, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Media: "print"})
		ask[bool](tab, `dispatchEvent(new Event("beforeprint"))`)
		hidden := ask[[]string](tab, `[...document.querySelectorAll("#list thead th")].filter((h) =>
			h.offsetWidth === 0 || h.getBoundingClientRect().right > 1032).map((h) => h.textContent)`)
		if len(hidden) > 0 {
			t.Errorf("columns that are not on the paper: %q", hidden)
		}
		for what, closed := range map[string]string{
			"details": `[...document.querySelectorAll("details:not([open])")].length`,
			"statements": `[...document.querySelectorAll("pre")].filter((p) =>
				p.scrollHeight > p.clientHeight + 1 || p.scrollWidth > p.clientWidth + 1).length`,
			"controls": `[...document.querySelectorAll("nav, .tools, .copy")].filter((e) => e.checkVisibility()).length`,
			"details of a table beside, not below it": `500 - document.querySelectorAll("#list tr.detail").length`,
		} {
			if n := ask[int](tab, closed); n != 0 {
				t.Errorf("%s: %d are not as they should be on paper", what, n)
			}
		}
		tab.checkAccessible("on paper", "color-contrast")
		ask[bool](tab, `dispatchEvent(new Event("afterprint"))`)
		if n := ask[int](tab, `document.querySelectorAll("#list tr.detail").length`); n != 0 {
			t.Errorf("after printing, %d details stay open", n)
		}
		call(tab, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{})
	})
	tab.t = t
	tab.checkQuiet(address)
}

func TestTheCopyButtonCoversNothing(t *testing.T) {
	tab := newTab(t)
	tab.open(many(t))
	ask[bool](tab, `for (const d of document.querySelectorAll(".todo details, .more")) d.open = true; true`)
	for _, width := range []int64{390, 1180} {
		tab.resize(width, 900)
		if n := ask[int](tab, `[...document.querySelectorAll(".code")].filter((c) => {
			const b = c.querySelector(".copy").getBoundingClientRect(), p = c.querySelector("pre").getBoundingClientRect();
			return b.bottom > p.top && b.top < p.bottom;
		}).length`); n > 0 || ask[int](tab, `document.querySelectorAll(".code").length`) == 0 {
			t.Errorf("at %d pixels, %d buttons cover a statement", width, n)
		}
	}
}

func TestEveryProbedServerHasItsPage(t *testing.T) {
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	pgtest.Exec(t, dsn,
		"CREATE TABLE users AS SELECT CASE WHEN id = 1 THEN now() END AS deleted_at FROM generate_series(1, 10) AS id")
	web := httptest.NewServer(exportertest.New(t, dsn, "probe: {allow: ['.*']}\nauth_modules: {main: {user: nobody}}"))
	t.Cleanup(web.Close)
	tab := newTab(t)
	tab.prefer("light")
	tab.open(web.URL + "/report?auth_module=main&target=127.0.0.1:1/shop")
	if got := ask[string](tab, `document.title`); got != "Poor · 127.0.0.1:1/shop · Soft delete health" {
		t.Errorf("the title is %q", got)
	}
	tab.checkAccessible("of a server that does not answer")
	tab.open(web.URL + "/report")
	tab.click(`nav a[href=targets]`)
	tab.waitFor(`document.title.startsWith("Servers")`)
	if got := ask[[]string](tab, `[...document.querySelectorAll("main a")].map((a) => a.textContent)`); len(got) != 2 ||
		got[0] != "127.0.0.1:1/shop" {
		t.Errorf("the servers are %q", got)
	}
	tab.checkAccessible("of all servers")
	tab.click(`main li a`)
	tab.waitFor(`document.title.includes("127.0.0.1:1/shop")`)
	tab.checkQuiet(web.URL)
}
