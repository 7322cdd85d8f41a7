//go:build e2e

package monitoring

import (
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/softdelete-exporter/softdelete_exporter/collector"
	"github.com/softdelete-exporter/softdelete_exporter/internal/pgserver/pgtest"
)

// changes reports whether a metric differs from scrape to scrape.
func changes(metric string) bool {
	return !strings.HasPrefix(metric, "softdelete_") || metric == "softdelete_exporter_time_seconds" ||
		strings.HasSuffix(metric, "_total")
}

// answers records how the exporter answered each job of a Prometheus, which says its name in the query.
type answers struct {
	exporter http.Handler
	mu       sync.Mutex
	headers  map[string]http.Header
}

func (a *answers) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.exporter.ServeHTTP(w, r)
	a.mu.Lock()
	defer a.mu.Unlock()
	a.headers[r.FormValue("job")] = w.Header().Clone()
}

func (a *answers) header(job string) http.Header {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.headers[job]
}

// Whatever protocol Prometheus prefers, it has the samples that a plain gathering shows.
func TestPrometheusReadsTheSameSamplesWithEachProtocol(t *testing.T) {
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	for i, name := range []string{"users", `"quoted"`, "new\nline", `back\slash\`, `\n`, "größe", "🐘", "\u202eleft",
		"tab\t\x1b[31m", `{a="b"} 1`, "# HELP x"} {
		pgtest.Exec(t, dsn, fmt.Sprintf(`CREATE TABLE %s AS SELECT CASE WHEN n <= %d THEN now() END AS deleted_at
			FROM generate_series(1, 100) n`, pgx.Identifier{name}.Sanitize(), i+1))
	}
	exporter := freeAddress(t)
	start(t, "http://"+exporter+"/-/healthy", []string{"DATA_SOURCE_NAME=" + dsn}, build(t),
		"--web.listen-address="+exporter,
		"--config.file="+write(t, "config.yaml", "ttl: 1h\nmax_stale: 4h\nscrape: {timeout: 1m}"))
	a := &answers{exporter: httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: exporter}),
		headers: map[string]http.Header{}}
	web := httptest.NewServer(a)
	t.Cleanup(web.Close)
	get(t, web.URL+"/metrics") // waits until everything is counted
	// Metrics that are requested by name are gathered anew.
	named := url.Values{"name[]": {"softdelete_exporter_build_info"}}
	for _, m := range collector.Metrics() {
		if !changes(m.Name) {
			named.Add("name[]", m.Name)
		}
	}
	want := samples(t, get(t, web.URL+"/metrics?"+named.Encode()))
	if len(want) < 100 {
		t.Fatalf("only %d samples: %v", len(want), want)
	}

	const preferring = "scrape_protocols: [%s], fallback_scrape_protocol: PrometheusText0.0.4, "
	for _, binary := range find(t, "prometheus") {
		check := func(settings string, jobs []string, flags ...string) {
			t.Run(fmt.Sprint(binary, flags), func(t *testing.T) {
				var text strings.Builder
				text.WriteString("scrape_configs:\n")
				for _, job := range jobs {
					fmt.Fprintf(&text, "- {job_name: %q, scrape_interval: 1s, scrape_timeout: 1s, %sparams: {job: [%q]}, "+
						"static_configs: [{targets: [%q]}]}\n", job, strings.ReplaceAll(settings, "%s", job), job,
						strings.TrimPrefix(web.URL, "http://"))
				}
				p := startPrometheus(t, binary, text.String(), flags...)
				for _, job := range jobs {
					a.check(t, p, job, want)
				}
			})
		}
		if strings.Contains(run(t, binary, "--version"), "version 2.") { // its protocol depends on a feature
			check("", []string{"PrometheusText"})
			check("", []string{"PrometheusProto"}, "--enable-feature=native-histograms")
		} else {
			check(preferring, []string{"OpenMetricsText1.0.0", "OpenMetricsText0.0.1", "PrometheusText1.0.0",
				"PrometheusText0.0.4", "PrometheusProto"})
		}
	}
}

// check waits until a Prometheus has the wanted samples of a job.
func (a *answers) check(t *testing.T, p prometheus, job string, want map[string]string) {
	t.Helper()
	diff := "nothing"
	for deadline := time.Now().Add(within); diff != ""; time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s (-plain +Prometheus):\n%s", job, diff)
		}
		got := map[string]string{}
		for _, s := range p.query(t, fmt.Sprintf(`{__name__=~"softdelete_.+", job=%q}`, job)) {
			if !changes(s.Metric["__name__"]) {
				got[key(s.Metric)] = s.Value[1].(string)
			}
		}
		diff = cmp.Diff(want, got)
	}
	h := a.header(job)
	if proto := strings.Contains(h.Get("Content-Type"), "protobuf"); proto != (job == "PrometheusProto") ||
		h.Get("Content-Encoding") != "gzip" {
		t.Errorf("%s was answered with %v", job, h)
	}
}

// key writes labels in one way, without those of the target.
func key(labels map[string]string) string {
	delete(labels, "job")
	delete(labels, "instance")
	maps.DeleteFunc(labels, func(_, value string) bool { return value == "" }) // Prometheus does not keep them
	return fmt.Sprint(labels)                                                  // sorted
}

// samples returns the samples of a page.
func samples(t *testing.T, page string) map[string]string {
	t.Helper()
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	for name, f := range families {
		for _, m := range f.GetMetric() {
			labels := map[string]string{"__name__": name}
			for _, l := range m.GetLabel() {
				labels[l.GetName()] = l.GetValue()
			}
			found[key(labels)] = strconv.FormatFloat(m.GetGauge().GetValue(), 'f', -1, 64)
		}
	}
	return found
}
