package config

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/softdelete-exporter/softdelete_exporter/discovery"
)

// A file contains only the changes.
func TestRulesAreSwitchedAndAddedOneByOne(t *testing.T) {
	before, err := load(t, "")
	if err != nil {
		t.Fatal(err)
	}
	after, err := load(t, `
discovery:
  rules:
    times: {Archived_At: on, deleted_at: off, gone_since: on}
    flags: {isDeleted: on}
    status_values: {archived: on, binned: on}
    copies: {'.*_audit': off, 'old_.*': on}
`)
	if err != nil {
		t.Fatal(err)
	}
	rules := before.Discovery.Rules.Compiled()
	want := slices.Clone(rules.Names)
	for i, r := range want {
		switch r.String() {
		case "times.archivedat":
			want[i].On = true
		case "times.deletedat":
			want[i].On = false
		}
	}
	// A new name comes after the others of its group.
	at := slices.IndexFunc(want, func(r discovery.Rule) bool { return r.Group == discovery.Epochs })
	want = slices.Insert(want, at, discovery.Rule{Group: discovery.Times, Name: "gonesince", On: true})
	got := after.Discovery.Rules.Compiled()
	if diff := cmp.Diff(want, got.Names); diff != "" {
		t.Errorf("names (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"deleted", "trashed", "removed", "archived", "binned"}, got.StatusValues); diff != "" {
		t.Errorf("status values (-want +got):\n%s", diff)
	}
	for _, c := range got.Copies {
		if on := c.Name != ".*_audit"; c.On != on {
			t.Errorf("copies %s is on: %v", c.Name, c.On)
		}
	}
	if len(got.Copies) != len(rules.Copies)+1 {
		t.Errorf("copies: %d, want one more than %d", len(got.Copies), len(rules.Copies))
	}
}

func TestValuesOfATableAreTakenAsWritten(t *testing.T) {
	c, err := load(t, "tables: [{table: t, column: c, deleted_values: [1, yes, 1970-01-01, 'it''s']}]")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"1", "yes", "1970-01-01", "it's"}, c.Tables[0].DeletedValues); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
