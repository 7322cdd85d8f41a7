package config

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/softdelete-exporter/softdelete_exporter/assess"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// For each setting, the first place that has it decides: the table's own entry, then the policies in their order.
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
		// name is target|database|schema.table; columns are the table's columns.
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

// Every example in docs/recipes.md can be loaded, and sets something.
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

// Patterns that match nothing are reported, with what was probably meant.
func TestPatternsThatMatchNothingAreSaid(t *testing.T) {
	c, err := load(t, `
discovery:
  include: ['public\..*', 'audit_.*', 'nothing', 'PUBLIC\.users']
  exclude: ['public\.tmp', 'public\.audit_.*']
policies:
  - {tables: ['users', 'app\.users'], service: a}
  - {databases: [shop, Shop, warehouse], tables: ['app\..*'], retention: 1d}
  - {databases: [gone], tables: ['app\..*', 'nothing'], retention: 1d}
  - {targets: ['db:.*'], tables: [nothing], databases: [gone], retention: 1d}
`)
	if err != nil {
		t.Fatal(err)
	}
	a, b := 0.1, "x"
	c.Thresholds.Tables = []assess.TableThresholds{
		{Schema: "app", Table: "users", BulkRows: &a}, {Schema: "app", Table: "orders"},
		{Database: "archive", Schema: "app", Table: "users"}, {Database: b, Schema: "app", Table: "users"},
		{Schemas: pattern(t, "app|none")}, {Databases: pattern(t, "archive"), Schemas: pattern(t, "app")},
		{Schemas: pattern(t, `a\.b`)}, {Schema: "a.b", Table: "c"},
	}
	got := c.Unmatched(map[string][]TableName{
		"shop": {{Schema: "app", Table: "users"}, {Schema: "public", Table: "audit_log"},
			{Schema: "public", Table: "tmp_1"}, {Schema: "public", Table: "users"}, {Schema: "a.b", Table: "c"}},
		"archive": {{Schema: "public", Table: "users"}},
	})
	want := []string{
		`discovery.include: 'audit_.*' matches no table; did you mean 'public\.audit_.*'?`,
		`discovery.include: 'nothing' matches no table`,
		`discovery.include: 'PUBLIC\.users' matches no table; did you mean '(?i)PUBLIC\.users'?`,
		`discovery.exclude: 'public\.tmp' matches no table; did you mean 'public\.tmp.*'?`,
		`policies[0].tables: 'users' matches no table; did you mean 'public\.users'?`,
		`policies[1].databases: 'Shop' matches no watched database; did you mean '(?i)Shop'?`,
		`policies[1].databases: 'warehouse' matches no watched database`,
		`policies[2].databases: 'gone' matches no watched database`,
		`thresholds_file: tables[1]: there is no table app.orders`,
		`thresholds_file: tables[2]: there is no table app.users`,
		`thresholds_file: tables[3]: there is no table app.users`,
		`thresholds_file: tables[5]: its patterns match no table`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func pattern(t *testing.T, expression string) *assess.Pattern {
	t.Helper()
	p := &assess.Pattern{}
	if err := p.UnmarshalText([]byte(expression)); err != nil {
		t.Fatal(err)
	}
	return p
}

// Relative paths in the configuration start at its own folder.
func TestFilesLieBesideTheConfiguration(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	write("limits.json", `{"bulk_rows": 7}`)
	c, err := Load(defaults(t), write("config.yaml", `
thresholds_file: limits.json
auth_modules:
  m: {user: u, password_file: secret, sslmode: verify-full, sslrootcert: system, sslcert: /etc/c, sslkey: keys/k}
`))
	if err != nil {
		t.Fatal(err)
	}
	m := c.AuthModules["m"]
	got := []any{c.Thresholds.BulkRows, m.PasswordFile, m.SSLRootCert, m.SSLCert, m.SSLKey}
	want := []any{7.0, filepath.Join(dir, "secret"), "system", "/etc/c", filepath.Join(dir, "keys/k")}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// An error about a wrong type uses the terms of the file, not those of the program.
func TestWrongTypesAreToldInWordsOfTheFile(t *testing.T) {
	for text, want := range map[string][2]string{
		"limits: {connections: many}":                                   {"the text `many`", "a number"},
		"integrity: often":                                              {"the text `often`", "true or false"},
		"databases: {names: shop}":                                      {"the text `shop`", "a list"},
		"databases: {names: [[shop]]}":                                  {"a list", "a text"},
		"discovery: {include: 'a'}":                                     {"the text `a`", "a list"},
		"tables: {table: users}":                                        {"a group of settings", "a list"},
		"tables: [users]":                                               {"the text `users`", "a group of settings"},
		"policies: [{tables: 'a'}]":                                     {"the text `a`", "a list"},
		"policies: [{deleted_values: 1}]":                               {"the number `1`", "a list"},
		"counting: {target_margin: small}":                              {"the text `small`", "a number"},
		"counting: {method: [auto]}":                                    {"a list", "a text"},
		"auth_modules: {m: {user: u, options: {connect_timeout: [1]}}}": {"a list", "a text"},
		"ping: 2s": {"the text `2s`", "a group of settings"},
	} {
		_, err := load(t, text)
		says := want[0] + " cannot stand where " + want[1] + " is expected"
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v, want it to say %q", text, err, says)
		}
	}
}

// A pasted suggestion is refused until its placeholder is filled in.
func TestWhatWasNotFilledInIsRefused(t *testing.T) {
	for _, entry := range []string{
		"column: <fill in>", "column: a, time_column: <fill in>", "column: a, deleted_values: [x, <fill in>]",
		"column: a, live_values: [<fill in>]", "retention: <fill in>", "column: a, unit: <fill in>",
	} {
		for _, text := range []string{"tables: [{table: t, " + entry + "}]", "policies: [{" + entry + "}]"} {
			if _, err := load(t, text); err == nil || !strings.Contains(err.Error(), softdelete.FillIn) {
				t.Errorf("%s: %v", text, err)
			}
		}
	}
}
