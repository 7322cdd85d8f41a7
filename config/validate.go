package config

import (
	"errors"
	"fmt"
	"time"
)

// faults collects what is wrong, so that the user sees all of it at once.
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
	if _, err := time.LoadLocation(name); err != nil {
		f.add(field, "%q is not a time zone; write an IANA name such as Europe/Paris", name)
	}
}

// validate returns every fault of the configuration, each naming its field.
func validate(c *Config) error {
	var f faults
	for field, d := range map[string]Duration{
		"ttl": c.TTL, "ping.timeout": c.Ping.Timeout, "scrape.timeout": c.Scrape.Timeout,
		"limits.lock_timeout": c.Limits.LockTimeout, "limits.statement_timeout": c.Limits.StatementTimeout,
		"defaults.retention": c.Defaults.Retention,
	} {
		f.positive(field, d)
	}
	if c.MaxStale <= 3*c.TTL {
		f.add("max_stale", "must be more than three times ttl (%s), not %s, or numbers vanish between refreshes", c.TTL, c.MaxStale)
	}
	if c.Scrape.Offset >= c.Scrape.Timeout {
		f.add("scrape.offset", "must be less than scrape.timeout (%s), not %s", c.Scrape.Timeout, c.Scrape.Offset)
	}
	f.zone("defaults.time_zone", c.Defaults.TimeZone)
	seen := map[[2]string]int{}
	for i := range c.Tables {
		t := &c.Tables[i]
		f.table(fmt.Sprintf("tables[%d]", i), t)
		name := [2]string{t.Schema, t.Table}
		if first, twice := seen[name]; twice {
			f.add(fmt.Sprintf("tables[%d]", i), "%s.%s is listed before, as tables[%d]; keep one", t.Schema, t.Table, first)
		}
		seen[name] = i
	}
	return errors.Join(f...)
}

func (f *faults) table(field string, t *Table) {
	if t.Table == "" {
		f.add(field+".table", "is missing; write the table's name")
	}
	if t.Retention < 0 {
		f.add(field+".retention", "must be more than 0, not %s", t.Retention)
	}
	f.zone(field+".time_zone", t.TimeZone)
}
