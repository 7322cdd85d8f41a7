package inspect

import (
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/softdelete-exporter/softdelete_exporter/internal/pgserver"
	"github.com/softdelete-exporter/softdelete_exporter/internal/pgserver/pgtest"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// bornTypes makes the types of the generated tables.
const bornTypes = `SET timezone = 'UTC';
	CREATE DOMAIN moment AS timestamptz; CREATE DOMAIN checked_moment AS timestamptz CHECK (VALUE <> '1950-01-01');
	CREATE DOMAIN since AS timestamptz DEFAULT '1999-01-01'; CREATE DOMAIN since_now AS timestamptz DEFAULT now();
	CREATE DOMAIN truth AS boolean; CREATE DOMAIN letter AS varchar(3);
	CREATE TYPE state AS ENUM ('active', 'pending', 'deleted'); CREATE DOMAIN a_state AS state;
	CREATE FUNCTION born_at() RETURNS timestamptz IMMUTABLE LANGUAGE sql
		AS $$SELECT '1999-01-01 00:00:00+00'::timestamptz$$;
	CREATE FUNCTION born_as() RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT 0';
	CREATE FUNCTION born_flag() RETURNS boolean IMMUTABLE LANGUAGE sql AS 'SELECT true';
	CREATE FUNCTION born_text() RETURNS text IMMUTABLE LANGUAGE sql AS $$SELECT 'N'$$;
`

// bornRuns are the servers for the generated tables. All tables are made on the version that the other tests use, and
// one third each on the oldest and the newest version.
var bornRuns = []struct {
	version string // empty for the shared server
	third   int
}{{"", 0}, {"", 1}, {"", 2}, {"14", 0}, {"18", 1}}

// A live row is never counted as deleted, whatever the column, its default and the way in which it was written. Tables
// that a careful person can decide have the right numbers. Every other table has a reason if it has no numbers.
func TestALiveRowIsNeverCalledDeleted(t *testing.T) {
	t.Parallel()
	var equal, decidable, absent, undecidable atomic.Int64
	t.Run("databases", func(t *testing.T) {
		all := bornTables()
		for _, run := range bornRuns {
			t.Run(run.version+" "+fmt.Sprint(run.third), func(t *testing.T) {
				t.Parallel()
				server := pgtest.Shared
				if run.version != "" {
					server = func(t testing.TB) *pgserver.Server {
						return pgtest.Start(t, pgserver.Options{Version: run.version})
					}
				}
				dsn := pgtest.NewDatabase(t, server(t))
				tables := map[string]*bornTable{}
				script := &strings.Builder{}
				script.WriteString(bornTypes)
				for i := run.third; i < len(all); i += 3 {
					name := fmt.Sprintf("b%04d", i)
					tables[name] = all[i]
					fmt.Fprintf(script, strings.ReplaceAll(all[i].script.String(), "%s", "%[1]s"), name)
				}
				pgtest.Exec(t, dsn, script.String())
				i := inspector(t, dsn, "limits: {statement_timeout: 10s}\n"+
					"discovery: {rules: {inverted_flags: {alive: on}, statuses: {status: on}}}")
				snapshot := everyTurn(t, i)
				reasons := leftReasons(t, i)
				for name, b := range tables {
					got := softdelete.Table{Problem: &softdelete.Problem{Message: reasons[name]}}
					if k := slices.IndexFunc(snapshot.Databases[0].Tables,
						func(t softdelete.Table) bool { return t.Name == name }); k >= 0 {
						got = snapshot.Databases[0].Tables[k]
					}
					isEqual := b.check(t, got)
					if b.decidable {
						decidable.Add(1)
						if isEqual {
							equal.Add(1)
						}
					} else {
						undecidable.Add(1)
						if got.Numbers == nil {
							absent.Add(1)
						}
					}
				}
			})
		}
	})
	t.Logf("on three versions %d of %d decidable tables have numbers equal to the labels; of %d others %d have none, "+
		"and a reason",
		equal.Load(), decidable.Load(), undecidable.Load(), absent.Load())
	if decidable.Load() < 700 || undecidable.Load() < 600 {
		t.Error("too few tables were generated")
	}
}

// everyTurn returns the Snapshot after every table had its turn.
func everyTurn(t *testing.T, i *Inspector) *softdelete.Snapshot {
	t.Helper()
	s := empty(t, i)
	pgtest.WaitFor(t, "every table to be counted", func() bool {
		s = refreshAfter(t, i, s, nil)
		return s.Databases[0].Checks.Discovery && !slices.ContainsFunc(s.Databases[0].Tables, func(t softdelete.Table) bool {
			return t.State() == softdelete.Pending ||
				t.Problem != nil && (t.Problem.Reason == softdelete.Locked || t.Problem.Reason == softdelete.TimedOut)
		})
	})
	return s
}

// leftReasons returns why columns were ignored, by table.
func leftReasons(t *testing.T, i *Inspector) map[string]string {
	t.Helper()
	explained, err := i.Explain(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	reasons := map[string]string{}
	for _, e := range explained.Tables {
		for _, d := range e.Decision.Decisions {
			if !d.Taken {
				reasons[e.Table] += d.Why
			}
		}
	}
	return reasons
}

// check compares the result for a table with its labels, and reports whether they are equal.
func (b *bornTable) check(t *testing.T, got softdelete.Table) (equal bool) {
	t.Helper()
	n := got.Numbers
	if n == nil {
		why := ""
		if got.Problem != nil {
			why = got.Problem.Message
		}
		if b.decidable || why == "" {
			t.Errorf("%s: no numbers: %q", b.about, why)
		}
		return false
	}
	equal = n.Total.Value == float64(b.live+b.deleted) && n.Deleted.Value == float64(b.deleted) &&
		(n.Old == nil || n.Old.Value == float64(b.old))
	switch {
	case n.Deleted.Value > float64(b.deleted):
		t.Errorf("%s: %g deleted, of which only %d are", b.about, n.Deleted.Value, b.deleted)
	case b.decidable && !equal:
		old := "-"
		if n.Old != nil {
			old = fmt.Sprint(n.Old.Value)
		}
		t.Errorf("%s: total %g deleted %g old %s, want %d %d %d", b.about, n.Total.Value, n.Deleted.Value, old,
			b.live+b.deleted, b.deleted, b.old)
	}
	return equal
}
