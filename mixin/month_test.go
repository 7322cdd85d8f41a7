//go:build e2e

package mixin

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// Thirty days of a shop, evaluated by promtool: its jobs, purges and deployments, and its faults. The benchmark lists
// every alert that fires, with the action that it asks for.

const (
	minute = 1
	hour   = 60 * minute
	day    = 24 * hour
	month  = 30 * day
)

// The shares of scrapes and pings that fail without any further fault.
const (
	lostScrapes = 0.005
	lostPings   = 0.001
)

// fired is an alert that starts to fire on a day, about a table or the server, and the action that it asks for.
type fired struct {
	day         int
	name, table string
	action      string
}

// monthLimits are the shop's thresholds: how often each table is purged.
const monthLimits = `{ tables: [
	{ schema: 'public', table: 'events', purge_period_seconds: 7 * 86400 },
	{ schema: 'public', table: 'newsletters', purge_period_seconds: 7 * 86400 },
	{ schema: 'public', table: 'ledger', purge_period_seconds: 31 * 86400 },
] }`

// tablesOfTheMonth returns the series of the tables.
func tablesOfTheMonth(step int) []input {
	random := rand.New(rand.NewPCG(1, 2))
	s, all := newScraped(), shop(random)
	for t := clock(0); t < month; t += clock(step) {
		number, starting, counting := t.pod()
		pod := fmt.Sprintf("exporter-%d", number)
		missed := random.Float64() < lostScrapes
		for _, table := range all {
			f := table.facts(t)
			if starting || missed || within(t, outage) {
				continue
			}
			labels := []string{"pod", pod, "service", "softdelete-exporter", "datname", "shop", "schemaname", "public",
				"relname", table.name}
			s.set("softdelete_table_info", 1, append(slices.Clone(labels), "marker", "deleted_at", "kind", "timestamp",
				"table_service", "shop")...)
			if counting {
				continue
			}
			f["checked_timestamp_seconds"] = t.seconds()
			if reason := "problem locked"; f[reason] > 0 {
				s.set("softdelete_table_problem", 1, append(slices.Clone(labels), "reason", "locked")...)
				delete(f, reason)
				f["checked_timestamp_seconds"] = max(lock[0].seconds(),
					longLock[0].seconds()*min(1, math.Floor(t.seconds()/longLock[0].seconds())))
			}
			for fact, value := range f {
				s.set("softdelete_"+fact, value, labels...)
			}
		}
		if !starting && !missed && !within(t, outage) {
			of := []string{"pod", pod, "service", "softdelete-exporter"}
			pending := 0.0
			if counting {
				pending = float64(len(all))
			}
			s.set("softdelete_exporter_time_seconds", t.seconds(), of...)
			s.set("softdelete_exporter_ttl_seconds", 300, of...)
			s.set("softdelete_exporter_tables", pending, append(of, "datname", "shop", "state", "pending")...)
			s.set("softdelete_exporter_tables", float64(len(all))-pending, append(of, "datname", "shop", "state", "counted")...)
		}
		s.step()
	}
	return s.input()
}

// serverOfTheMonth returns the series of the server: its pings and checks.
func serverOfTheMonth(step int) []input {
	random := rand.New(rand.NewPCG(3, 4))
	s := newScraped()
	for t := clock(0); t < month; t += clock(step) {
		number, starting, _ := t.pod()
		of := []string{"pod", fmt.Sprintf("exporter-%d", number), "service", "softdelete-exporter"}
		if starting || random.Float64() < lostScrapes {
			s.set("up", 0, of...)
			s.step()
			continue
		}
		down := within(t, failover) || within(t, outage) || random.Float64() < lostPings ||
			within(t, flaky) && random.Float64() < 0.4
		s.set("up", 1, of...)
		s.set("softdelete_exporter_config_last_reload_successful", 1, of...)
		s.set("softdelete_exporter_connections_evicted_total", 0, of...)
		if down {
			s.set("db_up", 0, of...)
		} else {
			s.set("db_up", 1, of...)
			ms := 3 + 4*random.Float64()
			if random.Float64() < 0.02 {
				ms = 900 // a single slow answer
			}
			if within(t, saturated) {
				ms += 180
			}
			s.set("db_response_ms", ms, of...)
		}
		for _, check := range []string{"connect", "discovery", "counting", "indexes"} {
			value := 1.0
			if within(t, outage) {
				value = 0
			}
			s.set("softdelete_exporter_check_success", value, append(slices.Clone(of), "datname", "shop", "check", check)...)
		}
		s.step()
	}
	return s.input()
}

