package indexes

import (
	"fmt"
	"slices"
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

// An index on the live rows alone cannot be made where each unique index must contain the flag.
func TestAPartitionedTableIsNotAdvisedWhatItCannotHave(t *testing.T) {
	deleted := softdelete.Markers{{Kind: softdelete.Flag, Column: "is_deleted"}}
	table := &softdelete.Table{Schema: "public", Name: "subscribers", Markers: deleted,
		Numbers: softdelete.ExactNumbers(1000, 100),
		Indexing: &softdelete.Indexing{PartitionKeys: []string{"is_deleted"}, Indexes: []softdelete.Index{{
			Name: "email_key", Method: "btree", Valid: true, Unique: true,
			Keys: []softdelete.Key{{Column: "email"}, {Column: "is_deleted"}}, Scope: predicate.ScopeOf(deleted, ""),
		}}}}
	advice := Advise(table)
	if len(advice) != 1 || advice[0].Problem != UniqueBlocksSecondDelete ||
		len(advice[0].Do)+len(advice[0].Consider) > 0 ||
		!strings.Contains(advice[0].Reason, "partitioned by is_deleted") {
		t.Errorf("%+v", advice)
	}
	table.Indexing.PartitionKeys = []string{"email"}
	if advice = Advise(table); len(advice) != 1 || len(advice[0].Do) != 1 || len(advice[0].Consider) != 1 {
		t.Errorf("%+v", advice)
	}
}

// people is a table in which a tenth of the rows is deleted, with unique indexes.
func people(all ...softdelete.Index) *softdelete.Table {
	deleted := softdelete.Markers{{Kind: softdelete.Flag, Column: "is_deleted"}}
	for n := range all {
		all[n].OID, all[n].Method, all[n].Unique, all[n].Valid = uint32(n), "btree", true, true
		all[n].Scope = predicate.ScopeOf(deleted, all[n].Predicate)
	}
	return &softdelete.Table{Schema: "public", Name: "people", Markers: deleted,
		Numbers: softdelete.ExactNumbers(1000, 100), Indexing: &softdelete.Indexing{HOT: 1, Indexes: all}}
}

func on(name string, columns ...string) softdelete.Index {
	i := softdelete.Index{Name: name}
	for _, c := range columns {
		i.Keys = append(i.Keys, softdelete.Key{Column: c})
	}
	return i
}

func TestIndexesThatEnforceTheSameAreOneQuestion(t *testing.T) {
	constraint := on("c", "tenant", "email")
	constraint.Constraint = "c"
	advice := Advise(people(on("a", "email", "tenant"), on("b", "is_deleted", "email", "tenant"), constraint,
		on("d", "tenant", "email")))
	if len(advice) != 2 || advice[0].Problem != Duplicate && advice[1].Problem != Duplicate {
		t.Fatalf("%+v", advice)
	}
	question := advice[slices.IndexFunc(advice, func(a Advice) bool { return a.Problem == UniqueIgnoresDeleted })]
	if !strings.Contains(question.Reason, "indexes a, b, c and d also apply") || len(question.Do) != 1 ||
		len(question.Consider) != 3 {
		t.Errorf("%+v", question)
	}
}

func TestADeferrableConstraintHasItsOwnCosts(t *testing.T) {
	immediate, deferrable := on("a", "email"), on("b", "email")
	deferrable.Constraint, deferrable.Deferrable = "b", true
	for _, test := range []struct {
		indexes []softdelete.Index
		want    map[string]bool
	}{
		{[]softdelete.Index{immediate}, map[string]bool{"ON CONFLICT (email) fails": true, "can be deferred": false}},
		{[]softdelete.Index{deferrable}, map[string]bool{"ON CONFLICT (email) fails": false,
			"Constraint b can be deferred": true, "ON CONFLICT never worked": true}},
	} {
		costs := strings.Join(Advise(people(test.indexes...))[0].Costs, "\n")
		for words, want := range test.want {
			if strings.Contains(costs, words) != want {
				t.Errorf("%s: %q is said: %t", costs, words, !want)
			}
		}
	}
}

// What is said of HOT updates must be so.
func TestHOTIsOnlyMentionedWhereItIsLost(t *testing.T) {
	email, including := on("a", "email"), on("b", "tenant")
	email.Bytes, including.Include = 1<<30, []string{"is_deleted"}
	for _, test := range []struct {
		name    string
		indexes []softdelete.Index
		updated bool
		want    string
	}{
		{"updates", []softdelete.Index{email}, true, "(100% of all updates were HOT so far)"},
		{"no updates", []softdelete.Index{email}, false, "no longer be HOT updates: each"},
		{"an index that includes the marker", []softdelete.Index{email, including}, true, ""},
	} {
		table := people(test.indexes...)
		table.Indexing.Updated = test.updated
		costs := strings.Join(Advise(table)[0].Costs, "\n")
		if test.want == "" && strings.Contains(costs, "HOT") || !strings.Contains(costs, test.want) {
			t.Errorf("%s: %s", test.name, costs)
		}
	}
}

// What is unique can depend on the collation: these are two questions.
func TestIndexesOfTwoCollationsAreTwoQuestions(t *testing.T) {
	plain, other := on("a", "email"), on("b", "email")
	other.Keys[0].Rest = `COLLATE public."ignores case"`
	if advice := Advise(people(plain, other)); len(advice) != 2 {
		t.Errorf("%+v", advice)
	}
	other.Keys[0].Rest = "DESC"
	if advice := Advise(people(plain, other)); len(advice) != 1 {
		t.Errorf("%+v", advice)
	}
}
