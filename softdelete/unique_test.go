package softdelete

import (
	"slices"
	"testing"
)

func TestATimeThatIsNeverNULLLetsNoLiveDuplicatesIn(t *testing.T) {
	for _, test := range []struct {
		name string
		time Column
		want bool
	}{
		{"a time that may be NULL", Column{Name: "gone_at", Type: "timestamptz"}, true},
		{"one that may not", Column{Name: "gone_at", Type: "timestamptz", NotNull: true}, false},
		{"one that has a constant", Column{Name: "gone_at", Type: "timestamptz", NotNull: true, HasDefault: true, Default: "'infinity'::timestamp with time zone"}, false},
		{"an integer that may not", Column{Name: "gone_at", Type: "int8", NotNull: true}, false},
	} {
		m, err := Setting{Column: "gone", TimeColumn: "gone_at", Unit: Seconds}.Marker(column("gone", "bool"), &test.time)
		if err != nil {
			t.Fatal(err)
		}
		table := &Table{Markers: Markers{*m}, Indexing: &Indexing{Indexes: []Index{
			{Name: "i", Method: "btree", Valid: true, Unique: true, Keys: []Key{{Column: "email"}, {Column: "gone_at"}}, Scope: ScopeOf(Markers{*m}, "")}}}}
		if got := table.allowsLiveDuplicates(&table.Indexing.Indexes[0]); got != test.want {
			t.Errorf("%s: %t, want %t", test.name, got, test.want)
		}
		for _, deleted := range []bool{false, true} {
			if !slices.ContainsFunc(table.Markers.states(nil), func(s state) bool { return s.deleted == deleted && !s.odd }) {
				t.Errorf("%s: no row can be deleted=%t", test.name, deleted)
			}
		}
	}
}
