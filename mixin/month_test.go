//go:build e2e

package mixin

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// Thirty days of a shop, evaluated by promtool: its jobs, purges and deployments, and
// what goes wrong. Each alert that fires asks somebody for something; one that asks for
// nothing does not belong here.

const (
	minute = 1
	hour   = 60 * minute
	day    = 24 * hour
	month  = 30 * day
)

// told is an alert of the month: how often it fires, and what it asks for.
type told struct {
	times  int
	action string
}

// monthLimits are what the shop says of its purges.
const monthLimits = `{ tables: [
	{ schema: 'public', table: 'events', purge_period_seconds: 7 * 86400 },
	{ schema: 'public', table: 'newsletters', purge_period_seconds: 7 * 86400 },
	{ schema: 'public', table: 'ledger', purge_period_seconds: 31 * 86400 },
] }`

// tablesOfTheMonth is what is scraped of the tables.
func tablesOfTheMonth(step int) []input {
	random := rand.New(rand.NewPCG(1, 2))
	s, all := newScraped(), shop(random)
	for t := clock(0); t < month; t += clock(step) {
		number, starting, counting := t.pod()
		pod := fmt.Sprintf("exporter-%d", number)
		missed := random.Float64() < 0.005
		for _, table := range all {
			f := table.facts(t)
			if starting || missed || within(t, outage) {
				continue
			}
			labels := []string{"pod", pod, "service", "softdelete-exporter", "datname", "shop", "schemaname", "public",
				"relname", table.name}
			s.say("softdelete_table_info", 1, append(slices.Clone(labels), "marker", "deleted_at", "kind", "timestamp",
				"table_service", "shop")...)
			if counting {
				continue
			}
			f["checked_timestamp_seconds"] = t.seconds()
			if reason := "problem locked"; f[reason] > 0 {
				s.say("softdelete_table_problem", 1, append(slices.Clone(labels), "reason", "locked")...)
				delete(f, reason)
				f["checked_timestamp_seconds"] = max(lock[0].seconds(),
					longLock[0].seconds()*min(1, math.Floor(t.seconds()/longLock[0].seconds())))
			}
			for fact, value := range f {
				s.say("softdelete_"+fact, value, labels...)
			}
		}
		if !starting && !missed && !within(t, outage) {
			of := []string{"pod", pod, "service", "softdelete-exporter"}
			pending := 0.0
			if counting {
				pending = float64(len(all))
			}
			s.say("softdelete_exporter_time_seconds", t.seconds(), of...)
			s.say("softdelete_exporter_ttl_seconds", 300, of...)
			s.say("softdelete_exporter_tables", pending, append(of, "datname", "shop", "state", "pending")...)
			s.say("softdelete_exporter_tables", float64(len(all))-pending, append(of, "datname", "shop", "state", "counted")...)
		}
		s.step()
	}
	return s.input()
}

// serverOfTheMonth is what is scraped of the server: its pings and checks.
func serverOfTheMonth(step int) []input {
	random := rand.New(rand.NewPCG(3, 4))
	s := newScraped()
	for t := clock(0); t < month; t += clock(step) {
		number, starting, _ := t.pod()
		of := []string{"pod", fmt.Sprintf("exporter-%d", number), "service", "softdelete-exporter"}
		if starting || random.Float64() < 0.005 {
			s.say("up", 0, of...)
			s.step()
			continue
		}
		down := within(t, failover) || within(t, outage) || random.Float64() < 0.003 ||
			within(t, flaky) && random.Float64() < 0.4
		s.say("up", 1, of...)
		s.say("softdelete_exporter_config_last_reload_successful", 1, of...)
		s.say("softdelete_exporter_connections_evicted_total", 0, of...)
		if down {
			s.say("db_up", 0, of...)
		} else {
			s.say("db_up", 1, of...)
			ms := 3 + 4*random.Float64()
			if random.Float64() < 0.02 {
				ms = 900 // one answer that had to wait
			}
			if within(t, saturated) {
				ms += 180
			}
			s.say("db_response_ms", ms, of...)
		}
		for _, check := range []string{"connect", "discovery", "counting", "indexes"} {
			value := 1.0
			if within(t, outage) {
				value = 0
			}
			s.say("softdelete_exporter_check_success", value, append(slices.Clone(of), "datname", "shop", "check", check)...)
		}
		s.step()
	}
	return s.input()
}

