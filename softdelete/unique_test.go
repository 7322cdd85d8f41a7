package softdelete

import "testing"

func TestATimeThatIsNeverNULLLetsNoLiveDuplicatesIn(t *testing.T) {
	for _, test := range []struct {
		name string
		time Time
		want bool
	}{
		{"a time that may be NULL", Time{Type: Timestamptz}, true},
		{"one that may not", Time{Type: Timestamptz, NotNull: true}, false},
		{"one that has a constant", Time{Type: Timestamptz, NotNull: true, Live: "infinity"}, false},
		{"an integer that may not", Time{Type: EpochTime, Unit: Seconds, NotNull: true}, false},
	} {
		test.time.Column = "gone_at"
		m := Marker{Kind: Pair, Flag: Flag, Column: "gone", Time: &test.time}
		table := &Table{Markers: Markers{m}, Indexing: &Indexing{Indexes: []Index{
			{Name: "i", Method: "btree", Valid: true, Unique: true, Keys: []Key{{Column: "email"}, {Column: "gone_at"}}, Scope: ScopeOf(Markers{m}, "")}}}}
		if got := table.allowsLiveDuplicates(&table.Indexing.Indexes[0]); got != test.want {
			t.Errorf("%s: %t, want %t", test.name, got, test.want)
		}
	}
}
