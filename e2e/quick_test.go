//go:build e2e

package e2e

import (
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/performance"

	"github.com/softdelete-exporter/softdelete_exporter/assess"
	"github.com/softdelete-exporter/softdelete_exporter/report"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// thousand is a report about a server with a thousand tables, in six services.
func thousand() report.Report {
	now := time.Now()
	var tables []softdelete.Table
	for i := range 1000 {
		deleted := int64(i*i%997) * 10
		n := softdelete.ExactNumbers(10000+int64(i), deleted)
		old := softdelete.Exactly(deleted / 10)
		n.Old, n.Oldest, n.Ages = &old, now.AddDate(0, 0, -200), allAges(now, deleted)
		t := softdelete.Table{
			Schema: "public", Name: fmt.Sprintf("table_%04d", i),
			Markers: softdelete.Markers{{Kind: softdelete.Timestamp, Column: "deleted_at",
				Time: &softdelete.Time{Column: "deleted_at", Type: softdelete.Timestamptz}}},
			Policy: softdelete.Policy{Service: fmt.Sprintf("service %d", i%6), Retention: 90 * 24 * time.Hour, TimeZone: "UTC"},
		}
		t.Succeed(n, now)
		tables = append(tables, t)
	}
	s := &softdelete.Snapshot{Taken: now, Databases: []softdelete.Database{{
		Name: "shop", Checks: softdelete.Checks{Connect: true, Discovery: true, Counting: true, Indexes: true},
		Tables: tables}}}
	var limits assess.Thresholds
	limits.ResponseMS.Slow = 100
	limits.DeletionRatio, limits.OldDeletedRows = assess.Levels{Fair: 0.25,
		Poor: 0.5}, assess.Levels{Fair: 100, Poor: 900}
	pings := []softdelete.Ping{{At: now, Up: true, Duration: time.Millisecond}}
	return report.Report{Assessment: assess.Assess(pings, s, limits,
		assess.AlertConditions{HighDeletionRatio: true}, now)}
}

// openThousand opens the page of that report.
func openThousand(t testing.TB) (tab *tab, url string) {
	r := thousand()
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Content-Security-Policy", report.Policy())
		if err := report.HTML(w, r, &report.Links{JSON: "?format=json", Metrics: "metrics"}); err != nil {
			t.Error(err)
		}
	}))
	t.Cleanup(web.Close)
	tab = newTab(t)
	tab.open(web.URL)
	return tab, web.URL
}

func TestAThousandTablesAreShownFilteredAndGrouped(t *testing.T) {
	tab, url := openThousand(t)
	if got := len(names(tab)); got != 1000 {
		t.Fatalf("the page shows %d tables", got)
	}
	set(tab, "#find", "table_0999", "input")
	if got := names(tab); len(got) != 1 {
		t.Errorf("the filter shows %d tables: %v", len(got), got)
	}
	set(tab, "#find", "", "input")
	sortBy(tab, "3")
	set(tab, "#group", "service", "change")
	if got := len(names(tab)); got != 1000 {
		t.Errorf("sorted and grouped, the page shows %d tables", got)
	}
	tab.checkQuiet(url)
}

// BenchmarkAThousandTables measures how long the scripts of the page block the browser.
func BenchmarkAThousandTables(b *testing.B) {
	tab, url := openThousand(b)
	call(tab, performance.Enable, performance.EnableParams{})
	keys, group := 0, ""
	for _, action := range []struct {
		name string
		do   func()
	}{
		{"load", func() { tab.open(url) }},
		{"keystroke", func() {
			keys++
			set(tab, "#find", fmt.Sprint(keys), "input")
		}},
		{"sort", func() { sortBy(tab, "3") }},
		{"group", func() {
			group = map[string]string{"": "service", "service": ""}[group]
			set(tab, "#group", group, "change")
		}},
	} {
		b.Run(action.name, func(b *testing.B) {
			best := math.MaxFloat64
			for b.Loop() {
				before := spent(tab)
				if action.name == "load" {
					before = 0 // the counter starts again
				}
				action.do()
				ask[bool](tab, `new Promise((done) => requestAnimationFrame(() => setTimeout(() => done(true))))`)
				best = min(best, spent(tab)-before)
			}
			b.ReportMetric(best*1000, "script-ms")
		})
		set(tab, "#find", "", "input")
	}
}

// spent returns for how many seconds scripts of the page have run so far.
func spent(tab *tab) float64 {
	tab.t.Helper()
	for _, m := range call(tab, performance.GetMetrics, cdp.Empty{}).Metrics {
		if m.Name == "ScriptDuration" {
			return m.Value
		}
	}
	tab.t.Fatal("the browser does not say how long scripts ran")
	return 0
}
