//go:build e2e

package e2e

import (
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/softdelete-exporter/softdelete_exporter/demo/data"
	"github.com/softdelete-exporter/softdelete_exporter/internal/exportertest"
	"github.com/softdelete-exporter/softdelete_exporter/internal/pgserver"
	"github.com/softdelete-exporter/softdelete_exporter/internal/pgserver/pgtest"
)

var screenshots = flag.String("screenshots", "", "directory into which screenshots of the report are written")

// demo starts an exporter on the demo's database and returns the address of its report.
func demo(t *testing.T) string {
	t.Helper()
	postgres := pgtest.Start(t, pgserver.Options{})
	pgtest.Exec(t, postgres.DSN("postgres", pgserver.Superuser), "CREATE DATABASE shop")
	dsn := postgres.DSN("shop", pgserver.Superuser)
	if err := data.Load(t.Context(), dsn, 0.2); err != nil {
		t.Fatal(err)
	}
	web := httptest.NewServer(exportertest.New(t, dsn, string(data.Config)))
	t.Cleanup(web.Close)
	return web.URL + "/report"
}

// names returns the tables on the page, in order.
func names(tab *tab) []string {
	return ask[[]string](tab,
		`[...document.querySelectorAll("#list [data-n]:not([hidden]) summary")]
			.map((s) => s.textContent.replace(/^.*\./, ""))`)
}

// sortBy clicks on the header of a column.
func sortBy(tab *tab, column string) {
	tab.t.Helper()
	tab.click(fmt.Sprintf(`thead [data-sort=%q] button`, column))
}

// set gives a control a value, as its user would do.
func set(tab *tab, selector, value, event string) {
	tab.t.Helper()
	ask[bool](tab,
		fmt.Sprintf(
			`(() => { const c = document.querySelector(%q); c.value = %q; return c.dispatchEvent(new Event(%q)); })()`,
			selector, value, event))
}