// firings runs a month and returns how often each alert fired, by its name and table.
func firings(t *testing.T, series []input, step int, want map[string]told, chosen func(rule map[string]any) bool) {
	t.Helper()
	output, ok := run(t, find(t, "jsonnet")[0], "-e",
		"local m = (import 'mixin.libsonnet') { _config+:: { thresholdOverrides: "+monthLimits+
			" } }; [r for g in m.prometheusRules.groups if g.name == 'softdelete-conditions' for r in g.rules] "+
			"+ [r for g in m.prometheusAlerts.groups for r in g.rules]")
	if !ok {
		t.Fatal(output)
	}
	var all, rules []map[string]any
	if err := json.Unmarshal([]byte(output), &all); err != nil {
		t.Fatal(err)
	}
	for _, rule := range all {
		if chosen(rule) {
			rules = append(rules, rule)
		}
	}
	type sample struct {
		Labels string  `json:"labels"`
		Value  float64 `json:"value"`
	}
	var samples []sample
	for key, alert := range want {
		name, table, _ := strings.Cut(key, " ")
		labels := fmt.Sprintf("{alertname=%q}", name)
		if table != "" {
			labels = fmt.Sprintf("{alertname=%q,relname=%q}", name, table)
		}
		samples = append(samples, sample{labels, float64(alert.times)})
	}
	interval := fmt.Sprintf("%dm", step)
	dir := t.TempDir()
	for file, content := range map[string]any{
		"rules.json": map[string]any{"groups": []any{map[string]any{"name": "month", "rules": rules}}},
		"test.json": map[string]any{
			"rule_files": []string{"rules.json"}, "evaluation_interval": interval,
			"tests": []any{map[string]any{
				"interval": interval, "input_series": series,
				"promql_expr_test": []any{map[string]any{
					"eval_time": fmt.Sprintf("%dm", month-step),
					// What fires and did not a step before, has begun.
					"expr": fmt.Sprintf(
						`sum by (alertname, relname) (count_over_time((%[1]s unless %[1]s offset %[2]s)[%[3]dd:%[2]s]))`,
						`ALERTS{alertstate="firing"}`, interval, month/day),
					"exp_samples": samples,
				}},
			}},
		},
	} {
		text, err := json.Marshal(content)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, file), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if output, ok := run(t, find(t, "promtool")[0], "test", "rules", filepath.Join(dir, "test.json")); !ok {
		t.Error(output)
	}
}

func aboutTables(rule map[string]any) bool {
	if rule["record"] != nil {
		return true
	}
	text := fmt.Sprint(rule["annotations"])
	return strings.Contains(text, "$labels.relname") || rule["alert"] == "SoftDeleteTablesWaiting"
}

func TestEachAlertOfAMonthAsksForSomething(t *testing.T) {
	t.Run("tables", func(t *testing.T) {
		t.Parallel()
		// A step more would end what the rules remember of the one before.
		const step = 4
		firings(t, tablesOfTheMonth(step), step, map[string]told{
			"SoftDeleteBulkDelete carts": {1,
				"is it a job? In the first night somebody says that it is, and is never asked again"},
			"SoftDeleteBulkDelete newsletters": {1, "the same for the first Saturday"},
			"SoftDeleteBulkDelete orders":      {1, "25,000 orders are gone: stop the purge of the table, and restore them"},
			"SoftDeleteRatioHigh messages": {1,
				"half of the table is deleted rows: shorten the retention, or give the table limits of its own"},
			"SoftDeleteRatioElevated messages": {1, "none beside the one before, which silences it"},
			"SoftDeleteRatioElevated orders": {1,
				"plan a cleanup, or accept that two fifths of the table are kept for 90 days, in a limit of its own"},
			"SoftDeleteTableUnreadable orders": {1, "see who holds the lock: a forgotten session keeps a migration waiting"},
			"SoftDeletePurgeOverdue orders":    {1, "start the purge again: its job is gone"},
		}, aboutTables)
	})
	t.Run("server", func(t *testing.T) {
		t.Parallel()
		const step = 1
		firings(t, serverOfTheMonth(step), step, map[string]told{
			"SoftDeleteDatabaseDown": {1, "bring the server back: twelve minutes at night"},
			"SoftDeletePingsFailing": {1, "see why pings fail for an afternoon: a firewall that forgets connections"},
			"SoftDeleteDatabaseSlow": {1, "see what keeps the server busy for an hour of the evening"},
		}, func(rule map[string]any) bool { return !aboutTables(rule) })
	})
}
