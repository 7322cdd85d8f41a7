package indexes

import (
	"testing"

	"github.com/softdelete-exporter/softdelete_exporter/predicate"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

func TestATimeThatIsNeverNULLLetsNoLiveDuplicatesIn(t *testing.T) {
	for _, test := range []struct {
		name string
		time softdelete.Time
		want bool
	}{
		{"a time that may be NULL", softdelete.Time{Type: softdelete.Timestamptz}, true},
		{"one that may not", softdelete.Time{Type: softdelete.Timestamptz, NotNull: true}, false},
		{"one that has a constant", softdelete.Time{Type: softdelete.Timestamptz, NotNull: true, Live: []string{"infinity"}},
			false},
		{"an integer that may not", softdelete.Time{Type: softdelete.EpochTime, Unit: softdelete.Seconds, NotNull: true},
			false},
	} {
		test.time.Column = "gone_at"
		m := softdelete.Marker{Kind: softdelete.Pair, Flag: softdelete.Flag, Column: "gone", Time: &test.time}
		judged := look(&softdelete.Table{Markers: softdelete.Markers{m},
			Indexing: &softdelete.Indexing{Indexes: []softdelete.Index{
				{Name: "i", Method: "btree", Valid: true, Unique: true,
					Keys:  []softdelete.Key{{Column: "email"}, {Column: "gone_at"}},
					Scope: predicate.ScopeOf(softdelete.Markers{m}, "")}}}})
		if got := judged.allowsLiveDuplicates(&judged.Indexing.Indexes[0]); got != test.want {
			t.Errorf("%s: %t, want %t", test.name, got, test.want)
		}
	}
}