func TestTheReportInABrowser(t *testing.T) {
	address := demo(t)
	tab := newTab(t)
	tab.allowClipboard()
	tab.prefer("light")
	tab.open(address)

	t.Run("sorts", func(t *testing.T) {
		tab.t = t
		worst := names(tab)
		if len(worst) != len(data.Tables) {
			t.Fatalf("the page shows %d tables, want %d: %v", len(worst), len(data.Tables), worst)
		}
		verdicts := ask[[]string](tab, `[...document.querySelectorAll("#list [data-n]")].map((r) => r.dataset.health)`)
		order := []string{"poor", "unknown", "fair", "good"}
		if !slices.IsSortedFunc(verdicts, func(a, b string) int { return slices.Index(order, a) - slices.Index(order, b) }) {
			t.Errorf("the worst are not first: %v", verdicts)
		}
		sortBy(tab, "name")
		if got := names(tab); !slices.IsSortedFunc(got,
			func(a, b string) int { return strings.Compare(strings.ToLower(a), strings.ToLower(b)) }) {
			t.Errorf("not in the order of names: %v", got)
		}
		sortBy(tab, "3")
		if got := names(tab)[0]; got != "carts" {
			t.Errorf("%s has the highest ratio, want carts", got)
		}
		if got := ask[string](tab, `(() => {
			const sorted = document.querySelector("thead [aria-sort]")
			return sorted.textContent + sorted.ariaSort
		})()`); got != "Share deleteddescending" {
			t.Errorf("a screen reader hears %q", got)
		}
		sortBy(tab, "3")
		if got := names(tab); got[len(got)-1] != "carts" {
			t.Errorf("turned round, the order is %v", got)
		}
		sortBy(tab, "0")
		if got := names(tab); !slices.Equal(got, worst) {
			t.Errorf("back again, the order is %v, want %v", got, worst)
		}
	})

	t.Run("filters", func(t *testing.T) {
		tab.t = t
		tab.do(chromedp.SendKeys(chromedp.CSS("#find"), "seller"))
		if got := names(tab); !slices.Equal(got, []string{"sellers"}) {
			t.Errorf("seller finds %v", got)
		}
		if got := ask[string](tab, `document.querySelector("#found").textContent`); got != "1 of 10 tables" {
			t.Errorf("the page says %q", got)
		}
		set(tab, "#find", "", "input")
		all := len(names(tab))
		tab.click(`[name=health][value=good]`)
		if got := ask[bool](tab, `!document.querySelector("#list [data-health=good]:not([hidden])")`); !got ||
			len(names(tab)) == all {
			t.Error("good tables are still shown")
		}
		tab.click(`[name=health][value=good]`)
		tab.click(`[data-service=support]`)
		if got := names(tab); !slices.Equal(got, []string{"messages"}) {
			t.Errorf("the service support has %v", got)
		}
		tab.click(`[data-service=support]`)
		set(tab, "#group", "service", "change")
		heads := ask[[]string](tab, `[...document.querySelectorAll("tr.group th")].map((h) => h.textContent.trim())`)
		if len(heads) != 4 || heads[0] != "shop poor, 6 tables" {
			t.Errorf("the groups are %q", heads)
		}
		tab.checkAccessible("grouped")
		set(tab, "#group", "", "change")
		if got := len(names(tab)); got != all {
			t.Errorf("%d tables are left of %d", got, all)
		}
	})

	t.Run("opens by keyboard", func(t *testing.T) {
		tab.t = t
		tab.do(chromedp.Focus(chromedp.CSS(`#list [data-n] summary`)), chromedp.KeyEvent("\r"))
		tab.waitFor(`document.querySelector("#list tr.detail ul") !== null`)
		if got := ask[string](tab, `document.querySelector("#list tr.detail").textContent`); !strings.Contains(got,
			"marked by deleted_at") {
			t.Errorf("the row says %q", got)
		}
		tab.do(chromedp.KeyEvent("\r"))
		tab.waitFor(`document.querySelector("#list tr.detail") === null`)
	})

	t.Run("copies a statement", func(t *testing.T) {
		tab.t = t
		ask[bool](tab, `location.hash = "#r1"; true`)
		tab.click(`#r1 .copy`)
		tab.waitFor(`document.querySelector("#r1 .copy").textContent === "Copied"`)
		shown, copied := ask[string](tab, `document.querySelector("#r1 pre").textContent`), ask[string](tab,
			`navigator.clipboard.readText()`)
		if shown == "" || shown != copied {
			t.Errorf("copied was %q, shown is %q", copied, shown)
		}
		tab.checkAccessible("with a statement")
		ask[bool](tab, `document.querySelector("#r1 details").open = false; scrollTo(0, 0)`+"; true")
	})

	paper := func() string { return ask[string](tab, `getComputedStyle(document.body).backgroundColor`) }
	t.Run("switches its theme", func(t *testing.T) {
		tab.t = t
		light := paper()
		tab.prefer("dark")
		dark := paper()
		if light == dark {
			t.Fatal("it does not follow the system")
		}
		press := func() { tab.click("#theme") }
		press()
		if paper() != light || ask[string](tab, `document.querySelector("#theme").textContent`) != "Theme: light" {
			t.Error("it is not light though it was told so")
		}
		tab.do(chromedp.Reload())
		if paper() != light {
			t.Error("it forgets the choice")
		}
		tab.prefer("light")
		press()
		if paper() != dark {
			t.Error("it is not dark though it was told so")
		}
		tab.checkAccessible("dark")
		press()
		if paper() != light {
			t.Error("it does not return to the system's choice")
		}
		tab.checkAccessible("light")
	})

	t.Run("fits a phone", func(t *testing.T) {
		tab.t = t
		tab.resize(390, 844)
		if got := ask[int](tab, `document.documentElement.scrollWidth`); got > 390 {
			t.Errorf("the page is %d pixels wide on 390", got)
		}
		tab.checkAccessible("on a phone")
		tab.resize(1180, 900)
	})
	tab.t = t
	tab.checkQuiet(strings.TrimSuffix(address, "/report"))

	if *screenshots != "" {
		tab.prefer("light")
		for range 12 { // fills the line of response times without waiting 5 s between pings
			if answer, err := http.Get(strings.TrimSuffix(address, "report") + "health"); err == nil {
				answer.Body.Close()
			}
		}
		tab.open(address)
		shoot(tab, "report-light.png", 1120, 1840)
		shoot(tab, "report-phone.png", 390, 1400)
		tab.prefer("dark")
		shoot(tab, "report-dark.png", 1120, 1840)
	}
}

// shoot takes a screenshot of the top of the page.
func shoot(tab *tab, name string, width, height int64) {
	tab.resize(width, height)
	picture, err := chromedp.Run(tab, chromedp.CaptureScreenshot())
	if err != nil {
		tab.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(*screenshots, name), picture, 0o644); err != nil {
		tab.t.Fatal(err)
	}
}

// Proves that the test above would notice a violation of the policy.
func TestTheBrowserTellsOfWhatThePolicyRefuses(t *testing.T) {
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Security-Policy", "default-src 'none'; img-src data:")
		_, _ = w.Write(
			[]byte(`<!doctype html><link rel="icon" href="data:,"><body style="color: red"><script>alert(1)</script>`))
	}))
	defer web.Close()
	tab := newTab(t)
	tab.open(web.URL)
	said := func() []string {
		tab.mu.Lock()
		defer tab.mu.Unlock()
		return slices.Clone(tab.complaints)
	}
	for deadline := time.Now().Add(time.Minute); len(said()) < 2; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("of a style and a script that are refused it says %q", said())
		}
	}
}
