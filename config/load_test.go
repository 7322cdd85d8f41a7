package config

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

func defaults(t testing.TB) []byte {
	t.Helper()
	text, err := os.ReadFile("../config.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// load reads a file with the given text on top of the defaults.
func load(t testing.TB, text string) (*Config, error) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "config.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return Load(defaults(t), file)
}

func TestDefaultsAreThoseOfTheContract(t *testing.T) {
	c, err := Load(defaults(t), "")
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name      string
		got, want any
	}{
		{"ttl", c.TTL.Std(), 300 * time.Second},
		{"max_stale", c.MaxStale.Std(), time.Hour},
		{"ping.timeout", c.Ping.Timeout.Std(), 2 * time.Second},
		{"ping.when", c.Ping.When, "scrape"},
		{"scrape.timeout", c.Scrape.Timeout.Std(), 10 * time.Second},
		{"scrape.offset", c.Scrape.Offset.Std(), 500 * time.Millisecond},
		{"limits.lock_timeout", c.Limits.LockTimeout.Std(), 100 * time.Millisecond},
		{"limits.statement_timeout", c.Limits.StatementTimeout.Std(), time.Second},
		{"limits.connections", c.Limits.Connections, 20},
		{"defaults.retention", c.Defaults.Retention.For, 90 * 24 * time.Hour},
		{"defaults.time_zone", c.Defaults.TimeZone, "UTC"},
		{"discovery.max_tables", c.Discovery.MaxTables, 2000},
		{"counting.method", c.Counting.Method, softdelete.Auto},
		{"counting.exact_max_bytes", c.Counting.ExactMaxBytes, Bytes(64 << 20)},
		{"counting.recount_after", c.Counting.RecountAfter.Std(), 6 * time.Hour},
		{"counting.recent_window", c.Counting.RecentWindow.Std(), time.Hour},
		{"counting.pass_time", c.Counting.PassTime.Std(), 60 * time.Second},
		{"counting.pass_blocks", c.Counting.PassBlocks, 20_000},
		{"integrity", c.Integrity, false},
		{"probe.idle", c.Probe.Idle.Std(), time.Hour},
		{"probe.allow", len(c.Probe.Allow), 0},
	} {
		if diff := cmp.Diff(test.want, test.got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.name, diff)
		}
	}
}

func TestASettingThatIsLeftOutKeepsItsDefault(t *testing.T) {
	c, err := load(t, "ttl: 1m\ntables:\n  - table: users\n")
	if err != nil {
		t.Fatal(err)
	}
	if c.TTL.Std() != time.Minute || c.MaxStale.Std() != time.Hour || c.Tables[0].Schema != "public" {
		t.Errorf("ttl %s, max_stale %s, schema %q", c.TTL, c.MaxStale, c.Tables[0].Schema)
	}
}

// Integrity checks can be switched on and off for all tables, and for one.
func TestATableHasTheLastWordOnIntegrity(t *testing.T) {
	const tables = "tables:\n  - {table: checked, integrity: true}\n  - {table: left, integrity: false}\n  - " +
		"{table: silent}\n"
	for text, want := range map[string][]bool{tables: {true, false, false},
		"integrity: true\n" + tables: {true, false, true}} {
		c, err := load(t, text)
		if err != nil {
			t.Fatal(err)
		}
		for i, entry := range c.Tables {
			if got := c.Policy(entry.TableSettings).Integrity; got != want[i] {
				t.Errorf("%s with %q: %t", entry.Table, text, got)
			}
		}
		if got := c.Policy(c.Settings(TableName{Schema: "public", Table: "found"}, nil, nil)).Integrity; got != c.Integrity {
			t.Errorf("a table that is not listed with %q: %t", text, got)
		}
	}
}

func TestAnEmptyFileSaysNothing(t *testing.T) {
	if _, err := load(t, ""); err != nil {
		t.Error(err)
	}
}

// Each file in testdata contains errors, and comments that quote the message expected for each.
func TestEveryFaultIsReportedAtOnceAndNamesItsPlace(t *testing.T) {
	files, err := filepath.Glob("testdata/*.bad.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no files: %v", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			_, fault := Load(defaults(t), file)
			if fault == nil {
				t.Fatal("was accepted")
			}
			said := 0
			for line := range strings.Lines(string(text)) {
				_, want, found := strings.Cut(strings.TrimSpace(line), "# says: ")
				if !found {
					continue
				}
				said++
				if !strings.Contains(fault.Error(), want) {
					t.Errorf("the error does not say %q:\n%s", want, fault)
				}
			}
			if got := strings.Count(fault.Error(), "\n") + 1; got != said {
				t.Errorf("%d faults are reported, want %d:\n%s", got, said, fault)
			}
			if regexp.MustCompile(`config\.[A-Z]`).MatchString(fault.Error()) {
				t.Errorf("the error speaks of Go's types:\n%s", fault)
			}
		})
	}
}

