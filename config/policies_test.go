package config

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// For each setting the first that has it decides: the table's own entry, then the policies
// in their order.
func TestTheFirstThatHasASettingDecides(t *testing.T) {
	c, err := load(t, `
policies:
  - {tables: ['billing\..*'], retention: 365d, service: billing}
  - {tables: ['.*\.audit_.*'], retention: none}
  - {databases: ['archive_.*'], method: statistics, retention: 3650d}
  - {targets: ['db2:5432/.*'], retention: 7d, service: copies}
  - {tables: ['legacy\..*'], column: gone, kind: letter}
  - {tables: ['.*'], column: Removed_On, time_column: Removed_At}
  - {tables: ['public\.tmp_.*'], ignore: true}
tables:
  - {table: audit_logins, retention: 30d}
  - {table: tmp_kept}
  - {table: own, column: mine}
`)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		// name is target|database|schema.table, and the columns that the table has.
		name, columns, want string
	}{
		{"|shop|billing.invoices", "", "8760h0m0s billing"},
		{"|shop|billing.audit_log", "", "8760h0m0s billing"},
		{"|shop|public.audit_log", "", "none"},
		{"|shop|public.audit_logins", "", "720h0m0s"},
		{"|archive_1|public.users", "", "87600h0m0s statistics"},
		{"|archive_1|public.audit_log", "", "none statistics"},
		{"db1:5432/shop|shop|public.users", "", "2160h0m0s"},
		{"db2:5432/shop|shop|public.users", "", "168h0m0s copies"},
		{"|shop|legacy.users", "gone Removed_On Removed_At", "2160h0m0s gone letter"},
		{"|shop|legacy.users", "Removed_On Removed_At", "2160h0m0s Removed_On Removed_At"},
		{"|shop|public.users", "Removed_On gone", "2160h0m0s"},
		{"|shop|public.own", "Removed_On Removed_At mine", "2160h0m0s mine"},
		{"|shop|public.tmp_1", "", "left: policies says to ignore it"},
		{"|shop|public.tmp_kept", "", "2160h0m0s"},
	} {
		parts := regexp.MustCompile(`^(.*)\|(.*)\|(.*)\.(.*)$`).FindStringSubmatch(test.name)
		name := TableName{Target: parts[1], Database: parts[2], Schema: parts[3], Table: parts[4]}
		entry := c.TablesOf(name.Database)[[2]string{name.Schema, name.Table}]
		s := c.Settings(name, entry, func(column string) bool { return strings.Contains(test.columns, column) })
		p := c.Policy(s)
		got := "none"
		if p.Retention > 0 {
			got = p.Retention.String()
		}
		if p.Method != "auto" {
			got += " " + string(p.Method)
		}
		for _, text := range []string{p.Service, s.Column, s.TimeColumn, string(s.Kind)} {
			if text != "" {
				got += " " + text
			}
		}
		if why := c.LeftOut(name, entry, s); why != "" {
			got = "left: " + why
		}
		if got != test.want {
			t.Errorf("%s (%s): %q, want %q", test.name, test.columns, got, test.want)
		}
	}
	if diff := cmp.Diff([]string{"gone", "", "removedon", "removedat"}, c.MarkerColumns("", "shop")); diff != "" {
		t.Errorf("the columns that policies name (-want +got):\n%s", diff)
	}
}

// Every wish in docs/recipes.md is a file that loads, and says something.
func TestRecipesLoad(t *testing.T) {
	text, err := os.ReadFile("../docs/recipes.md")
	if err != nil {
		t.Fatal(err)
	}
	recipes := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllStringSubmatch(string(text), -1)
	if len(recipes) < 10 {
		t.Errorf("there are %d recipes, want ten at least", len(recipes))
	}
	for _, recipe := range recipes {
		c, err := load(t, recipe[1])
		if err != nil {
			t.Errorf("%s\n%v", recipe[1], err)
			continue
		}
		plain, err := load(t, "")
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(plain, c, cmpopts.IgnoreUnexported(Config{}), cmp.Comparer(func(a, b Pattern) bool {
			return a.String() == b.String()
		})); diff == "" {
			t.Errorf("a recipe changes nothing:\n%s", recipe[1])
		}
	}
}
