//go:build e2e

package monitoring

import (
	"fmt"
	"maps"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/softdelete-exporter/softdelete_exporter/internal/pgserver"
	"github.com/softdelete-exporter/softdelete_exporter/internal/pgserver/pgtest"
)

// shopConfig is the exporter's configuration: the services that the example's routes name, and times that match those
// of compressed.jsonnet.
const shopConfig = `
ttl: 1s
max_stale: 1m
scrape: {offset: 100ms}
counting: {recent_window: 20s, recount_after: 2s} # what is locked shows only when it is counted
tables:
  - {database: shop, table: reviews, retention: 1h}
policies:
  - {service: accounts, tables: ['public\.(messages|sessions)']}
  - {service: shop, tables: ['public\.(carts|orders)']}
  - {service: catalogue, tables: ['public\.(products|reviews)']}
probe: {allow: ['127\.0\.0\.1:\d+/\w+']}
auth_modules:
  monitoring: {user: postgres, sslmode: disable}
`

// alert is an alert that must arrive.
type alert struct {
	name, severity, receiver string
	// labels identify its subject.
	labels map[string]string
	// description is the text. An ellipsis replaces a number that cannot be predicted.
	description string
}

// outage is a fault of the whole server, or of the exporter.
type outage struct {
	make, heal func(t *testing.T)
	alerts     []alert
	// lasting alerts take longer to resolve. The next outage does not wait for that.
	lasting []alert
}

// flap switches between bad and good until the returned function is called, which leaves it good.
func flap(t *testing.T, bad, good func()) (end func()) {
	t.Helper()
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			for _, turn := range []struct {
				do   func()
				last time.Duration
			}{{bad, 1300 * time.Millisecond}, {good, 1700 * time.Millisecond}} {
				turn.do()
				select {
				case <-stop:
					good()
					return
				case <-time.After(turn.last):
				}
			}
		}
	}()
	var once sync.Once
	end = func() { once.Do(func() { close(stop); <-stopped }) }
	t.Cleanup(end)
	return end
}