func TestAMissingFileIsNamed(t *testing.T) {
	_, err := Load(defaults(t), "no/such/file.yaml")
	if err == nil || !strings.Contains(err.Error(), "no/such/file.yaml") {
		t.Error(err)
	}
}

func TestPolicyOfATable(t *testing.T) {
	c, err := load(t, `
policies:
  - {service: billing, tables: ['billing\..*', 'public\.invoices?']}
  - {service: late, tables: ['public\..*']}
tables:
  - table: invoices
    retention: none
  - table: users
    retention: 30d
    time_zone: Europe/Paris
    service: accounts
    method: exact
`)
	if err != nil {
		t.Fatal(err)
	}
	day := 24 * time.Hour
	for _, test := range []struct {
		schema, table string
		want          softdelete.Policy
	}{
		{"billing", "items", softdelete.Policy{Service: "billing", Retention: 90 * day, TimeZone: "UTC", Recent: time.Hour,
			Method: softdelete.Auto}},
		{"other", "public.invoice", softdelete.Policy{Retention: 90 * day, TimeZone: "UTC", Recent: time.Hour,
			Method: softdelete.Auto}},
		{"public", "invoices", softdelete.Policy{Service: "billing", TimeZone: "UTC", Recent: time.Hour,
			Method: softdelete.Auto}},
		{"public", "users", softdelete.Policy{Service: "accounts", Retention: 30 * day, TimeZone: "Europe/Paris",
			ZoneKnown: true, Recent: time.Hour, Method: softdelete.Exact}},
	} {
		entry := c.TablesOf("shop")[[2]string{test.schema, test.table}]
		settings := c.Settings(TableName{Database: "shop", Schema: test.schema, Table: test.table}, entry, nil)
		if diff := cmp.Diff(test.want, c.Policy(settings)); diff != "" {
			t.Errorf("%s.%s (-want +got):\n%s", test.schema, test.table, diff)
		}
	}
}

func TestAnEntryForOneDatabaseGoesBeforeOneForAll(t *testing.T) {
	c, err := load(t, `
tables:
  - {database: shop, table: users, column: gone}
  - {table: users, column: deleted}
`)
	if err != nil {
		t.Fatal(err)
	}
	users := [2]string{"public", "users"}
	if got := c.TablesOf("shop")[users].Column; got != "gone" {
		t.Errorf("in shop the column is %q", got)
	}
	if got := c.TablesOf("other")[users].Column; got != "deleted" {
		t.Errorf("elsewhere the column is %q", got)
	}
}

func TestPatternsMatchTheWholeName(t *testing.T) {
	c, err := load(t, `discovery: {include: ['public\.user|app\..*'], exclude: ['app\.tmp_.*']}`)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]bool{
		"public.user": true, "public.users": false, "xpublic.user": false, "app.orders": true, "app.tmp_1": false,
		"app.a\nb": true,
	} {
		schema, table, _ := strings.Cut(name, ".")
		if got := c.LeftOut(TableName{Schema: schema, Table: table}, nil, TableSettings{}) == ""; got != want {
			t.Errorf("%s is let in: %t", name, got)
		}
	}
}

func TestMonitoringCanBeSwitchedOff(t *testing.T) {
	t.Setenv("SOFT_DELETE_ENABLE_MONITORING", "false")
	if c, err := Load(defaults(t), ""); err != nil || c.Monitoring {
		t.Errorf("Monitoring is on, or %v", err)
	}
	t.Setenv("SOFT_DELETE_ENABLE_MONITORING", "maybe")
	if _, err := Load(defaults(t), ""); err == nil || !strings.Contains(err.Error(), "SOFT_DELETE_ENABLE_MONITORING") {
		t.Errorf("err = %v", err)
	}
}

func TestAWrongVariableIsNoFaultOfTheFile(t *testing.T) {
	t.Setenv("SOFT_DELETE_ENABLE_MONITORING", "maybe")
	_, err := load(t, "ttl: -1s")
	for line := range strings.Lines(err.Error()) {
		if of := strings.Contains(line, "config.yaml: "); of == strings.Contains(line, "SOFT_DELETE") {
			t.Errorf("the file is blamed: %t: %s", of, line)
		}
	}
	if _, err := load(t, ""); err == nil || strings.Contains(err.Error(), ".yaml") {
		t.Errorf("the file is blamed: %v", err)
	}
}

func TestADocumentThatEndsIsOneDocument(t *testing.T) {
	for _, text := range []string{"---\nttl: 1m\n", "ttl: 1m\n...\n", "# nothing\n", "---\n"} {
		if _, err := load(t, text); err != nil {
			t.Errorf("%q: %v", text, err)
		}
	}
}
