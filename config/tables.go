package config

import (
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

	// only narrows it further; nil does not.
	only func(schema, table string) bool
}

// Admits tells whether discovery may take a table.
func (d Discovery) Admits(schema, table string) bool {
	name := schema + "." + table
	if d.only != nil && !d.only(schema, table) {
		return false
	}
	return (len(d.Include) == 0 || matchesAny(d.Include, name)) && !matchesAny(d.Exclude, name)
}

func matchesAny(patterns []Pattern, name string) bool {
	return slices.ContainsFunc(patterns, func(p Pattern) bool { return p.Matches(name) })
}

// Table is what the user knows about one table. What it says of the marker overrides
// every rule.
type Table struct {
	// Database is empty for every watched database that has the table.
	Database string `yaml:"database"`
	// Schema is public when empty.
	Schema string `yaml:"schema"`
	// Table is the table's name, without quotes.
	Table string `yaml:"table"`
	// Ignore leaves the table out.
	Ignore bool `yaml:"ignore"`
	// Column marks deleted rows; discovery's choice when empty.
	Column string `yaml:"column"`
	// Kind is how the column does that; by its type when empty: timestamp, sentinel, epoch,
	// flag, inverted_flag, number, letter or status.
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

// Marker is what the entry says of the table's marker.
func (t *Table) Marker() discovery.MarkerConfig {
	return discovery.MarkerConfig{Column: t.Column, TimeColumn: t.TimeColumn, Kind: t.Kind, Live: t.LiveValues,
		Deleted: t.DeletedValues, Unit: t.Unit}
}

// saysMarker tells whether the entry says more of the marker than its column.
func (t *Table) saysMarker() bool {
	return t.TimeColumn != "" || t.Kind != "" || t.Unit != "" || len(t.DeletedValues)+len(t.LiveValues) > 0
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

// Service groups tables by who answers for them.
type Service struct {
	// Name is the value of the label.
	Name string `yaml:"name"`
	// Tables are patterns of schema.table.
	Tables []Pattern `yaml:"tables"`
}

// Policy is what the configuration says about a table; entry is nil for a table
// that it does not list.
func (c *Config) Policy(schema, table string, entry *Table) softdelete.Policy {
	p := softdelete.Policy{Retention: c.Defaults.Retention.For, TimeZone: c.Defaults.TimeZone,
		Recent: c.Counting.RecentWindow.Std(), Method: c.Counting.Method, Integrity: c.Integrity}
	for _, s := range c.Services {
		if matchesAny(s.Tables, schema+"."+table) {
			p.Service = s.Name
			break
		}
	}
	if entry == nil {
		return p
	}
	if entry.Retention.Set {
		p.Retention = entry.Retention.For
	}
	if entry.TimeZone != "" {
		p.TimeZone, p.ZoneKnown = entry.TimeZone, true
	}
	if entry.Service != "" {
		p.Service = entry.Service
	}
	if entry.Method != "" {
		p.Method = entry.Method
	}
	if entry.Integrity != nil {
		p.Integrity = *entry.Integrity
	}
	return p
}
