package config

import (
	"testing"

	"github.com/softdelete-exporter/softdelete_exporter/discovery"
)

// Tables for copies, tables for planned deletions and tables of tools are recognized by their names, in every
// spelling. A name that only contains such a word is not recognized.
func TestTablesAreKnownByTheirNames(t *testing.T) {
	flag := []discovery.Column{{Name: "is_deleted", Type: "bool"}}
	time := []discovery.Column{{Name: "deleted_at", Type: "timestamptz"}}
	required := []discovery.Column{{Name: "deleted_at", Type: "timestamptz", NotNull: true,
		Born: []string{"1970-01-01"}}}
	both := []discovery.Column{flag[0], time[0]}
	for _, test := range []struct {
		schema, table string
		columns       []discovery.Column
		rules         string
		watched       bool
	}{
		{"public", "user_history", flag, "", false},
		{"public", "user_histories", flag, "", false},
		{"public", "UserHistories", flag, "", false},
		{"public", "UserHistory", flag, "", false},
		{"public", "USER_HISTORY", flag, "", false},
		{"public", "HTTPCallHistories", flag, "", false},
		{"public", "S3History", flag, "", false},
		{"public", "ΧρήστηςHistories", flag, "", false},
		{"public", "prehistory", flag, "", true},
		{"public", "users", flag, "", true},
		{"public", "user_audits", flag, "", false},
		{"public", "customer_AUD", flag, "", false},
		{"public", "fraud", flag, "", true},
		{"public", "PostVersions", flag, "", false},
		{"public", "conversions", flag, "", true},
		{"public", "Conversions", flag, "", true},
		{"public", "pending_deletions", flag, "", false},
		{"public", "UserPendingDeletions", flag, "", false},
		{"public", "deletedUsers", flag, "", false},
		{"repack", "table_16390", flag, "", false},
		{"public", "table_16390", flag, "", true},
		{"partman", "template_public_orders", time, "", false},
		{"public", "template_public_orders", time, "", true},
		{"public", "pgosc_st_users_815029", time, "", false},
		// A pattern without an escaped dot is matched against the table's name only.
		{"deleted_2024", "users", flag, "", true},
		{"public", "post_versions", time, "", true},
		{"public", "PostRevisions", time, "", true},
		{"public", "post_history", time, "", false},
		{"public", "post_versions", both, "", false},
		{"public", "post_versions", required, "", false},
		{"public", "post_versions", flag, "copies: {'.*_versions': off}", true},
		{"public", "post_versions", time, "copies_with_time: {'.*_versions': off}", false},
		{"public", "OldThings", flag, "copies: {'Old.*': on}", false},
		{"archive", "users", flag, `copies: {'archive\..*': on}`, false},
	} {
		c, err := load(t, "discovery: {rules: {"+test.rules+"}}")
		if err != nil {
			t.Fatal(err)
		}
		found := c.Discovery.Rules.Compiled().Discover(test.schema, test.table, false, test.columns)
		if watched := len(found.Markers) > 0; watched != test.watched {
			t.Errorf("%s.%s with %d columns and {%s}: watched %v", test.schema, test.table, len(test.columns),
				test.rules, watched)
		}
	}
}

// A number of rows is not a flag, but numbers that applications use as a flag are.
func TestACounterIsNoFlag(t *testing.T) {
	c, err := load(t, "")
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name, typ string
		watched   bool
	}{
		{"soft_deleted", "int8", false}, {"softDeleted", "numeric", false}, {"soft_deleted", "bool", true},
		{"soft_deleted", "int2", true}, {"soft_deleted", "int4", true}, {"is_soft_deleted", "int8", true},
		{"deleted", "int8", true}, {"is_deleted", "int8", true},
	} {
		found := c.Discovery.Rules.Compiled().Discover("public", "t", false,
			[]discovery.Column{{Name: test.name, Type: test.typ}})
		if watched := len(found.Markers) > 0; watched != test.watched {
			t.Errorf("%s %s: watched %v", test.name, test.typ, watched)
		}
		if test.watched {
			continue
		}
		if d := found.Decisions; len(d) != 1 || d[0].Why != "a number of this name and of type "+test.typ+" counts rows" {
			t.Errorf("%s %s: %+v", test.name, test.typ, d)
		}
	}
}
