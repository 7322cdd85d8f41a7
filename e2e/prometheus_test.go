//go:build e2e

package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// freeAddress is an address on which nothing listens.
func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}

// program runs a program until the test ends and waits until it answers at a URL.
func program(t *testing.T, ready string, environment []string, name string, args ...string) {
	t.Helper()
	log, err := os.Create(filepath.Join(t.TempDir(), "log"))
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(name, args...)
	cmd.Env = append(os.Environ(), environment...)
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		t.Fatalf("%v; scripts/tools.sh e2e installs it", err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt) // an error means that it has ended
		_ = cmd.Wait()
		log.Close()
		if t.Failed() {
			text, _ := os.ReadFile(log.Name())
			t.Logf("%s said:\n%.5000s", filepath.Base(name), text)
		}
	})
	within(t, 30*time.Second, name+" to answer", func() bool {
		response, err := http.Get(ready)
		if err != nil {
			return false
		}
		response.Body.Close()
		return response.StatusCode == http.StatusOK
	})
}

// within waits until something holds, and fails the test if it does not in time.
func within(t *testing.T, limit time.Duration, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(limit); !holds(); time.Sleep(100 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited %s in vain for %s", limit, what)
		}
	}
}

// write writes a file of the test.
func write(t *testing.T, dir, name, text string) string {
	t.Helper()
	file := filepath.Join(dir, name)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// exporter builds the exporter and runs it on a database; it returns its address.
func exporter(t *testing.T, dsn, configuration string) string {
	t.Helper()
	dir := t.TempDir()
	binary := filepath.Join(dir, "softdelete_exporter")
	if out, err := exec.Command("go", "build", "-o", binary, "..").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	address := freeAddress(t)
	program(t, "http://"+address+"/-/ready", []string{"DATA_SOURCE_NAME=" + dsn},
		binary, "--web.listen-address="+address, "--config.file="+write(t, dir, "config.yaml", configuration))
	return address
}

// prometheus runs a Prometheus that scrapes the exporter and evaluates the mixin,
// compiled with the given overrides of its _config, and returns its URL.
func prometheus(t *testing.T, binary, exporter, alertmanager, overrides string) string {
	t.Helper()
	dir := t.TempDir()
	compile := exec.Command("jsonnet", "-J", "../mixin", "-S", "-m", dir, "-e", `
		local mixin = (import 'mixin.libsonnet') + { _config+:: `+overrides+` };
		{ 'alerts.yaml': std.manifestYamlDoc(mixin.prometheusAlerts), 'rules.yaml': std.manifestYamlDoc(mixin.prometheusRules) }`)
	if out, err := compile.CombinedOutput(); err != nil {
		t.Fatalf("jsonnet: %v\n%s", err, out)
	}
	alerting := ""
	if alertmanager != "" {
		alerting = fmt.Sprintf("alerting: {alertmanagers: [{static_configs: [{targets: [%q]}]}]}\n", alertmanager)
	}
	file := write(t, dir, "prometheus.yaml", fmt.Sprintf(`
global: {scrape_interval: 500ms, scrape_timeout: 500ms, evaluation_interval: 500ms}
rule_files: [alerts.yaml, rules.yaml]
%sscrape_configs:
  - job_name: softdelete
    static_configs: [{targets: [%q], labels: {cluster: test}}]
`, alerting, exporter))
	address := freeAddress(t)
	program(t, "http://"+address+"/-/ready", nil, binary, "--config.file="+file, "--storage.tsdb.path="+filepath.Join(dir, "data"),
		"--web.listen-address="+address, "--rules.alert.resend-delay=1s")
	return "http://" + address
}

// query asks Prometheus and returns the number of series.
func query(t *testing.T, prometheus, promql string) int {
	t.Helper()
	response, err := http.Get(prometheus + "/api/v1/query?query=" + url.QueryEscape(promql))
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var answer struct {
		Error string
		Data  struct{ Result []json.RawMessage }
	}
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		t.Fatal(err)
	}
	if answer.Error != "" {
		t.Errorf("%s: %s", promql, answer.Error)
	}
	return len(answer.Data.Result)
}

// alert is an alert as Alertmanager delivers it.
type alert struct {
	Status              string
	Labels, Annotations map[string]string
}

// pager records what Alertmanager delivers.
type pager struct {
	mu        sync.Mutex
	delivered []alert
}

// ServeHTTP takes a delivery.
func (p *pager) ServeHTTP(_ http.ResponseWriter, r *http.Request) {
	text, err := io.ReadAll(r.Body)
	var message struct{ Alerts []alert }
	if err != nil || json.Unmarshal(text, &message) != nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.delivered = append(p.delivered, message.Alerts...)
}

// last is the last delivery of an alert that carries all of the labels.
func (p *pager) last(labels map[string]string) (found alert) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, a := range slices.Backward(p.delivered) {
		fits := true
		for name, value := range labels {
			fits = fits && a.Labels[name] == value
		}
		if fits {
			return a
		}
	}
	return alert{}
}

// names are the alerts that were delivered, each once.
func (p *pager) names() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var names []string
	for _, a := range p.delivered {
		if name := a.Labels["alertname"] + " " + a.Labels["relname"] + " " + a.Status; !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return strings.Join(names, ", ")
}

// alertmanager runs an Alertmanager with the mixin's inhibition rules, and what it
// delivers to.
func alertmanager(t *testing.T) (address string, p *pager) {
	t.Helper()
	p = &pager{}
	receiver := httptest.NewServer(p)
	t.Cleanup(receiver.Close)
	inhibition, err := os.ReadFile("../mixin/inhibit_rules.yaml")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	file := write(t, dir, "alertmanager.yaml", fmt.Sprintf(`
route: {receiver: pager, group_by: [...], group_wait: 0s, group_interval: 1s, repeat_interval: 1h}
receivers: [{name: pager, webhook_configs: [{url: %q, send_resolved: true}]}]
%s`, receiver.URL, inhibition))
	address = freeAddress(t)
	program(t, "http://"+address+"/-/ready", nil, "prometheus-alertmanager", "--config.file="+file, "--storage.path="+dir,
		"--web.listen-address="+address, "--cluster.listen-address=")
	return address, p
}
