//go:build e2e

package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// tab is a page in a headless Chromium, with everything that went wrong in it.
type tab struct {
	context.Context
	t testing.TB

	mu sync.Mutex
	// complaints are errors of the console, exceptions, and requests that the policy refused.
	complaints []string
	requests   []string
}

// newTab starts a separate Chromium, which ends with the test.
func newTab(t testing.TB) *tab {
	t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		t.Fatal("chromium is missing; scripts/tools.sh e2e installs it")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	t.Cleanup(cancel)
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path),
		chromedp.WSURLReadTimeout(time.Minute),
		chromedp.NoSandbox, chromedp.DisableGPU, chromedp.WindowSize(1300, 900),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true),
		chromedp.Flag("hide-scrollbars", true))
	ctx, cancel = chromedp.NewExecAllocator(ctx, options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	tab := &tab{Context: ctx, t: t}
	if err := chromedp.Listen(ctx, tab.listen); err != nil {
		t.Fatal(err)
	}
	call(tab, network.Enable, network.EnableParams{})
	call(tab, log.Enable, cdp.Empty{})
	call(tab, runtime.Enable, cdp.Empty{})
	return tab
}

// listen records what goes wrong, and the addresses that the page requests.
func (tab *tab) listen(event any) {
	tab.mu.Lock()
	defer tab.mu.Unlock()
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		tab.complaints = append(tab.complaints, e.ExceptionDetails.Text)
	case *runtime.EventConsoleAPICalled:
		tab.complaints = append(tab.complaints, fmt.Sprintf("console.%s", e.Type))
	case *log.EventEntryAdded:
		tab.complaints = append(tab.complaints, fmt.Sprintf("%s: %s %s", e.Entry.Level, e.Entry.Text, e.Entry.URL))
	case *network.EventRequestWillBeSent:
		tab.requests = append(tab.requests, e.Request.URL)
	}
}

// do runs some actions.
func (tab *tab) do(actions ...chromedp.Action[chromedp.Void]) {
	tab.t.Helper()
	if err := chromedp.Do(tab, actions...); err != nil {
		tab.t.Fatal(err)
	}
}

// call sends a command of the DevTools protocol.
func call[P, R any](tab *tab, command cdp.Command[P, R], parameters P) R {
	tab.t.Helper()
	answer, err := chromedp.Call(tab, command, parameters)
	if err != nil {
		tab.t.Fatalf("%s: %v", command.Method, err)
	}
	return answer
}

// click clicks on the first element that matches a CSS selector.
func (tab *tab) click(selector string) {
	tab.t.Helper()
	tab.do(chromedp.Click(chromedp.CSS(selector)))
}

// waitFor waits until a JavaScript expression is true.
func (tab *tab) waitFor(expression string) {
	tab.t.Helper()
	for deadline := time.Now().Add(time.Minute); !ask[bool](tab, expression); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			tab.t.Fatalf("waited in vain for %s", expression)
		}
	}
}

// ask evaluates a JavaScript expression. For a promise it returns the result.
func ask[T any](tab *tab, expression string) (value T) {
	tab.t.Helper()
	value, err := chromedp.Run(tab, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		tab.t.Fatalf("%.200s: %v", expression, err)
	}
	return value
}

// open loads a page.
func (tab *tab) open(address string) {
	tab.t.Helper()
	tab.do(chromedp.Navigate(address))
}

// allowClipboard lets the page write to the clipboard, and the test read it.
func (tab *tab) allowClipboard() {
	tab.t.Helper()
	for _, name := range []string{"clipboard-read", "clipboard-write"} {
		_, err := chromedp.CallBrowser(tab, browser.SetPermission, browser.SetPermissionParams{
			Permission: &browser.PermissionDescriptor{Name: name}, Setting: browser.PermissionSettingGranted})
		if err != nil {
			tab.t.Fatal(err)
		}
	}
}

// prefer sets the colour scheme that the system prefers: light or dark.
func (tab *tab) prefer(scheme string) {
	tab.t.Helper()
	call(tab, emulation.SetEmulatedMedia,
		emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}})
}

// resize sets the size of the window in pixels.
func (tab *tab) resize(width, height int64) {
	tab.t.Helper()
	call(tab, emulation.SetDeviceMetricsOverride,
		emulation.SetDeviceMetricsOverrideParams{Width: width, Height: height, DeviceScaleFactor: 1, Mobile: width < 500})
}

// checkQuiet fails the test if there was a complaint, or if the page requested anything from another server.
func (tab *tab) checkQuiet(origin string) {
	tab.t.Helper()
	tab.mu.Lock()
	defer tab.mu.Unlock()
	for _, complaint := range tab.complaints {
		tab.t.Errorf("the browser complains: %s", complaint)
	}
	if len(tab.requests) == 0 {
		tab.t.Error("no request was seen")
	}
	for _, request := range tab.requests {
		u, err := url.Parse(request)
		if err != nil || u.Scheme != "data" && u.Scheme+"://"+u.Host != origin {
			tab.t.Errorf("the page asks for %s", request)
		}
	}
}

// violation is an accessibility problem.
type violation struct {
	ID, Impact, Help string
	Nodes            []struct {
		Target  []any
		Summary string `json:"failureSummary"`
	}
}

// checkAccessible lets axe-core check the page in its current state. Of long lists it sees the beginning. It leaves out
// the rules in without, such as color-contrast, which takes a minute for hundreds of tables.
func (tab *tab) checkAccessible(what string, without ...string) {
	tab.t.Helper()
	axe, err := os.ReadFile("../.cache/axe.min.js")
	if err != nil {
		tab.t.Fatalf("%v; scripts/tools.sh e2e gets it", err)
	}
	ask[bool](tab, string(axe)+"\n;true")
	var violations []violation
	rules := map[string]map[string]bool{}
	for _, rule := range without {
		rules[rule] = map[string]bool{"enabled": false}
	}
	off, err := json.Marshal(rules)
	if err != nil {
		tab.t.Fatal(err)
	}
	text := ask[string](tab, `axe.run({exclude: [["#list tbody tr:nth-child(n+31)"], [".todo .todo > li:nth-child(n+11)"],
		[".alerts li:nth-child(n+11)"]]}, {resultTypes: ["violations"], rules: `+string(off)+`}).then((r) => {
		if (r.passes.length < 10) throw new Error("axe-core checked next to nothing");
		return JSON.stringify(r.violations);
	})`)
	if err := json.Unmarshal([]byte(text), &violations); err != nil {
		tab.t.Fatal(err)
	}
	for _, v := range violations {
		var nodes strings.Builder
		for _, n := range v.Nodes[:min(3, len(v.Nodes))] {
			fmt.Fprintf(&nodes, "\n  %v: %s", n.Target, n.Summary)
		}
		tab.t.Errorf("%s: axe-core finds %s (%s, %d times): %s%s", what, v.ID, v.Impact, len(v.Nodes), v.Help, &nodes)
	}
}
