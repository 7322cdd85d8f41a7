package config

import (
	"fmt"
	"regexp"
	"slices"
)

// Narrow returns the configuration for a look at some of the tables only: those of
// one database, those that match a pattern, those of one service. Empty means all.
// The others are not even counted.
func (c *Config) Narrow(database, table, service string) (*Config, error) {
	narrow := *c
	if database != "" {
		narrow.Databases = Databases{Names: []string{database}}
	}
	pattern, err := regexp.Compile(whole(table))
	if err != nil {
		return nil, fmt.Errorf("%q is not a pattern: %w; write an RE2 regular expression for schema.table", table, err)
	}
	wanted := func(schema, name string, entry *Table) bool {
		return (table == "" || pattern.MatchString(schema+"."+name)) &&
			(service == "" || c.Policy(schema, name, entry).Service == service)
	}
	narrow.Tables = slices.Clone(c.Tables)
	for i := range narrow.Tables {
		t := &narrow.Tables[i]
		t.Ignore = t.Ignore || !wanted(t.Schema, t.Table, t)
	}
	narrow.Discovery.only = func(schema, name string) bool { return wanted(schema, name, nil) }
	return &narrow, nil
}
