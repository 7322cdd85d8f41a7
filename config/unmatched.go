package config

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
)

// Unmatched returns the patterns and names that match nothing, given all tables by watched database. It leaves out
// those for targets of /probe.
func (c *Config) Unmatched(tables map[string][]TableName) []string {
	databases := slices.Sorted(maps.Keys(tables))
	var all []string
	for _, d := range databases {
		all = append(all, names(tables[d])...)
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
				within = append(within, names(tables[d])...)
			}
		}
		if len(within) > 0 {
			u.patterns(field+".tables", p.Tables, "table", within)
		}
	}
	for i, t := range c.Thresholds.Tables {
		what := fmt.Sprintf("there is no table %s.%s", t.Schema, t.Table)
		if t.ByPattern() {
			what = "its patterns match no table"
		}
		found := slices.ContainsFunc(databases, func(database string) bool {
			return slices.ContainsFunc(tables[database],
				func(n TableName) bool { return t.Matches(database, n.Schema, n.Table) })
		})
		if !found {
			u = append(u, fmt.Sprintf("thresholds_file: tables[%d]: %s", i, what))
		}
	}
	return u
}

// names returns the tables' names as patterns see them.
func names(tables []TableName) []string {
	all := make([]string, len(tables))
	for i, n := range tables {
		all[i] = n.full()
	}
	return all
}

type unmatched []string

// patterns adds the patterns that match none of the names.
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

// meant returns a pattern that would match a name, if the given one lacks little: a schema, the rest of a name, the
// right case. Patterns match whole names.
func meant(pattern string, names []string) string {
	for _, form := range []string{`public\.%s`, `.*\.%s`, `%s.*`, `public\.%s.*`, `.*\.%s.*`, `(?i)%s`, `(?i).*\.%s`} {
		better := fmt.Sprintf(form, pattern)
		if e, err := regexp.Compile(whole(better)); err == nil && slices.ContainsFunc(names, e.MatchString) {
			return better
		}
	}
	return ""
}