// Everything is real: the server, its tables and their faults, the exporter, each installed version of Prometheus, and
// Alertmanager. Only the times of the rules are shorter.
func TestAlertsArriveAndResolve(t *testing.T) {
	pg := pgtest.Start(t, pgserver.Options{})
	dsn := pg.DSN("shop", pgserver.Superuser)
	for _, database := range []string{"shop", "warehouse"} {
		pgtest.Exec(t, pg.DSN("postgres", pgserver.Superuser), "CREATE DATABASE "+database)
	}
	pgtest.Exec(t, pg.DSN("warehouse", pgserver.Superuser),
		"CREATE TABLE parts AS SELECT now() AS deleted_at, i FROM generate_series(1, 10) i; INSERT INTO parts SELECT "+
			"NULL, i FROM generate_series(1, 100) i")
	front := pgtest.NewFront(t, dsn)

	binary, own := build(t), freeAddress(t)
	scrapes := newScrapes(t, own)
	address := scrapes.address
	config := write(t, "config.yaml", shopConfig)
	startExporter := func() *program {
		return start(t, "http://"+address+"/-/ready", []string{"DATA_SOURCE_NAME=" + front.DSN}, binary,
			"--config.file="+config, "--web.listen-address="+own)
	}
	target := fmt.Sprintf("127.0.0.1:%d/warehouse", pg.Port)
	const cluster = " in cluster production"
	about := func(table string) string { return "public." + table + " in database shop behind " + address + cluster }
	labelled := func(table, service string, more ...string) map[string]string {
		labels := map[string]string{"job": "softdelete", "instance": address, "datname": "shop", "schemaname": "public",
			"relname": table, "service": service}
		for i := 0; i < len(more); i += 2 {
			labels[more[i]] = more[i+1]
		}
		return labels
	}
	tables := troubles(about, labelled)
	for _, trouble := range tables {
		pgtest.Exec(t, dsn, trouble.setup)
	}
	exporter := startExporter()
	scraped := map[string]string{"job": "softdelete", "instance": address}
	probed := map[string]string{"job": "softdelete_probe", "instance": target}
	watch := func(text string) {
		if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := exporter.cmd.Process.Signal(syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
	}
	of := func(database string, labels map[string]string, more ...string) map[string]string {
		labels = maps.Clone(labels)
		labels["datname"] = database
		for i := 0; i < len(more); i += 2 {
			labels[more[i]] = more[i+1]
		}
		return labels
	}
	var calm func() // ends the flapping
	outages := []outage{{
		make: func(*testing.T) { front.Behave(pgtest.Slow) },
		heal: func(*testing.T) { front.Behave(pgtest.Forwarding) },
		alerts: []alert{
			{"SoftDeleteDatabaseSlow", "warning", "databases", scraped,
				"A SELECT 1 on the database behind " + address + cluster +
					" took … ms, the median of the last 4s; the limit is 100 ms."},
		},
	}, {
		make: func(t *testing.T) {
			calm = flap(t, func() { front.Behave(pgtest.Starting); front.HangUp() }, func() { front.Behave(pgtest.Forwarding) })
		},
		heal: func(*testing.T) { calm() },
		alerts: []alert{
			{"SoftDeletePingsFailing", "warning", "databases", scraped,
				"Of the pings of the last 16s … have failed to reach the database behind " + address + cluster +
					"; the limit is 25%."},
		},
	}, {
		make: func(t *testing.T) {
			if err := pg.Halt(); err != nil {
				t.Fatal(err)
			}
		},
		heal: func(t *testing.T) {
			if err := pg.Restart(t.Context()); err != nil {
				t.Fatal(err)
			}
		},
		alerts: []alert{
			{"SoftDeleteDatabaseDown", "critical", "on-call", scraped,
				"The database behind " + address + cluster +
					" did not answer a single SELECT 1 within the ping timeout for 6s."},
			{"SoftDeleteDatabaseDown", "critical", "on-call", probed,
				"The database behind " + target + cluster + " did not answer a single SELECT 1 within the ping timeout for 6s."},
		},
	}, {
		// First some tables are left out, then the database cannot be read at all.
		make: func(t *testing.T) {
			watch(edit(t, shopConfig, "recent_window: 20s,", "pass_time: 1ms, recent_window: 20s,") +
				"discovery: {max_tables: 5}\n")
			await(t, "a table to be skipped", func() bool {
				return strings.Contains(get(t, "http://"+address+"/metrics"),
					`softdelete_exporter_tables{datname="shop",state="skipped"} 1`)
			})
			watch("ttl: soon\n")
		},
		heal: func(*testing.T) { watch(shopConfig) },
		alerts: []alert{
			{"SoftDeleteTablesSkipped", "warning", "databases", of("shop", scraped),
				"1 tables of database shop behind " + address + cluster +
					" that use soft delete are not watched: there are more than the exporter watches at most."},
			{"SoftDeleteTablesWaiting", "warning", "databases", of("shop", scraped),
				"… tables of database shop behind " + address + cluster +
					" have not been counted for more than 12 times the exporter's ttl, or never: " +
					"the budget of a refresh does not suffice."},
			{"SoftDeleteTablesWaiting", "warning", "databases", of("warehouse", probed),
				"… tables of database warehouse behind " + target + cluster +
					" have not been counted for more than 12 times the exporter's ttl, or never: " +
					"the budget of a refresh does not suffice."},
			{"SoftDeleteReloadFailed", "warning", "databases", scraped,
				"The last reload of the configuration of the exporter at " + address + cluster +
					" failed: it goes on with the one before, and would not start with the new one. Its log says what is wrong."},
		},
	}, {
		// Other scrapes fail meanwhile. They do not while pings are slow: on a busy machine all would take too long.
		make: func(*testing.T) {
			watch(shopConfig + "discovery: {exclude: ['public\\.parts']}\n")
			scrapes.failing.Store(true)
		},
		heal: func(*testing.T) { watch(shopConfig); scrapes.failing.Store(false) },
		alerts: []alert{
			{"SoftDeleteNothingWatched", "warning", "databases", probed,
				"The exporter has found no table that uses soft delete behind " + target + cluster + "."},
		},
		lasting: []alert{
			{"SoftDeleteScrapesFailing", "warning", "databases", scraped,
				"Of the scrapes of " + address + cluster + " in the last 16s … have failed; the limit is 25%."},
		},
	}, {
		// The connection of the ping is already open.
		make: func(t *testing.T) { pgtest.Exec(t, dsn, "ALTER DATABASE warehouse ALLOW_CONNECTIONS false") },
		heal: func(t *testing.T) { pgtest.Exec(t, dsn, "ALTER DATABASE warehouse ALLOW_CONNECTIONS true") },
		alerts: []alert{
			{"SoftDeleteCheckFailing", "warning", "databases", of("warehouse", probed, "check", "connect"),
				"For 15s the check connect of database warehouse behind " + target + cluster +
					" has failed, though the server answers: the exporter cannot connect to it, and its tables are not watched."},
		},
	}, {
		make: func(t *testing.T) { exporter.stop(t) },
		heal: func(*testing.T) { exporter = startExporter() },
		alerts: []alert{
			{"SoftDeleteExporterDown", "warning", "databases", scraped,
				"The scrape of " + address + cluster + " has failed for 6s: nothing is known about its database."},
			{"SoftDeleteExporterDown", "warning", "databases", probed,
				"The scrape of " + target + cluster + " has failed for 6s: nothing is known about its database."},
		},
	}}

	rules := compile(t, "compressed.jsonnet")
	monitors := map[string]monitor{}
	for _, binary := range find(t, "prometheus") {
		alertmanager, told := startAlertmanager(t)
		p := startPrometheus(t, binary, watched{address, target}.watch(t, rules, alertmanager))
		monitors[binary] = monitor{p, alertmanager, told, t.Name() + " " + binary}
	}
	for _, m := range monitors {
		await(t, "a verdict on each table", func() bool {
			return len(m.query(t, "table:softdelete_health:max == 0")) == len(tables)+1
		})
	}
	// At least as long as the time between two purges.
	time.Sleep(6 * time.Second)
	for name, m := range monitors {
		if told := m.told.notices(); len(told) > 0 {
			t.Fatalf("%s: in good health somebody is told %+v", name, told)
		}
	}

	var all []alert
	for _, trouble := range tables {
		trouble.make(t, dsn)
		all = append(all, trouble.alerts...)
	}
	// The information about the same table fires, too, but the warning silences it.
	silent := []string{
		alert{name: "SoftDeleteOldRowsElevated", severity: "info", labels: labelled("messages", "accounts")}.String(),
		alert{name: "SoftDeleteRatioElevated", severity: "info", labels: labelled("carts", "shop")}.String(),
	}
	for _, m := range monitors {
		m.await(t, "firing", all)
		if diff := cmp.Diff(silent, inhibited(t, m.alertmanager)); diff != "" {
			t.Errorf("%s: silent: -want +got:\n%s", m.name, diff)
		}
		if got := m.query(t, `instance:softdelete_health:max{job="softdelete"} == 3`); len(got) != 1 {
			t.Errorf("the server is not called poor: %v", m.query(t, "instance:softdelete_health:max"))
		}
	}
	for _, trouble := range tables {
		trouble.heal(t, dsn)
	}
	for _, m := range monitors {
		m.await(t, "resolved", all)
	}
	for _, o := range outages {
		o.make(t)
		for _, m := range monitors {
			m.await(t, "firing", slices.Concat(o.alerts, o.lasting))
		}
		o.heal(t)
		for _, m := range monitors {
			m.await(t, "resolved", o.alerts)
		}
		all = slices.Concat(all, o.alerts, o.lasting)
	}
	for _, m := range monitors {
		m.await(t, "resolved", all)
	}
	// No other notification arrived, not even when a warning resolved that had silenced another alert.
	for name, m := range monitors {
		want := map[string]int{}
		for _, a := range all {
			want[a.String()] = 1
		}
		if diff := cmp.Diff(want, m.fired()); diff != "" {
			t.Errorf("%s: how often each alert fired: -want +got:\n%s", name, diff)
		}
	}
}

// String returns the alert in the form of describe.
func (a alert) String() string {
	labels := maps.Clone(a.labels)
	labels["alertname"], labels["severity"] = a.name, a.severity
	return describe(labels)
}

// monitor is a Prometheus, its Alertmanager, and the notifications that it sends.
type monitor struct {
	prometheus
	alertmanager string
	told         *recorder
	name         string
}

// await waits until each alert has been sent with this status, and compares its labels and its texts with the expected
// ones.
func (m monitor) await(t *testing.T, status string, alerts []alert) {
	t.Helper()
	for _, a := range alerts {
		var found notice
		await(t, fmt.Sprintf("%s: %s to be %s", m.name, a, status), func() bool {
			told := m.told.notices()
			i := slices.IndexFunc(told, func(n notice) bool { return n.Status == status && describe(n.Labels) == a.String() })
			if i >= 0 {
				found = told[i]
			}
			return i >= 0
		})
		labels := maps.Clone(a.labels)
		labels["alertname"], labels["severity"], labels["cluster"] = a.name, a.severity, "production"
		if diff := cmp.Diff(labels, found.Labels); diff != "" {
			t.Errorf("%s: labels of %s: -want +got:\n%s", m.name, a, diff)
		}
		if found.Receiver != a.receiver {
			t.Errorf("%s: %s is told to %s, want %s", m.name, a, found.Receiver, a.receiver)
		}
		before, after, _ := strings.Cut(a.description, "…")
		if got := found.Annotations["description"]; !strings.HasPrefix(got, before) || !strings.HasSuffix(got, after) ||
			(before == a.description && got != before) {
			t.Errorf("%s: %s says\n%s\nwant\n%s", m.name, a, got, a.description)
		}
		if found.Annotations["summary"] == "" {
			t.Errorf("%s: %s has no summary", m.name, a)
		}
		runbook, err := url.Parse(found.Annotations["runbook_url"])
		if err != nil || runbook.Fragment != strings.ToLower(a.name) {
			t.Errorf("%s: the runbook of %s is %q", m.name, a, found.Annotations["runbook_url"])
		}
	}
}

// fired returns how often each alert fired.
func (m monitor) fired() map[string]int {
	starts := map[string]map[time.Time]bool{}
	for _, n := range m.told.notices() {
		key := describe(n.Labels)
		if starts[key] == nil {
			starts[key] = map[time.Time]bool{}
		}
		starts[key][n.StartsAt] = true
	}
	fired := map[string]int{}
	for key, at := range starts {
		fired[key] = len(at)
	}
	return fired
}
