package config

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/softdelete-exporter/softdelete_exporter/conninfo"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// faults collects the errors, so that the user sees all of them at once.
type faults []error

func (f *faults) add(field, format string, args ...any) {
	*f = append(*f, fmt.Errorf("%s: %s", field, fmt.Sprintf(format, args...)))
}

func (f *faults) positive(field string, d Duration) {
	if d <= 0 {
		f.add(field, "must be more than 0, not %s", d)
	}
}

func (f *faults) zone(field, name string) {
	// Go accepts an empty name for UTC and "Local" for the zone of this machine; PostgreSQL accepts neither.
	if _, err := time.LoadLocation(name); err != nil || name == "" || name == "Local" {
		f.add(field, "%q is not a time zone; write an IANA name such as Europe/Paris", name)
	}
}

// validate returns every error of the configuration; each names its field.
func validate(c *Config) error {
	var f faults
	for _, setting := range []struct {
		field string
		value Duration
	}{
		{"ttl", c.TTL},
		{"ping.timeout", c.Ping.Timeout},
		{"scrape.timeout", c.Scrape.Timeout},
		{"limits.lock_timeout", c.Limits.LockTimeout},
		{"limits.statement_timeout", c.Limits.StatementTimeout},
		{"probe.idle", c.Probe.Idle},
	} {
		f.positive(setting.field, setting.value)
	}
	if c.MaxStale <= 3*c.TTL {
		f.add("max_stale", "must be more than three times ttl (%s), not %s, or numbers would disappear between refreshes",
			c.TTL,
			c.MaxStale)
	}
	if c.Scrape.Offset >= c.Scrape.Timeout {
		f.add("scrape.offset", "must be less than scrape.timeout (%s), not %s", c.Scrape.Timeout, c.Scrape.Offset)
	}
	if c.Probe.Idle <= c.Scrape.Timeout {
		f.add("probe.idle",
			"must be more than scrape.timeout (%s), not %s, or a target would be forgotten while it is being probed",
			c.Scrape.Timeout, c.Probe.Idle)
	}
	if c.Limits.LockTimeout >= c.Limits.StatementTimeout {
		f.add("limits.lock_timeout",
			"must be less than limits.statement_timeout (%s), not %s, or every locked table looks slow",
			c.Limits.StatementTimeout, c.Limits.LockTimeout)
	}
	if c.Limits.Connections < 2 {
		f.add("limits.connections", "must be at least 2, one for the ping and one for the tables, not %d",
			c.Limits.Connections)
	}
	if c.Ping.When != "scrape" && c.Ping.When != "refresh" {
		f.add("ping.when", "must be scrape or refresh, not %q", c.Ping.When)
	}
	if c.Databases.All && len(c.Databases.Names) > 0 {
		f.add("databases", "all and names contradict each other; keep one")
	}
	for i, name := range c.Databases.Names {
		if name == "" {
			f.add("databases.names", "%q is not a name; remove it", name)
		} else if slices.Contains(c.Databases.Names[:i], name) {
			f.add("databases.names", "%q is listed twice; keep one", name)
		}
	}
	if c.Discovery.MaxTables < 1 {
		f.add("discovery.max_tables", "must be at least 1, not %d; to watch only listed tables set discovery.enabled: false",
			c.Discovery.MaxTables)
	}
	f.rules(c.Discovery.Rules)
	f.counting(c)
	f.zone("defaults.time_zone", c.Defaults.TimeZone)
	f.tables(c)
	for i := range c.Policies {
		f.policy(fmt.Sprintf("policies[%d]", i), &c.Policies[i])
	}
	for _, name := range slices.Sorted(maps.Keys(c.AuthModules)) {
		f.authModule("auth_modules."+name, c.AuthModules[name])
	}
	return errors.Join(f...)
}

func (f *faults) tables(c *Config) {
	seen := map[[3]string]int{}
	for i, t := range c.Tables {
		field := fmt.Sprintf("tables[%d]", i)
		if t.Table == "" {
			f.add(field+".table", "is missing; write the table's name")
			continue
		}
		f.filledIn(field+".table", t.Table)
		f.settings(field, &t.TableSettings)
		name := [3]string{t.Database, t.Schema, t.Table}
		if first, twice := seen[name]; twice {
			f.add(field, "%s.%s is listed before, as tables[%d]; keep one", t.Schema, t.Table, first)
		}
		seen[name] = i
	}
}

// filledIn checks that no value is a placeholder of a suggestion.
func (f *faults) filledIn(field string, values ...string) {
	if slices.Contains(values, softdelete.FillIn) {
		f.add(field, "replace %s with the value for your tables", softdelete.FillIn)
	}
}

// policy checks one of the policies.
func (f *faults) policy(field string, p *Policy) {
	if !p.Ignore && !p.saysMore() {
		f.add(field, "sets nothing; write a setting for the tables, such as retention: 30d")
	}
	f.settings(field, &p.TableSettings)
}

// settings checks the settings of tables.
func (f *faults) settings(field string, s *TableSettings) {
	f.filledIn(field+".column", s.Column)
	f.filledIn(field+".time_column", s.TimeColumn)
	f.filledIn(field+".deleted_values", s.DeletedValues...)
	f.filledIn(field+".live_values", s.LiveValues...)
	if s.TimeZone != "" {
		f.zone(field+".time_zone", s.TimeZone)
	}
	if s.Method != "" {
		f.method(field+".method", s.Method)
	}
	if s.Ignore && s.saysMore() {
		f.add(field+".ignore", "is true, so nothing else can be set there; remove one or the other")
	}
	f.marker(field, s)
}

func (f *faults) authModule(field string, m AuthModule) {
	if m.User == "" {
		f.add(field+".user", "is missing; write the role to log in as")
	}
	if m.Password != "" && m.PasswordFile != "" {
		f.add(field, "password and password_file contradict each other; keep one")
	}
	f.parameters(field, m.fields())
	f.parameters(field+".options", m.Options)
	for _, name := range slices.Sorted(maps.Keys(m.Options)) {
		if other := elsewhere[name]; other != "" {
			f.add(field+".options."+name, "%s", other)
		}
		if m.fields()[name] != "" {
			f.add(field+".options."+name, "is set twice; remove it, or %s.%s", field, name)
		}
	}
	if info, err := m.parameters(); err == nil {
		if _, err := info.WithDefaults(func(string) string { return "" }); err != nil {
			f.add(field, "%v", err)
		}
	}
}

// parameters checks each connection parameter separately.
func (f *faults) parameters(field string, settings map[string]string) {
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		if _, err := conninfo.New(map[string]string{name: settings[name]}); err != nil {
			f.add(field+"."+name, "%s", strings.TrimPrefix(err.Error(), name+" "))
		}
	}
}

// elsewhere lists the parameters that are not allowed as options of an auth module. Some of them would send the
// password to a server other than the target.
var elsewhere = map[string]string{
	"host": "is given by the target", "hostaddr": "is given by the target", "port": "is given by the target",
	"dbname":      "is given by the target",
	"service":     "is not allowed; the target gives the server",
	"servicefile": "is not allowed; the target gives the server",
	"user":        "belongs in user", "password": "belongs in password",
}
