package inspect

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/softdelete-exporter/softdelete_exporter/internal/pgserver/pgtest"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// If nothing is watched, columns that may mark deleted rows are listed, with the setting that makes them markers.
func TestCandidatesAreNamedWhereNothingIsWatched(t *testing.T) {
	t.Parallel()
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	pgtest.Exec(t, dsn, `CREATE TABLE users (id int, archived boolean);
		CREATE TABLE orders (id int, removed_at timestamptz); CREATE TABLE plain (id int)`)
	s := first(t, inspector(t, dsn, ""))
	want := []softdelete.Candidate{
		{Schema: "public", Table: "orders", Column: "removed_at", Remedy: "discovery: {rules: {times: {removedat: on}}}"},
		{Schema: "public", Table: "users", Column: "archived", Remedy: "discovery: {rules: {flags: {archived: on}}}"},
	}
	got := s.Databases[0].Candidates
	for i := range got {
		if got[i].Why == "" {
			t.Errorf("it is not said why %s is left", got[i].Column)
		}
		got[i].Why = ""
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if s := first(t, inspector(t, dsn, want[0].Remedy)); len(s.Databases[0].Candidates) > 0 ||
		len(s.Databases[0].Tables) != 1 {
		t.Errorf("with %s: %+v", want[0].Remedy, s.Databases[0])
	}
}
