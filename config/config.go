// Package config is what the user may say: a strict YAML file over the built-in
// defaults, every fault reported at once, each naming its field.
package config

import (
	"fmt"
	"time"

	"github.com/prometheus/common/model"
	"go.yaml.in/yaml/v3"

	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// Config is the whole configuration. Its defaults stand in config.yaml alone.
type Config struct {
	// TTL is how long a snapshot is served before a scrape starts to make a new one.
	TTL Duration `yaml:"ttl"`
	// MaxStale is how long numbers that can no longer be confirmed are shown.
	MaxStale  Duration  `yaml:"max_stale"`
	Ping      Ping      `yaml:"ping"`
	Scrape    Scrape    `yaml:"scrape"`
	Limits    Limits    `yaml:"limits"`
	Defaults  Defaults  `yaml:"defaults"`
	Discovery Discovery `yaml:"discovery"`
	Tables    []Table   `yaml:"tables"`
}

// Ping is the live connection check.
type Ping struct {
	// Timeout bounds connecting, reopening and the query together.
	Timeout Duration `yaml:"timeout"`
}

// Scrape is how long a scrape may take.
type Scrape struct {
	// Timeout is the deadline of a scrape that sends none.
	Timeout Duration `yaml:"timeout"`
	// Offset is how long before the deadline the answer is sent.
	Offset Duration `yaml:"offset"`
}

// Limits protect the database.
type Limits struct {
	LockTimeout      Duration `yaml:"lock_timeout"`
	StatementTimeout Duration `yaml:"statement_timeout"`
}

// Defaults hold for every table that does not say otherwise.
type Defaults struct {
	Retention Duration `yaml:"retention"`
	TimeZone  string   `yaml:"time_zone"`
}

// Discovery finds tables by the names and types of their columns.
type Discovery struct {
	Enabled bool `yaml:"enabled"`
	// Times and Flags are the names that discovery knows, folded: lower case,
	// letters and digits only.
	Times []string `yaml:"times"`
	Flags []string `yaml:"flags"`
}

// Rules are the names that discovery goes by.
func (d Discovery) Rules() softdelete.Rules { return softdelete.Rules{Times: d.Times, Flags: d.Flags} }

// Table is what the user knows about one table.
type Table struct {
	Schema string `yaml:"schema"`
	Table  string `yaml:"table"`
	// Column marks deleted rows; TimeColumn says when, where Column does not.
	Column     string   `yaml:"column"`
	TimeColumn string   `yaml:"time_column"`
	Retention  Duration `yaml:"retention"`
	TimeZone   string   `yaml:"time_zone"`
}

// UnmarshalYAML reads a table over the defaults of its fields.
// This form of the method, unlike the one of a node, keeps unknown fields an error.
func (t *Table) UnmarshalYAML(unmarshal func(any) error) error {
	type plain Table
	*t = Table{Schema: "public"}
	return unmarshal((*plain)(t))
}

// Policy is what the configuration says about a table: entry is nil for a table
// that it does not list.
func (c *Config) Policy(entry *Table) softdelete.Policy {
	p := softdelete.Policy{Retention: time.Duration(c.Defaults.Retention), TimeZone: c.Defaults.TimeZone}
	if entry == nil {
		return p
	}
	if entry.Retention != 0 {
		p.Retention = time.Duration(entry.Retention)
	}
	if entry.TimeZone != "" {
		p.TimeZone, p.ZoneKnown = entry.TimeZone, true
	}
	return p
}

// Duration is a time.Duration written like 100ms, 5m, 6h or 90d.
type Duration time.Duration

// Std is the duration as the standard library has it.
func (d Duration) Std() time.Duration { return time.Duration(d) }

// String writes the duration as the file does.
func (d Duration) String() string { return model.Duration(d).String() }

// UnmarshalYAML reads the duration as the file has it.
func (d *Duration) UnmarshalYAML(node *yaml.Node) error {
	parsed, err := model.ParseDuration(node.Value)
	if err != nil {
		return &yaml.TypeError{Errors: []string{fmt.Sprintf("line %d: %q is not a duration; write one like 100ms, 5m, 6h or 90d", node.Line, node.Value)}}
	}
	*d = Duration(parsed)
	return nil
}
