package indexes

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/softdelete-exporter/softdelete_exporter/predicate"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// subscribers is a table whose unique index on the e-mail address enforces nothing among live rows, with more
// indexes.
func subscribers(more ...softdelete.Index) *softdelete.Table {
	at := softdelete.Markers{{Kind: softdelete.Timestamp, Column: "deleted_at",
		Time: &softdelete.Time{Column: "deleted_at", Type: softdelete.Timestamptz}}}
	t := &softdelete.Table{Schema: "public", Name: "subscribers", Markers: at,
		Numbers: softdelete.ExactNumbers(1000, 100)}
	t.Indexing = &softdelete.Indexing{HOT: 1, At: time.Unix(0, 0), Indexes: append([]softdelete.Index{{
		OID: 1, Name: "email_key", Method: "btree", Valid: true, Unique: true,
		Keys: []softdelete.Key{{Column: "email"}, {Column: "deleted_at"}},
	}}, more...)}
	for n := range t.Indexing.Indexes {
		t.Indexing.Indexes[n].Scope = predicate.ScopeOf(at, t.Indexing.Indexes[n].Predicate)
	}
	return t
}

// among is a unique index on live rows.
func among(name string) softdelete.Index {
	return softdelete.Index{OID: 2, Name: name, Method: "btree", Unique: true, Keys: []softdelete.Key{{Column: "email"}},
		Predicate: "(deleted_at IS NULL)"}
}

// do returns the next steps of all advice in a short form.
func do(t *softdelete.Table) []string {
	var all []string
	for _, a := range Advise(t) {
		for _, s := range a.Do {
			name := ""
			if s.Index != nil {
				name = " " + s.Index.Name
			} else if s.Action == CreateIndex {
				name = " " + s.New.Name
			}
			all = append(all, string(s.Action)+name)
		}
	}
	return all
}

func TestAnIndexWhoseBuildFailedIsRepairedAndNotMadeAgain(t *testing.T) {
	building, plain, leftover := among("subscribers_email_live"), among("subscribers_email_live"), among(
		"subscribers_email_live_ccnew")
	building.Building, plain.Unique = true, false
	for _, test := range []struct {
		name  string
		index []softdelete.Index
		want  []string
	}{
		{"none", nil, []string{"find_duplicates", "create_index subscribers_email_live"}},
		{"one that failed", []softdelete.Index{among("subscribers_email_live")},
			[]string{"find_duplicates", "reindex_index subscribers_email_live"}},
		{"one that is being built", []softdelete.Index{building}, nil},
		{"one that does not enforce", []softdelete.Index{plain},
			[]string{"find_duplicates", "create_index subscribers_email_live", "reindex_index subscribers_email_live"}},
		{"what a REINDEX left", []softdelete.Index{leftover},
			[]string{"find_duplicates", "create_index subscribers_email_live", "show_definition subscribers_email_live_ccnew"}},
	} {
		if diff := cmp.Diff(test.want, do(subscribers(test.index...))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.name, diff)
		}
	}
	if waiting := Advise(subscribers(building))[0]; len(waiting.Consider) != 0 {
		t.Errorf("an index is to be dropped before the one in its place is built: %+v", waiting)
	}
	failed := Advise(subscribers(among("subscribers_email_live")))[0]
	if !strings.Contains(failed.Reason, "subscribers_email_live") || failed.Problem != UniqueAllowsLiveDuplicate {
		t.Errorf("the reason does not name the index to repair: %+v", failed)
	}
	if costs := strings.Join(Advise(subscribers())[0].Costs, " "); !strings.Contains(costs, "leaves an invalid index") {
		t.Errorf("nothing is said of what a failed build leaves: %s", costs)
	}
}

func TestAnIndexForThePurgeWhoseBuildFailedIsRepaired(t *testing.T) {
	failed := softdelete.Index{OID: 3, Name: "subscribers_deleted_at_purge", Method: "btree",
		Keys: []softdelete.Key{{Column: "deleted_at"}}, Predicate: "(deleted_at IS NOT NULL)"}
	table := subscribers(failed)
	table.Indexing.Indexes = table.Indexing.Indexes[1:]
	table.Policy.Retention = 24 * time.Hour
	table.Numbers, table.Indexing.Bytes = softdelete.ExactNumbers(1e6, 5e5), 1<<30
	if diff := cmp.Diff([]string{"reindex_index subscribers_deleted_at_purge"}, do(table)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestTakenNamesCostNothingWhereNothingIsNamed(t *testing.T) {
	table := subscribers()
	table.Indexing.Indexes = nil
	before := testing.AllocsPerRun(10, func() { Advise(table) })
	for n := range 50_000 {
		table.Indexing.Names = append(table.Indexing.Names, fmt.Sprintf("t%05d_live", n))
	}
	if after := testing.AllocsPerRun(10, func() { Advise(table) }); after != before {
		t.Errorf("%v allocations, %v without the names", after, before)
	}
}

func TestATakenNameIsNotGivenAgain(t *testing.T) {
	table := subscribers()
	table.Indexing.Names = []string{"Subscribers_email_live", "subscribers_email_live", "subscribers_email_live1"}
	if diff := cmp.Diff([]string{"find_duplicates", "create_index subscribers_email_live2"}, do(table)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
