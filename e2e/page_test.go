//go:build e2e

package e2e

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

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
