package config

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// What is shown can be loaded again, and is then the same configuration.
func TestAConfigurationIsShownAsItIsInForce(t *testing.T) {
	c, err := load(t, `
ttl: 90s
counting: {exact_max_bytes: 3MB, target_margin: 0.01}
defaults: {retention: none, time_zone: Europe/Berlin}
discovery:
  exclude: ['.*\.tmp_.*']
  rules:
    times: {deletedat: off, "Scrapped on": on}
    copies: {'.*_old': on, 'shop\..*': off}
tables:
  - {table: 'it''s "odd"', column: gone, deleted_values: ["1", "", 'null', "yes"], future: live}
  - {database: a, schema: b, table: c, retention: none, integrity: false}
policies:
  - {tables: ['billing\..*'], databases: [x], targets: ['db:.*'], retention: 30d, service: billing, method: sampled}
probe: {allow: ['db:5432/.*']}
auth_modules:
  a: {user: u, password: 'S3cr3t: "x"', sslmode: require, options: {connect_timeout: "2", sslpassword: S3cr3t}}
  b: {user: v, password_file: /S3cr3t}
`)
	if err != nil {
		t.Fatal(err)
	}
	shown, err := c.YAML()
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(shown), "S3cr3t") {
		t.Errorf("a password is shown:\n%s", shown)
	}
	again, err := load(t, string(shown))
	if err != nil {
		t.Fatalf("%v\n%s", err, shown)
	}
	a, b := c.AuthModules["a"], c.AuthModules["b"]
	a.Password, b.PasswordFile = "xxxxx", filepath.Join(filepath.Dir(again.AuthModules["b"].PasswordFile), "xxxxx")
	a.Options["sslpassword"] = "xxxxx"
	c.AuthModules["a"], c.AuthModules["b"] = a, b
	compare := cmp.Options{
		cmpopts.EquateEmpty(),
		cmp.Comparer(func(a, b Pattern) bool { return a.String() == b.String() }),
		cmp.FilterPath(func(p cmp.Path) bool { return p.Last().String() == ".only" }, cmp.Ignore()),
	}
	if diff := cmp.Diff(c, again, compare); diff != "" {
		t.Errorf("-shown +loaded again:\n%s\n%s", diff, shown)
	}
}
