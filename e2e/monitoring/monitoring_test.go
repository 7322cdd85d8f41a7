//go:build e2e

package monitoring

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// compile compiles a Jsonnet file with several outputs and returns their directory.
func compile(t testing.TB, source string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	run(t, find(t, "jsonnet")[0], "--string", "--create-output-dirs", "--multi", dir, source)
	return dir
}

// prometheus is a running Prometheus.
type prometheus struct{ url string }

// startPrometheus starts one with a configuration, and with more flags.
func startPrometheus(t testing.TB, binary, configuration string, flags ...string) prometheus {
	t.Helper()
	address := freeAddress(t)
	p := prometheus{"http://" + address}
	start(t, p.url+"/-/ready", nil, binary, append(flags,
		"--config.file="+write(t, "prometheus.yml", configuration), "--storage.tsdb.path="+t.TempDir(),
		"--web.listen-address="+address, "--log.level=warn")...)
	return p
}

// series is one series of a result.
type series struct {
	Metric map[string]string
	Value  []any
	Values [][]any
}

// ask calls the API of Prometheus and returns its data. An error of the query is an error of the test.
func ask[T any](t testing.TB, p prometheus, path string, parameters url.Values) (data T) {
	t.Helper()
	response, err := http.Get(p.url + "/api/v1/" + path + "?" + parameters.Encode())
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var answer struct {
		Status, Error string
		Data          T
	}
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		t.Fatal(err)
	}
	if answer.Status != "success" {
		t.Fatalf("%s: %s\n%s", path, answer.Error, parameters.Get("query"))
	}
	return answer.Data
}

// query returns the series of an instant query.
func (p prometheus) query(t testing.TB, expr string) []series {
	t.Helper()
	return ask[struct{ Result []series }](t, p, "query", url.Values{"query": {expr}}).Result
}

// notice is a notification about one alert.
type notice struct {
	Receiver            string
	Status              string
	Labels, Annotations map[string]string
	StartsAt            time.Time
}

// recorder is a webhook that records the notifications.
type recorder struct {
	url string

	mu   sync.Mutex
	told []notice
}

func newRecorder(t *testing.T) *recorder {
	r := &recorder{}
	server := httptest.NewServer(r)
	t.Cleanup(server.Close)
	r.url = server.URL
	return r
}

// ServeHTTP receives the requests of Alertmanager.
func (r *recorder) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	var message struct {
		Receiver string
		Alerts   []notice
	}
	if err := json.NewDecoder(request.Body).Decode(&message); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, alert := range message.Alerts {
		alert.Receiver = message.Receiver
		r.told = append(r.told, alert)
	}
}

// notices returns the notifications so far.
func (r *recorder) notices() []notice {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.told[:len(r.told):len(r.told)]
}

// startAlertmanager starts one with the example's configuration, but shorter times. It returns its address and its
// notifications. It waits longer than a busy Prometheus is late, because an alert can only be silenced by another one
// that has already arrived.
func startAlertmanager(t *testing.T) (address string, told *recorder) {
	t.Helper()
	address = freeAddress(t)
	told = newRecorder(t)
	configuration := edit(t, read(t, "../../examples/alertmanager/alertmanager.yml"),
		"group_wait: 30s", "group_wait: 5s",
		"group_interval: 5m", "group_interval: 1s",
		"https://chat.example.com", told.url,
		"https://pager.example.com", told.url)
	start(t, "http://"+address+"/-/ready", nil, "prometheus-alertmanager",
		"--config.file="+write(t, "alertmanager.yml", configuration), "--storage.path="+t.TempDir(),
		"--web.listen-address="+address, "--cluster.listen-address=", "--log.level=warn")
	return address, told
}

// inhibited returns the alerts that Alertmanager knows but does not send because of other alerts.
func inhibited(t *testing.T, address string) (alerts []string) {
	t.Helper()
	var known []struct {
		Labels map[string]string
		Status struct{ InhibitedBy []string }
	}
	if err := json.Unmarshal([]byte(get(t, "http://"+address+"/api/v2/alerts")), &known); err != nil {
		t.Fatal(err)
	}
	for _, a := range known {
		if len(a.Status.InhibitedBy) > 0 {
			alerts = append(alerts, describe(a.Labels))
		}
	}
	slices.Sort(alerts)
	return alerts
}

// watched has the targets of Prometheus: an exporter, and a server and database that can also be probed.
type watched struct{ exporter, target string }

// watch returns the example's configuration of Prometheus with shorter times.
func (w watched) watch(t *testing.T, rules, alertmanager string) string {
	t.Helper()
	return edit(t, read(t, "../../examples/prometheus/prometheus.yml"),
		"_interval: 30s", "_interval: 1s",
		"scrape_timeout: 15s", "scrape_timeout: 1s",
		"rules/*.yaml", filepath.Join(rules, "*.yaml"),
		"alertmanager.example.com:9093", alertmanager,
		"exporter.example.com:10862", w.exporter,
		"          - db-2.example.com:5432/warehouse\n", "",
		"db-1.example.com:5432/shop", w.target)
}

// describe returns a short form of labels, for messages.
func describe(labels map[string]string) string {
	var parts []string
	for _, name := range []string{"alertname", "severity", "job", "instance", "datname", "relname", "reason", "purpose",
		"problem", "check"} {
		if value := labels[name]; value != "" {
			parts = append(parts, value)
		}
	}
	return strings.Join(parts, " ")
}
