package config

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestNarrowLooksAtNothingElse(t *testing.T) {
	c, err := load(t, `
discovery: {exclude: ['public\.old_.*']}
policies:
  - {service: billing, tables: ['public\.invoices', 'public\.old_invoices']}
tables:
  - {table: users, service: accounts}
  - {database: archive, table: invoices, service: accounts}
  - {table: outbox, ignore: true}
`)
	if err != nil {
		t.Fatal(err)
	}
	tables := []string{"invoices", "old_invoices", "orders", "outbox", "users"}
	for _, test := range []struct {
		name, table, service string
		// shop and archive are the tables watched in each database.
		shop, archive string
	}{
		{"everything", "", "", "invoices orders users", "invoices orders users"},
		{"a table", `public\.orders`, "", "orders", "orders"},
		{"a pattern matches the whole name", `public\.o`, "", "", ""},
		{"a listed table", `public\.users`, "", "users", "users"},
		{"what is ignored stays so", `public\.outbox`, "", "", ""},
		{"what is excluded stays so", `.*old_invoices`, "", "", ""},
		{"a service of patterns", "", "billing", "invoices", ""},
		{"a service of entries", "", "accounts", "users", "invoices users"},
		{"both", `.*\.users`, "billing", "", ""},
	} {
		narrow, err := c.Narrow("", test.table, test.service)
		if err != nil {
			t.Fatal(err)
		}
		for database, want := range map[string]string{"shop": test.shop, "archive": test.archive} {
			entries := narrow.TablesOf(database)
			watched := slices.DeleteFunc(slices.Clone(tables), func(name string) bool {
				table, entry := TableName{Database: database, Schema: "public", Table: name}, entries[[2]string{"public", name}]
				return narrow.LeftOut(table, entry, narrow.Settings(table, entry, nil)) != ""
			})
			if got := strings.Join(watched, " "); got != want {
				t.Errorf("%s, in %s: %q, want %q", test.name, database, got, want)
			}
		}
	}
	if c.LeftOut(TableName{Schema: "public", Table: "orders"}, nil, TableSettings{}) != "" {
		t.Error("the configuration itself was changed")
	}
}

func TestNarrowVisitsOneDatabase(t *testing.T) {
	c, err := load(t, "databases: {all: true}")
	if err != nil {
		t.Fatal(err)
	}
	narrow, err := c.Narrow("shop", "", "")
	if diff := cmp.Diff(Databases{Names: []string{"shop"}}, narrow.Databases); diff != "" || err != nil {
		t.Errorf("databases (-want +got): %v\n%s", err, diff)
	}
	if _, err := c.Narrow("", "(", ""); err == nil || !strings.Contains(err.Error(), "RE2") {
		t.Error(err)
	}
}
