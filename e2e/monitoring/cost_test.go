//go:build e2e

package monitoring

import (
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"
)

// The limit for all rules together, in samples for each table. It does not depend on the number of tables, so a small
// number is enough.
const samplesByTable = 155

var (
	costTables = flag.Int("tables", 1000, "how many tables BenchmarkRules has")
	costMixin  = flag.String("mixin", "../../mixin", "the mixin whose rules BenchmarkRules measures")
)

// costConfig is the configuration of Prometheus: a tenth of the usual intervals, so that each range has the usual
// number of samples.
const costConfig = `
global: {scrape_interval: 10s, scrape_timeout: 10s, evaluation_interval: 10s}
rule_files: ['%s']
scrape_configs:
  - job_name: softdelete
    static_configs: [{targets: ['%s']}]
`

// largePage returns /metrics of a server with this many tables. Every twentieth is poor. Each has 19 series.
func largePage(tables int, now time.Time) string {
	var b strings.Builder
	at := float64(now.Unix())
	fmt.Fprintf(&b, "db_up 1\ndb_response_ms 1\n"+
		"softdelete_exporter_ttl_seconds 300\nsoftdelete_exporter_time_seconds %f\n"+
		"softdelete_exporter_tables{datname=\"shop\",state=\"counted\"} %d\n", at, tables)
	for i := range tables {
		labels := fmt.Sprintf(`datname="shop",schemaname="public",relname="table_%d"`, i)
		deleted := 1000.0
		if i%20 == 0 {
			deleted = 20000
		}
		for name, value := range map[string]float64{
			"active_rows": 10000, "deleted_rows": deleted, "total_rows": 10000 + deleted,
			"deletion_ratio": deleted / (10000 + deleted), "deletion_ratio_margin": 0,
			"old_deleted_rows": deleted / 2, "old_deleted_rows_margin": 0,
			"oldest_deleted_timestamp_seconds": at - 91*86400, "retention_seconds": 90 * 86400,
			"recently_deleted_rows": 3, "recent_window_seconds": 3600, "deleted_bytes": 8192 * deleted,
			"checked_timestamp_seconds": at, "count_duration_seconds": 0.01,
		} {
			fmt.Fprintf(&b, "softdelete_%s{%s} %.10g\n", name, labels, value)
		}
		const info = `marker="deleted_at",kind="timestamp",table_service="shop"`
		fmt.Fprintf(&b, "softdelete_table_info{%s,%s} 1\n", labels, info)
		fmt.Fprintf(&b, "softdelete_count_info{%s,method=\"exact\"} 1\n", labels)
		for _, purpose := range []string{"live_rows", "purge"} {
			fmt.Fprintf(&b, "softdelete_index_present{%s,purpose=%q} 1\n", labels, purpose)
		}
		fmt.Fprintf(&b, "softdelete_index_problem{%s,indexrelname=\"i\",problem=\"unused\"} 1\n", labels)
	}
	return b.String()
}

// BenchmarkRules measures how many samples all rules read, and how long that takes, in each version of Prometheus.
func BenchmarkRules(b *testing.B) {
	began := time.Now()
	page := largePage(*costTables, began)
	exporter := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; version=0.0.4")
		fmt.Fprint(w, page)
	}))
	b.Cleanup(exporter.Close)

	dir := b.TempDir()
	output := run(b, find(b, "jsonnet")[0], "-e", `
		local m = (import '`+*costMixin+`/mixin.libsonnet') { _config+:: { times+: { bridge: 100, recentWindow: 60 } } };
		{ groups: m.prometheusRules.groups + m.prometheusAlerts.groups }`)
	rules := dir + "/rules.json"
	if err := os.WriteFile(rules, []byte(output), 0o600); err != nil {
		b.Fatal(err)
	}
	var file struct {
		Groups []struct {
			Rules []struct{ Record, Alert, Expr string }
		}
	}
	if err := json.Unmarshal([]byte(output), &file); err != nil {
		b.Fatal(err)
	}

	for _, binary := range find(b, "prometheus") {
		b.Run(binary, func(b *testing.B) {
			p := startPrometheus(b, binary, fmt.Sprintf(costConfig, rules, strings.TrimPrefix(exporter.URL, "http://")))
			// Wait until each range is full, and until there are samples from before the recent window.
			for deadline := time.Now().Add(10 * time.Minute); ; time.Sleep(time.Second) {
				if len(p.query(b, `count_over_time(db_up[5m]) >= 12`)) == 1 &&
					len(p.query(b, `count(table:softdelete_health:max) > 0`)) == 1 {
					break
				}
				if time.Now().After(deadline) {
					b.Fatal("Prometheus has not scraped twelve times")
				}
			}
			for b.Loop() {
				samples, seconds := 0, 0.0
				for _, group := range file.Groups {
					for _, rule := range group.Rules {
						answer := ask[struct {
							Stats struct {
								Timings struct{ EvalTotalTime float64 }
								Samples struct{ TotalQueryableSamples int }
							}
						}](b, p, "query", url.Values{"query": {rule.Expr}, "stats": {"all"}})
						samples += answer.Stats.Samples.TotalQueryableSamples
						seconds += answer.Stats.Timings.EvalTotalTime
						if n := answer.Stats.Samples.TotalQueryableSamples; n >= *costTables {
							b.Logf("%8d samples, %.3f s: %s%s", n, answer.Stats.Timings.EvalTotalTime, rule.Record, rule.Alert)
						}
					}
				}
				b.ReportMetric(float64(samples), "samples/op")
				b.ReportMetric(seconds, "s/op")
				if samples == 0 || samples > samplesByTable*(*costTables) {
					b.Errorf("all rules read %d samples, want at most %d for each of %d tables",
						samples, samplesByTable, *costTables)
				}
			}
		})
	}
}
