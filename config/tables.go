package config

import (
	"cmp"
	"regexp"
	"slices"

	"github.com/softdelete-exporter/softdelete_exporter/discovery"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// Discovery finds tables by the names and types of their columns.
type Discovery struct {
	// Enabled finds tables that are not listed.
	Enabled bool `yaml:"enabled"`
	// Include are patterns of schema.table, of which one must match, if there are any.
	Include []Pattern `yaml:"include"`
	// Exclude are patterns of schema.table, of which none may match.
	Exclude []Pattern `yaml:"exclude"`
	// MaxTables is the most tables of one database that are watched.
	MaxTables int `yaml:"max_tables"`
	// Rules are the names to find them by.
	Rules Rules `yaml:"rules"`
}

// TableName says which table is meant.
type TableName struct {
	// Target is the server, as /probe is asked for it; empty for that of the connection string.
	Target                  string
	Database, Schema, Table string
}

// full is the name that patterns match.
func (n TableName) full() string { return n.Schema + "." + n.Table }

// admits reports whether discovery may take a table.
func (d Discovery) admits(n TableName) bool {
	return admit(d.Include, n.full()) && !matchesAny(d.Exclude, n.full())
}

func matchesAny(patterns []Pattern, name string) bool {
	return slices.ContainsFunc(patterns, func(p Pattern) bool { return p.Matches(name) })
}

// admit reports whether patterns let a name in: where there are none, they let in all.
func admit(patterns []Pattern, name string) bool {
	return len(patterns) == 0 || matchesAny(patterns, name)
}

// Table is what the user knows about one table. What it says of the marker overrides
// every rule.
type Table struct {
	// Database is empty for every watched database that has the table.
	Database string `yaml:"database"`
	// Schema is public when empty.
	Schema string `yaml:"schema"`
	// Table is the table's name, without quotes.
	Table         string `yaml:"table"`
	TableSettings `yaml:",inline"`
}

// special finds what patterns have and names hardly ever.
var special = regexp.MustCompile(`[*+?|^\\]|\[.*\]|\(.*\)`)

// LooksLikePattern reports whether the table is rather a pattern, which belongs elsewhere.
func (t *Table) LooksLikePattern() bool { return special.MatchString(t.Table) }

// Policy is what holds for all tables that match its patterns. Where there are no patterns of
// a kind, all match.
type Policy struct {
	// Tables are patterns of schema.table.
	Tables []Pattern `yaml:"tables"`
	// Databases are patterns of the names of databases.
	Databases []Pattern `yaml:"databases"`
	// Targets are patterns of targets of /probe. The server of the connection string has the
	// empty name among them.
	Targets       []Pattern `yaml:"targets"`
	TableSettings `yaml:",inline"`
}

// matches reports whether a policy holds for a table.
func (p *Policy) matches(n TableName) bool {
	return admit(p.Tables, n.full()) && p.reaches(n.Target, n.Database)
}

// reaches reports whether a policy holds in a database.
func (p *Policy) reaches(target, database string) bool {
	return admit(p.Databases, database) && admit(p.Targets, target)
}

// TableSettings are what can be said of tables. Empty leaves a setting to what comes next.
type TableSettings struct {
	// Ignore leaves the table out.
	Ignore bool `yaml:"ignore"`
	// Column marks deleted rows; discovery's choice when empty.
	Column string `yaml:"column"`
	// Kind is how the column does that, one of the kinds in docs/markers.md; by its type when
	// empty.
	Kind softdelete.Kind `yaml:"kind"`
	// DeletedValues are the values of the column that mean deleted.
	DeletedValues []string `yaml:"deleted_values"`
	// LiveValues are instead the values that mean live, all others being deleted.
	LiveValues []string `yaml:"live_values"`
	// TimeColumn says when a row was deleted, where the column does not.
	TimeColumn string `yaml:"time_column"`
	// Unit is what an integer time counts: s, ms, us or ns; by its name or its values
	// when empty.
	Unit softdelete.Unit `yaml:"unit"`
	// Retention is how long deleted rows are to be kept; the default's when empty.
	Retention Retention `yaml:"retention"`
	// TimeZone is the zone of a time column without one; the default's when empty.
	TimeZone string `yaml:"time_zone"`
	// Service is who answers for the table.
	Service string `yaml:"service"`
	// Method is how to count it; that of counting when empty: auto, exact, sampled or
	// statistics.
	Method softdelete.Method `yaml:"method"`
	// Integrity checks its rows for contradictions, or does not; the global setting when
	// empty.
	Integrity *bool `yaml:"integrity"`
}

// Marker is what the settings say of the table's marker.
func (s *TableSettings) Marker() discovery.MarkerConfig {
	return discovery.MarkerConfig{Column: s.Column, TimeColumn: s.TimeColumn, Kind: s.Kind, Live: s.LiveValues,
		Deleted: s.DeletedValues, Unit: s.Unit}
}

// saysMarker reports whether the settings say more of the marker than its column.
func (s *TableSettings) saysMarker() bool {
	return s.TimeColumn != "" || s.Kind != "" || s.Unit != "" || len(s.DeletedValues)+len(s.LiveValues) > 0
}

// saysMore reports whether there is another setting than Ignore.
func (s *TableSettings) saysMore() bool {
	return s.Column != "" || s.saysMarker() || s.Retention.Set || s.TimeZone != "" || s.Service != "" ||
		s.Method != "" || s.Integrity != nil
}

// TablesOf are the configured tables of a database, by schema and table. An entry
// that names the database goes before one for all.
func (c *Config) TablesOf(database string) map[[2]string]*Table {
	tables := map[[2]string]*Table{}
	for i := range c.Tables {
		t := &c.Tables[i]
		name := [2]string{t.Schema, t.Table}
		if t.Database == database || t.Database == "" && tables[name] == nil {
			tables[name] = t
		}
	}
	return tables
}

// Settings are what the configuration says about a table: its own entry, nil if it has none,
// and then the policies that match. A policy's marker is for the tables that have its columns.
func (c *Config) Settings(n TableName, entry *Table, has func(column string) bool) TableSettings {
	var s TableSettings
	if entry != nil {
		s = entry.TableSettings
	}
	for i := range c.Policies {
		p := &c.Policies[i]
		if !p.matches(n) {
			continue
		}
		s.Ignore = s.Ignore || p.Ignore && entry == nil
		if s.Column == "" && p.Column != "" && has(p.Column) && (p.TimeColumn == "" || has(p.TimeColumn)) {
			s.Column, s.TimeColumn, s.Kind, s.Unit = p.Column, p.TimeColumn, p.Kind, p.Unit
			s.LiveValues, s.DeletedValues = p.LiveValues, p.DeletedValues
		}
		if !s.Retention.Set {
			s.Retention = p.Retention
		}
		s.TimeZone, s.Service = cmp.Or(s.TimeZone, p.TimeZone), cmp.Or(s.Service, p.Service)
		s.Method, s.Integrity = cmp.Or(s.Method, p.Method), cmp.Or(s.Integrity, p.Integrity)
	}
	return s
}

// LeftOut says why a table is not watched whatever its columns are; empty if nothing says so.
func (c *Config) LeftOut(n TableName, entry *Table, s TableSettings) string {
	switch {
	case c.only != nil && !c.only(n, s):
		return "it was not asked for"
	case entry == nil && !c.Discovery.admits(n):
		return "include and exclude under discovery leave it out"
	case s.Ignore && entry != nil:
		return "tables says to ignore it"
	case s.Ignore:
		return "policies says to ignore it"
	}
	return ""
}

// MarkerColumns are the columns that policies name in a database, as softdelete.Fold has them.
func (c *Config) MarkerColumns(target, database string) []string {
	var columns []string
	for i := range c.Policies {
		if p := &c.Policies[i]; p.Column != "" && p.reaches(target, database) {
			columns = append(columns, softdelete.Fold(p.Column), softdelete.Fold(p.TimeColumn))
		}
	}
	return columns
}

// Policy is what the settings of a table make of the defaults.
func (c *Config) Policy(s TableSettings) softdelete.Policy {
	p := softdelete.Policy{Retention: c.Defaults.Retention.For, TimeZone: cmp.Or(s.TimeZone, c.Defaults.TimeZone),
		ZoneKnown: s.TimeZone != "", Service: s.Service, Recent: c.Counting.RecentWindow.Std(),
		Method: cmp.Or(s.Method, c.Counting.Method), Integrity: c.Integrity}
	if s.Retention.Set {
		p.Retention = s.Retention.For
	}
	if s.Integrity != nil {
		p.Integrity = *s.Integrity
	}
	return p
}
