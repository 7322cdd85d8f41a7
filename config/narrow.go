package config

import (
	"fmt"
	"regexp"
)

// Narrow returns the configuration restricted to some tables: those of one database, those that match a
// pattern, those of one service. An empty argument means all. The other tables are not counted.
func (c *Config) Narrow(database, table, service string) (*Config, error) {
	narrow := *c
	if database != "" {
		narrow.Databases = Databases{Names: []string{database}}
	}
	pattern, err := regexp.Compile(whole(table))
	if err != nil {
		return nil, fmt.Errorf("%q is not a pattern: %w; write an RE2 regular expression for schema.table", table, err)
	}
	narrow.only = func(n TableName, s TableSettings) bool {
		return (table == "" || pattern.MatchString(n.full())) && (service == "" || s.Service == service)
	}
	return &narrow, nil
}
