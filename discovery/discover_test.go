package discovery

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

func TestAnIntegerIsATimeOnlyIfAllItsValuesAre(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	epoch := func(unit softdelete.Unit) softdelete.IntegerMeaning {
		return softdelete.IntegerMeaning{Kind: softdelete.Epoch, Unit: unit}
	}
	number := softdelete.IntegerMeaning{Kind: softdelete.Number}
	for _, test := range []struct {
		name   string
		need   Need
		values []float64
		want   softdelete.IntegerMeaning
	}{
		{"none", NeedUnit, nil, softdelete.IntegerMeaning{}},
		{"zeros", NeedUnit, []float64{0, 0}, softdelete.IntegerMeaning{}},
		{"what rows are born with", NeedUnit, []float64{-1, 253402300799}, softdelete.IntegerMeaning{}},
		{"one", NeedUnit, []float64{0, 1}, number},
		{"negative", NeedKind, []float64{-7}, number},
		{"nine", NeedKind, []float64{9}, number},
		{"ids", NeedKind, []float64{17, 4711, 120_000_000}, number},
		{"the earliest seconds", NeedUnit, []float64{year2000}, epoch(softdelete.Seconds)},
		{"earlier ones", NeedUnit, []float64{year2000 - 1}, number},
		{"seconds", NeedKind, []float64{-1, 0, 1_700_000_000}, epoch(softdelete.Seconds)},
		{"seconds of next week", NeedUnit, []float64{1_700_000_000, float64(now.AddDate(0, 0, 7).Unix())}, number},
		{"milliseconds", NeedUnit, []float64{1_700_000_000_000}, epoch(softdelete.Milliseconds)},
		{"microseconds", NeedUnit, []float64{1_700_000_000_000_000}, epoch(softdelete.Microseconds)},
		{"nanoseconds", NeedUnit, []float64{1_700_000_000_000_000_000}, epoch(softdelete.Nanoseconds)},
		{"snowflakes in a flag", NeedKind, []float64{1_700_000_000_000_000_000}, number},
		{"a stray one among times", NeedUnit, []float64{1, 1_700_000_000, 1_700_000_001}, number},
		{"milliseconds among seconds", NeedUnit, []float64{1_700_000_000, 1_700_000_000_000}, number},
		{"a stray time among ids", NeedKind, []float64{1_700_000_000, 12, 13}, number},
	} {
		got := ClassifyInteger(test.need, test.values, []string{"-1", "253402300799"}, now)
		got.Example = 0
		if got != test.want {
			t.Errorf("%s: %v, want %v", test.name, got, test.want)
		}
	}
}

