package config

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/softdelete-exporter/softdelete_exporter/assess"
)

// Unmatched says which patterns and names match nothing, given all tables as schema.table by
// their watched database. What is for targets of /probe is left out.
func (c *Config) Unmatched(tables map[string][]string) []string {
	databases := slices.Sorted(maps.Keys(tables))
	var all []string
	for _, d := range databases {
		all = append(all, tables[d]...)
	}
	u := unmatched{}
	u.patterns("discovery.include", c.Discovery.Include, "table", all)
	u.patterns("discovery.exclude", c.Discovery.Exclude, "table", all)
	for i := range c.Policies {
		p, field := &c.Policies[i], fmt.Sprintf("policies[%d]", i)
		if len(p.Targets) > 0 {
			continue
		}
		u.patterns(field+".databases", p.Databases, "watched database", databases)
		var within []string
		for _, d := range databases {
			if p.reaches("", d) {
				within = append(within, tables[d]...)
			}
		}
		if len(within) > 0 {
			u.patterns(field+".tables", p.Tables, "table", within)
		}
	}
	for i, t := range c.Thresholds.Tables {
		if t.ByPattern() {
			if !anyMatches(tables, t) {
				u = append(u, fmt.Sprintf("thresholds_file: tables[%d]: its patterns match no table", i))
			}
			continue
		}
		name := t.Schema + "." + t.Table
		if found := tables[t.Database]; t.Database == "" && !slices.Contains(all, name) ||
			t.Database != "" && !slices.Contains(found, name) {
			u = append(u, fmt.Sprintf("thresholds_file: tables[%d]: there is no table %s", i, name))
		}
	}
	return u
}

// anyMatches reports whether limits are for one of the tables.
func anyMatches(tables map[string][]string, t assess.TableThresholds) bool {
	for database, names := range tables {
		for _, name := range names {
			schema, table, _ := strings.Cut(name, ".")
			if t.Matches(database, schema, table) {
				return true
			}
		}
	}
	return false
}

type unmatched []string

// patterns notes those that match none of the names.
func (u *unmatched) patterns(field string, patterns []Pattern, what string, names []string) {
	for _, p := range patterns {
		if slices.ContainsFunc(names, p.Matches) {
			continue
		}
		text := fmt.Sprintf("%s: '%s' matches no %s", field, p.text, what)
		if better := meant(p.text, names); better != "" {
			text += fmt.Sprintf("; did you mean '%s'?", better)
		}
		*u = append(*u, text)
	}
}

// meant is what would match a name, where little is missing: a schema, the rest of a name,
// another case. Patterns match whole names.
func meant(pattern string, names []string) string {
	for _, form := range []string{`public\.%s`, `.*\.%s`, `%s.*`, `public\.%s.*`, `.*\.%s.*`, `(?i)%s`, `(?i).*\.%s`} {
		better := fmt.Sprintf(form, pattern)
		if e, err := regexp.Compile(whole(better)); err == nil && slices.ContainsFunc(names, e.MatchString) {
			return better
		}
	}
	return ""
}