// checkMonth evaluates a month and compares the alerts that start to fire on each day with those that are expected.
func checkMonth(b *testing.B, series []input, step int, want []fired, chosen func(rule) bool) {
	b.Helper()
	output, ok := run(b, find(b, "jsonnet")[0], "-e",
		"local m = (import 'mixin.libsonnet') { _config+:: { thresholdOverrides: "+monthLimits+
			" } }; [r for g in m.prometheusRules.groups if g.name == 'softdelete-conditions' for r in g.rules] "+
			"+ [r for g in m.prometheusAlerts.groups for r in g.rules]")
	if !ok {
		b.Fatal(output)
	}
	var rules []rule
	if err := json.Unmarshal([]byte(output), &rules); err != nil {
		b.Fatal(err)
	}
	interval := fmt.Sprintf("%dm", step)
	test := unitTest{
		Interval:    interval,
		InputSeries: marshal(b, series),
	}
	type sample struct {
		Labels string  `json:"labels"`
		Value  float64 `json:"value"`
	}
	for d := range month / day {
		times := map[string]float64{}
		for _, alert := range want {
			if alert.day == d+1 {
				labels := fmt.Sprintf("{alertname=%q}", alert.name)
				if alert.table != "" {
					labels = fmt.Sprintf("{alertname=%q,relname=%q}", alert.name, alert.table)
				}
				times[labels]++
			}
		}
		begun := []sample{}
		for labels, n := range times {
			begun = append(begun, sample{labels, n})
		}
		test.PromQLExprTest = append(test.PromQLExprTest, unitCheck{
			EvalTime: fmt.Sprintf("%dm", (d+1)*day-step),
			// An alert starts if it fires, and did not fire one step before.
			Expr: fmt.Sprintf(`sum by (alertname, relname) (count_over_time((%[1]s unless %[1]s offset %[2]s)[1d:%[2]s]))`,
				`ALERTS{alertstate="firing"}`, interval),
			ExpSamples: marshal(b, begun),
		})
	}
	file := suiteFile{RuleFiles: []string{"rules.json"}, EvaluationInterval: interval, Tests: []unitTest{test}}
	rules = slices.DeleteFunc(rules, func(r rule) bool { return !chosen(r) })
	path := experiment{"month", file, rules}.write(b)
	if output, ok := run(b, find(b, "promtool")[0], "test", "rules", path); !ok {
		b.Error(output)
	}
}

func marshal(b *testing.B, document any) json.RawMessage {
	b.Helper()
	text, err := json.Marshal(document)
	if err != nil {
		b.Fatal(err)
	}
	return text
}

func aboutTables(r rule) bool {
	return r.Record != "" || strings.Contains(r.Annotations["description"], "$labels.relname") ||
		r.Alert == "SoftDeleteTablesWaiting"
}

// BenchmarkMonth is a benchmark and not a test because it takes minutes.
func BenchmarkMonth(b *testing.B) {
	for b.Loop() {
		b.Run("tables", func(b *testing.B) {
			// With longer steps, the rules would lose their memory of the step before (times.bridge).
			const step = 4
			checkMonth(b, tablesOfTheMonth(step), step, []fired{
				{1, "SoftDeleteBulkDelete", "carts", "see whether it is a job; reported once, as there is no history yet"},
				{6, "SoftDeleteBulkDelete", "newsletters", "the same, on the first Saturday"},
				{19, "SoftDeleteBulkDelete", "orders", "stop the purge of the table, and restore the 25,000 orders"},
				{1, "SoftDeleteRatioHigh", "messages",
					"half of the table are deleted rows: shorten the retention, or set limits for this table"},
				{1, "SoftDeleteRatioElevated", "messages", "none, and it is not sent: SoftDeleteRatioHigh inhibits it"},
				{1, "SoftDeleteRatioElevated", "orders",
					"plan a cleanup, or set a limit for this table: two fifths of it are kept for 90 days"},
				{23, "SoftDeleteTableUnreadable", "orders",
					"find out who holds the lock: a forgotten session blocks a migration"},
				{30, "SoftDeletePurgeOverdue", "orders", "start the purge again: its job has disappeared"},
			}, aboutTables)
		})
		b.Run("server", func(b *testing.B) {
			const step = 1
			checkMonth(b, serverOfTheMonth(step), step, []fired{
				{7, "SoftDeleteDatabaseSlow", "", "see what keeps the server busy for an hour in the evening"},
				{13, "SoftDeletePingsFailing", "", "see why pings fail all afternoon, for example because of a firewall"},
				{13, "SoftDeleteDatabaseDown", "", "the same, more urgent: all pings of two minutes failed"},
				{22, "SoftDeleteDatabaseDown", "", "bring the server back; it was down for twelve minutes at night"},
			}, func(r rule) bool { return !aboutTables(r) })
		})
	}
}
