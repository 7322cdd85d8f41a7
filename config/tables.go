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
	// Enabled lets discovery find tables that are not listed.
	Enabled bool `yaml:"enabled"`
	// Include lists patterns of schema.table; if there are any, one must match.
	Include []Pattern `yaml:"include"`
	// Exclude lists patterns of schema.table; none may match.
	Exclude []Pattern `yaml:"exclude"`
	// MaxTables is how many tables of one database are watched at most.
	MaxTables int `yaml:"max_tables"`
	// Rules are the column names to find tables by.
	Rules Rules `yaml:"rules"`
}

// TableName identifies a table.
type TableName struct {
	// Target is the server, as a target of /probe; empty for the server of the connection string.
	Target                  string
	Database, Schema, Table string
}

// full returns the name that patterns are matched against.
func (n TableName) full() string { return n.Schema + "." + n.Table }

// admits reports whether discovery may take a table.
func (d Discovery) admits(n TableName) bool {
	return admit(d.Include, n.full()) && !matchesAny(d.Exclude, n.full())
}

func matchesAny(patterns []Pattern, name string) bool {
	return slices.ContainsFunc(patterns, func(p Pattern) bool { return p.Matches(name) })
}

// admit reports whether patterns admit a name. Without patterns every name is admitted.
func admit(patterns []Pattern, name string) bool {
	return len(patterns) == 0 || matchesAny(patterns, name)
}

// Table is what the user says about one table. Its marker overrides every rule.
type Table struct {
	// Database is the table's database; when empty, every watched database that has the table.
	Database string `yaml:"database,omitempty"`
	// Schema is public when empty.
	Schema string `yaml:"schema,omitempty"`
	// Table is the table's name, without quotes.
	Table         string `yaml:"table"`
	TableSettings `yaml:",inline"`
}

// special finds characters that are common in patterns and rare in names.
var special = regexp.MustCompile(`[*+?|^\\]|\[.*\]|\(.*\)`)

// LooksLikePattern reports whether the table's name looks like a pattern, which belongs under policies.
func (t *Table) LooksLikePattern() bool { return special.MatchString(t.Table) }

// Policy has settings for all tables that match its patterns. Without patterns of a kind, everything matches.
type Policy struct {
	// Tables are patterns of schema.table.
	Tables []Pattern `yaml:"tables,omitempty"`
	// Databases are patterns of the names of databases.
	Databases []Pattern `yaml:"databases,omitempty"`
	// Targets are patterns of targets of /probe. With them the policy applies only to those servers, otherwise
	// also to the server of the connection string.
	Targets       []Pattern `yaml:"targets,omitempty"`
	TableSettings `yaml:",inline"`
}

// matches reports whether a policy applies to a table.
func (p *Policy) matches(n TableName) bool {
	return admit(p.Tables, n.full()) && p.reaches(n.Target, n.Database)
}

// reaches reports whether a policy applies to a database.
func (p *Policy) reaches(target, database string) bool {
	return admit(p.Databases, database) && admit(p.Targets, target)
}

// TableSettings are the settings of tables. An empty setting is taken from the next policy, and finally from
// the defaults.
type TableSettings struct {
	// Ignore leaves the table out.
	Ignore bool `yaml:"ignore,omitempty"`
	// Column is the column that marks deleted rows; discovery's choice when empty.
	Column string `yaml:"column,omitempty"`
	// Kind says how the column marks them, one of the kinds in docs/markers.md; by the column's type when empty.
	Kind softdelete.Kind `yaml:"kind,omitempty"`
	// DeletedValues are the values of the column that mean deleted.
	DeletedValues []string `yaml:"deleted_values,omitempty"`
	// LiveValues are the values that mean live; all others then mean deleted. Do not
	// combine them with deleted_values.
	LiveValues []string `yaml:"live_values,omitempty"`
	// TimeColumn says when a row was deleted, if the column is not a time.
	TimeColumn string `yaml:"time_column,omitempty"`
	// Unit is the unit of an integer time: s, ms, us or ns; by its name or its values when empty.
	Unit softdelete.Unit `yaml:"unit,omitempty"`
	// Future is what a deletion time in the future means: deleted, or live until then; deleted when empty.
	Future discovery.Future `yaml:"future,omitempty"`
	// Retention is how long deleted rows should be kept; the default when empty.
	Retention Retention `yaml:"retention,omitempty"`
	// TimeZone is the zone of a time column without one; the default when empty.
	TimeZone string `yaml:"time_zone,omitempty"`
	// Service is the name of the service that owns the table.
	Service string `yaml:"service,omitempty"`
	// Method is how to count the table: auto, exact, sampled or statistics; the method of counting when empty.
	Method softdelete.Method `yaml:"method,omitempty"`
	// Integrity turns the checks for contradicting rows on or off; the global setting when empty.
	Integrity *bool `yaml:"integrity,omitempty"`
}

// Marker returns the settings of the table's marker.
func (s *TableSettings) Marker() discovery.MarkerConfig {
	return discovery.MarkerConfig{Column: s.Column, TimeColumn: s.TimeColumn, Kind: s.Kind, Live: s.LiveValues,
		Deleted: s.DeletedValues, Unit: s.Unit, Future: s.Future}
}

// saysMarker reports whether the settings say more about the marker than its column.
func (s *TableSettings) saysMarker() bool {
	return s.TimeColumn != "" || s.Kind != "" || s.Unit != "" || s.Future != "" ||
		len(s.DeletedValues)+len(s.LiveValues) > 0
}

// saysMore reports whether there is any setting besides Ignore.
func (s *TableSettings) saysMore() bool {
	return s.Column != "" || s.saysMarker() || s.Retention.Set || s.TimeZone != "" || s.Service != "" ||
		s.Method != "" || s.Integrity != nil
}

// TablesOf returns the configured tables of a database, by schema and table. An entry that names the database
// has precedence over one for all databases.
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

// Settings returns what the configuration says about a table: first its own entry, which is nil if it has none,
// then the policies that match. A policy's marker applies only to tables that have its columns.
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
			s.LiveValues, s.DeletedValues, s.Future = p.LiveValues, p.DeletedValues, p.Future
		}
		if !s.Retention.Set {
			s.Retention = p.Retention
		}
		s.TimeZone, s.Service = cmp.Or(s.TimeZone, p.TimeZone), cmp.Or(s.Service, p.Service)
		s.Method, s.Integrity = cmp.Or(s.Method, p.Method), cmp.Or(s.Integrity, p.Integrity)
	}
	return s
}

// LeftOut returns why the configuration excludes a table, or an empty text if it does not.
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

// MarkerColumns returns the columns that policies name for a database, folded with softdelete.Fold.
func (c *Config) MarkerColumns(target, database string) []string {
	var columns []string
	for i := range c.Policies {
		if p := &c.Policies[i]; p.Column != "" && p.reaches(target, database) {
			columns = append(columns, softdelete.Fold(p.Column), softdelete.Fold(p.TimeColumn))
		}
	}
	return columns
}

// Policy returns the defaults with the settings of a table applied.
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