func TestAUnitIsAWordAtTheEndOfAName(t *testing.T) {
	for name, want := range map[string]string{
		"deleted_unix": "deleted s", "deletedUnix": "deleted s", "deleted_at_ms": "deletedat ms",
		"deletedAtMs":       "deletedat ms",
		"DELETED_AT_MILLIS": "deletedat ms", "deleted_at_us": "deletedat us", "deleted_at_ns": "deletedat ns",
		"deletedNanos": "deleted ns",
		"status":       "status ", "deleted_status": "deletedstatus ", "deletedat": "deletedat ", "columns": "columns ",
	} {
		bare, unit := unitOf(name)
		if got := fmt.Sprint(bare, " ", unit); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

var rules = Rules{
	Names: []Rule{
		{Times, "deletedat", true}, {Times, "removedat", true}, {Times, "deleted", true}, {Times, "archivedat", false},
		{Flags, "isdeleted", true}, {Flags, "deleted", true}, {Flags, "isremoved", true}, {Flags, "delflag", true},
		{InvertedFlags, "alive", true}, {Statuses, "status", true},
	},
	StatusValues: []string{"deleted"},
}

func column(name, typ string) Column { return Column{Name: name, Type: typ} }

func TestAFlagAndATimeOfTheSameStemAreAPair(t *testing.T) {
	for _, test := range []struct {
		name    string
		columns []Column
		want    string // kind(columns), in order
	}{
		{"of one stem", []Column{column("deleted_at", "timestamptz"), column("is_deleted", "bool")},
			"pair(is_deleted,deleted_at)"},
		{"of two stems", []Column{column("deleted_at", "timestamptz"), column("is_removed", "bool")},
			"flag(is_removed) timestamp(deleted_at)"},
		{"two pairs", []Column{column("deleted_at", "timestamptz"), column("is_removed", "bool"),
			column("removed_at", "date"), column("deleted", "bool")},
			"pair(deleted,deleted_at) pair(is_removed,removed_at)"},
		{"two flags, one time", []Column{column("del_flag", "bpchar"), column("is_deleted", "bool"),
			column("deleted_at", "timestamptz")},
			"pair(is_deleted,deleted_at) letter(del_flag)"},
		{"two times, one flag", []Column{column("deleted", "timestamp"), column("deletedAt", "timestamp"),
			column("is_deleted", "bool")},
			"pair(is_deleted,deletedAt) timestamp(deleted)"},
		{"one that is off", []Column{column("archived_at", "timestamptz"), column("is_deleted", "bool")},
			"flag(is_deleted)"},
		{"a number and an integer time", []Column{column("is_deleted", "int2"), column("deleted_at", "int8")},
			"pair(is_deleted,deleted_at)"},
		{"an inverted flag", []Column{column("alive", "bool"), column("deleted_at", "timestamptz")},
			"pair(alive,deleted_at)"},
		{"a log of deletions", []Column{column("is_deleted", "bool"),
			{Name: "deleted_at", Type: "timestamptz", NotNull: true, Varies: true}}, "flag(is_deleted)"},
		{"a time that is set when the row is made", []Column{column("is_deleted", "bool"),
			{Name: "deleted_at", Type: "timestamptz", Varies: true}}, "flag(is_deleted)"},
	} {
		got := ""
		for _, m := range rules.Discover("public", "t", false, test.columns).Markers {
			got += fmt.Sprintf(" %s(%s)", m.Kind, softdelete.Markers{m}.Label())
		}
		if diff := cmp.Diff(" "+test.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.name, diff)
		}
	}
}

func TestOnlyWhatIsNeededIsLearnt(t *testing.T) {
	for _, test := range []struct {
		name    string
		columns []Column
		want    map[string]Need
	}{
		{"nothing of what the type tells", []Column{column("deleted_at", "timestamptz"), column("deleted", "bool")},
			map[string]Need{}},
		{"nothing of what no rule takes", []Column{column("created_at", "int8"), column("archived_at", "int8")},
			map[string]Need{}},
		{"the unit of a time", []Column{column("deleted_at", "int8")}, map[string]Need{"deleted_at": NeedUnit}},
		{"no unit that the name tells", []Column{column("deleted_at_ms", "int8")}, map[string]Need{}},
		{"the kind of a flag", []Column{column("is_deleted", "int8")}, map[string]Need{"is_deleted": NeedKind}},
		{"no kind of a flag that has a time", []Column{column("is_deleted", "int8"), column("deleted_at", "timestamptz")},
			map[string]Need{}},
	} {
		if diff := cmp.Diff(test.want, rules.Needs("public", "t", false, test.columns)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.name, diff)
		}
	}
}

func TestAWordIsSpeltInWholeLetters(t *testing.T) {
	for word, want := range map[string][]string{
		"deleted": {"deleted", "DELETED", "Deleted"},
		"удалено": {"удалено", "УДАЛЕНО", "Удалено"}, "é": {"é", "É", "É"},
	} {
		if diff := cmp.Diff(want, spellings(word)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", word, diff)
		}
	}
}

// Every kind can be configured for each of its types, and is explained.
func TestEveryKindIsConfiguredAndExplained(t *testing.T) {
	types := map[softdelete.Class][]Column{}
	for name, class := range softdelete.Classes {
		types[class] = append(types[class], Column{Name: "c", Type: name, NotNull: true})
	}
	types[softdelete.EnumClass] = []Column{{Name: "c", Type: "stage", Labels: []string{"1"}}}
	for _, kind := range softdelete.Kinds {
		d := kind.Definition()
		for _, class := range d.Classes {
			for _, c := range types[class] {
				s := MarkerConfig{Column: "c", Kind: kind}
				if d.Sections.Plain == "" {
					s.Live = []string{"1"}
				}
				m, err := s.Marker(c, nil, time.Time{})
				if err != nil {
					t.Errorf("%s of %s: %v", kind, c.Type, err)
					continue
				}
				decisions := ConfiguredDecisions([]Column{c}, *m, "tables")
				if m.Kind != kind || len(decisions) != 1 || decisions[0].Why == "" {
					t.Errorf("%s of %s: %+v, explained by %+v", kind, c.Type, m, decisions)
				}
			}
		}
	}
}
