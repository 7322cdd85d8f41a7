//go:build e2e

package mixin

import (
	"encoding/json"
	"fmt"
	"maps"
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

// clock is minutes since the month began, on a Monday at midnight.
type clock int

func (t clock) weekday() int     { return int(t) / day % 7 }
func (t clock) timeOfDay() int   { return int(t) % day }
func at(days, hours int) clock   { return clock(days*day + hours*hour) }
func (t clock) seconds() float64 { return 60 * float64(t) }

// restarts are when the exporter's pod is replaced, which takes three minutes, and it
// counts for five more.
var restarts = []clock{at(3, 10), at(11, 15), at(17, 9), at(24, 16)}

// pod is which one runs; what is scraped of the one before is gone.
func (t clock) pod() (number int, starting, counting bool) {
	for _, r := range restarts {
		if t >= r {
			number++
			starting, counting = t < r+3, t < r+8
		}
	}
	return number, starting, counting
}

// facts are what the exporter says of a table, by metric without the prefix.
type facts map[string]float64

// absent is no sample.
var absent = math.NaN()

// table is one of the shop's, whose facts are asked for in the order of time.
type table struct {
	name  string
	facts func(clock) facts
}

// counted are the facts of a table with so many active and deleted rows, exactly.
func counted(active, deleted float64) facts {
	return facts{
		"active_rows": active, "deleted_rows": deleted, "total_rows": active + deleted,
		"deletion_ratio": deleted / (active + deleted), "deletion_ratio_margin": 0,
	}
}

// purged adds what is known of ages: rows are deleted steadily, so many a day, kept for
// so many days, and were purged last at a time.
func (f facts) purged(t, last clock, perDay, keep float64) facts {
	f["retention_seconds"] = keep * 86400
	f["oldest_deleted_timestamp_seconds"] = last.seconds() - keep*86400
	f["old_deleted_rows"] = perDay * float64(t-last) / day
	f["old_deleted_rows_margin"] = 0
	return f
}

// every is when something last happened that happens on some weekdays at an hour.
func every(t clock, hours int, weekdays ...int) clock {
	for d := int(t) / day; ; d-- {
		last := at(d, hours)
		if last <= t && slices.Contains(weekdays, ((d%7)+7)%7) {
			return last
		}
	}
}

var (
	daily    = []int{0, 1, 2, 3, 4, 5, 6}
	workdays = []int{0, 1, 2, 3, 4}
)

const (
	saturday = 5
	sunday   = 6
)

// When what goes wrong goes wrong.
var (
	lock      = [2]clock{at(8, 11), at(8, 11) + 20}   // a migration
	longLock  = [2]clock{at(22, 11), at(22, 12) + 10} // another, behind a forgotten session
	imported  = at(9, 11)
	accident  = [2]clock{at(18, 14), at(18, 16)}
	restored  = at(25, 12)
	broken    = at(26, 1)
	failover  = [2]clock{at(14, 10), at(14, 10) + 1}
	outage    = [2]clock{at(21, 3), at(21, 3) + 12}
	flaky     = [2]clock{at(12, 13), at(12, 16)}
	saturated = [2]clock{at(6, 20), at(6, 21)}
)

func within(t clock, span [2]clock) bool { return t >= span[0] && t < span[1] }

// shop is the database's tables.
func shop(random *rand.Rand) []table {
	noise := func(of float64) float64 { return of * (2*random.Float64() - 1) }
	return []table{{
		// Purged every night, until nobody notices that the job is gone. An accident is
		// undone, and a backup of ten days before is restored.
		"orders", func(t clock) facts {
			last := every(t, 2, daily...)
			switch {
			case t >= restored && last < restored:
				last = at(15, 2)
			case t >= broken:
				last = at(26, 2) - day
				if restored > last {
					last = at(26, 2)
				}
				last = min(last, every(t, 2, daily...))
			}
			gone := 0.0
			if within(t, accident) {
				gone = 25000
			}
			f := counted(400000-gone, 90*3000+gone).purged(t, last, 3000, 90)
			f["recently_deleted_rows"] = 125
			if within(t, [2]clock{accident[0], accident[0] + hour}) {
				f["recently_deleted_rows"] += gone
			}
			if within(t, lock) || within(t, longLock) {
				f["problem locked"] = 1
			}
			return f
		},
	}, {
		"events", func(t clock) facts { // purged on Sundays
			f := counted(9e6, 1e6).purged(t, every(t, 4, sunday), 20000, 30)
			f["recently_deleted_rows"] = 800
			return f
		},
	}, {
		"ledger", func(t clock) facts { return counted(3e6, 2e5).purged(t, 2*hour, 500, 365) }, // on the first
	}, {
		// Too large to know the age of its oldest row; purged on workdays.
		"sessions", func(t clock) facts {
			f := counted(45e6, 5e6)
			f["deletion_ratio"], f["deletion_ratio_margin"] = 0.1+noise(0.004), 0.01
			f["old_deleted_rows"] = 4000*float64(t-every(t, 2, workdays...))/day + noise(200)
			f["old_deleted_rows_margin"] = 600 + noise(300)
			f["retention_seconds"] = 30 * 86400
			return f
		},
	}, {
		// A job deletes what was abandoned, every night.
		"carts", func(t clock) facts {
			since := t - every(t, 3, daily...)
			f := counted(2e6+60000*float64(since)/day, 4e5).purged(t, every(t, 2, daily...), 60000, 7)
			f["recently_deleted_rows"] = 0
			if since < hour {
				f["recently_deleted_rows"] = 60000
			}
			return f
		},
	}, {
		// And one on Saturdays.
		"newsletters", func(t clock) facts {
			since := t - every(t, 10, saturday)
			f := counted(5e5+30000*float64(since)/(7*day), 9e4).purged(t, every(t, 4, sunday), 4000, 20)
			f["recently_deleted_rows"] = 0
			if since < hour {
				f["recently_deleted_rows"] = 30000
			}
			return f
		},
	}, {
		// An import brings deleted rows along that are a year old.
		"products", func(t clock) facts {
			f := counted(3e5, 2e4).purged(t, every(t, 2, daily...), 50, 90)
			if t >= imported {
				f = counted(5e5, 5e4).purged(t, every(t, 2, daily...), 50, 90)
				if every(t, 2, daily...) < imported {
					f["oldest_deleted_timestamp_seconds"] = -365 * 86400
					f["old_deleted_rows"] = 30000
				}
			}
			f["recently_deleted_rows"] = 2
			return f
		},
	}, {
		// Sampled, around a half for the whole month.
		"messages", func(t clock) facts {
			ratio := 0.51 + 0.035*math.Sin(2*math.Pi*float64(t)/(2.3*day)) + noise(0.004)
			f := counted(2e7*(1-ratio), 2e7*ratio)
			f["deletion_ratio_margin"] = 0.012 + noise(0.006)
			return f
		},
	}, {
		"settings", func(clock) facts { // small, and never purged
			f := counted(100, 250)
			f["recently_deleted_rows"] = 0
			return f
		},
	}}
}

// samples are the values of a series as promtool writes them, from a number of steps on.
type samples struct {
	values []string
	last   string
	run    int
}

func (s *samples) add(value float64) {
	text := "_"
	if !math.IsNaN(value) {
		text = fmt.Sprintf("%.10g", value)
	} else if s.last != "_" && s.last != "stale" && s.last != "" {
		text = "stale" // what is scraped no longer is gone at once
	}
	if text == s.last && text != "stale" {
		s.run++
		return
	}
	s.flush()
	s.last, s.run = text, 0
}

func (s *samples) flush() {
	switch {
	case s.last == "":
	case s.run == 0:
		s.values = append(s.values, s.last)
	default:
		// The first, and as many more; of nothing all are counted.
		if s.last == "_" {
			s.values = append(s.values, fmt.Sprintf("_x%d", s.run+1))
		} else {
			s.values = append(s.values, fmt.Sprintf("%s+0x%d", s.last, s.run))
		}
	}
}

func (s *samples) text() string {
	s.flush()
	s.last = ""
	return strings.Join(s.values, " ")
}

// scraped collects series, step by step; what is not said in a step is absent.
type scraped struct {
	steps  int
	series map[string]*samples
	now    map[string]float64
}

func (s *scraped) say(metric string, value float64, labels ...string) {
	var b strings.Builder
	b.WriteString(metric + `{job="softdelete",instance="shop-db"`)
	for i := 0; i < len(labels); i += 2 {
		fmt.Fprintf(&b, ",%s=%q", labels[i], labels[i+1])
	}
	s.now[b.String()+"}"] = value
}

func (s *scraped) step() {
	for name := range s.now {
		if s.series[name] == nil {
			s.series[name] = &samples{}
			for range s.steps {
				s.series[name].add(absent)
			}
		}
	}
	for name, series := range s.series {
		value, said := s.now[name]
		if !said {
			value = absent
		}
		series.add(value)
	}
	s.steps++
	s.now = map[string]float64{}
}

type input struct {
	Series string `json:"series"`
	Values string `json:"values"`
}

func (s *scraped) input() (all []input) {
	for _, name := range slices.Sorted(maps.Keys(s.series)) {
		all = append(all, input{name, s.series[name].text()})
	}
	return all
}

func newScraped() *scraped {
	return &scraped{series: map[string]*samples{}, now: map[string]float64{}}
}

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
			labels := []string{"pod", pod, "service", "softdelete-exporter", "datname", "shop", "schemaname", "public", "relname", table.name}
			s.say("softdelete_table_info", 1, append(slices.Clone(labels), "marker", "deleted_at", "kind", "timestamp", "table_service", "shop")...)
			if counting {
				continue
			}
			f["checked_timestamp_seconds"] = t.seconds()
			if reason := "problem locked"; f[reason] > 0 {
				s.say("softdelete_table_problem", 1, append(slices.Clone(labels), "reason", "locked")...)
				delete(f, reason)
				f["checked_timestamp_seconds"] = max(lock[0].seconds(), longLock[0].seconds()*min(1, math.Floor(t.seconds()/longLock[0].seconds())))
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
		down := within(t, failover) || within(t, outage) || random.Float64() < 0.003 || within(t, flaky) && random.Float64() < 0.4
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
	output, ok := run(t, find(t, "jsonnet")[0], "-e", "local m = (import 'mixin.libsonnet') { _config+:: { thresholdOverrides: "+monthLimits+
		" } }; [r for g in m.prometheusRules.groups if g.name == 'softdelete-conditions' for r in g.rules] + [r for g in m.prometheusAlerts.groups for r in g.rules]")
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
					"expr": fmt.Sprintf(`sum by (alertname, relname) (count_over_time((ALERTS{alertstate="firing"} unless ALERTS{alertstate="firing"} offset %s)[%dd:%s]))`,
						interval, month/day, interval),
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
			"SoftDeleteBulkDelete carts":       {1, "is it a job? In the first night somebody says that it is, and is never asked again"},
			"SoftDeleteBulkDelete newsletters": {1, "the same for the first Saturday"},
			"SoftDeleteBulkDelete orders":      {1, "25,000 orders are gone: stop the purge of the table, and restore them"},
			"SoftDeleteRatioHigh messages":     {1, "half of the table is deleted rows: shorten the retention, or give the table limits of its own"},
			"SoftDeleteRatioElevated messages": {1, "none beside the one before, which silences it"},
			"SoftDeleteRatioElevated orders":   {1, "plan a cleanup, or accept that two fifths of the table are kept for 90 days, in a limit of its own"},
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
