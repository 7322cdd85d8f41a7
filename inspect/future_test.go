package inspect

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/softdelete-exporter/softdelete_exporter/indexes"
	"github.com/softdelete-exporter/softdelete_exporter/internal/pgserver/pgtest"
	"github.com/softdelete-exporter/softdelete_exporter/queries"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// A deletion time in the future means that the row is deleted, unless the configuration says that
// it is a plan: that is never guessed.
func TestADeletionInTheFutureIsAPlanWhereTheConfigurationSaysSo(t *testing.T) {
	t.Parallel()
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	pgtest.Exec(t, dsn, `
		CREATE TABLE born_soon (id int, deleted_at timestamptz NOT NULL DEFAULT now() + interval '1 hour');
		INSERT INTO born_soon SELECT i FROM generate_series(1, 50) i;
		INSERT INTO born_soon SELECT i, now() - i * interval '100 days' FROM generate_series(1, 5) i;
		INSERT INTO born_soon VALUES (0, 'infinity');
		CREATE TABLE told (LIKE born_soon); INSERT INTO told SELECT * FROM born_soon;
		ALTER TABLE told ALTER deleted_at DROP NOT NULL; INSERT INTO told VALUES (0, NULL);
		CREATE TABLE untold (LIKE told); ALTER TABLE untold ALTER deleted_at DROP NOT NULL;
		INSERT INTO untold SELECT * FROM told WHERE id > 0;
		CREATE TABLE sampled (LIKE told); ALTER TABLE sampled ALTER deleted_at DROP NOT NULL;
		INSERT INTO sampled SELECT * FROM told;
		CREATE TABLE paired (gone boolean, at timestamp);
		INSERT INTO paired VALUES (true, now() + interval '1 day'), (true, now() - interval '1 year'), (true, NULL),
			(false, NULL);
		CREATE TABLE epoch (deleted_at float8); INSERT INTO epoch
		VALUES (extract(epoch FROM now()) + 9999.5), (extract(epoch FROM now()) - 9e6), (0), (NULL)`)
	i := inspector(t, dsn, `
counting: {recount_after: 1h}
tables:
  - {table: born_soon, column: deleted_at, future: live}
  - {table: told, column: deleted_at, future: live}
  - {table: untold, column: deleted_at, future: deleted}
  - {table: sampled, column: deleted_at, future: live, method: sampled}
  - {table: paired, column: gone, time_column: at, future: live, time_zone: UTC, integrity: true}
  - {table: epoch, column: deleted_at, unit: s, future: live}`)
	s := first(t, i)
	want := map[string]string{"public.born_soon": "56 5 5", "public.told": "57 5 5", "public.untold": "55 55 5",
		"public.sampled": "57 5 5", "public.paired": "4 2 1", "public.epoch": "4 1 1"}
	if diff := cmp.Diff(want, told(s)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	paired := tableNamed(t, s, "paired")
	if due := paired.Kept().NextChange; time.Until(due) > 25*time.Hour || due.IsZero() {
		t.Errorf("the plan comes to pass tomorrow, and the table is counted again %s", due)
	}
	for _, c := range paired.Integrity {
		if c.Found == nil || *c.Found.Inconsistent != 1 || *c.Found.Future != 0 {
			t.Errorf("a plan contradicts nothing: %+v", c)
		}
	}
}

// No index knows the time: what holds the rows that are NULL holds not all live ones, and none is
// advised that would.
func TestWherePlansAreLiveNoIndexIsTakenForThatOfTheLiveRows(t *testing.T) {
	t.Parallel()
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	pgtest.Exec(t, dsn, `
		CREATE TABLE t (id int, email text, deleted_at timestamptz);
		INSERT INTO t SELECT i, md5(i::text), CASE WHEN i % 4 > 0 THEN now() - interval '1 year 3 hours' END
			FROM generate_series(1, 90000) i;
		CREATE INDEX live ON t (email) WHERE deleted_at IS NULL; CREATE INDEX dead ON t (email) WHERE deleted_at IS NOT NULL;
		CREATE UNIQUE INDEX every ON t (email); ANALYZE t`)
	find := func(future string) (scopes map[string]softdelete.Scope, problems []string) {
		i := inspector(t, dsn, "tables: [{table: t, column: deleted_at, future: "+future+"}]")
		table := tableNamed(t, first(t, i), "t")
		scopes = map[string]softdelete.Scope{}
		for _, index := range table.Indexing.Indexes {
			scopes[index.Name] = index.Scope
		}
		for _, advice := range indexes.Advise(&table) {
			problems = append(problems, string(advice.Problem))
			for _, step := range queries.Steps(&table, advice.Do) {
				if future == "live" && strings.Contains(step, "deleted_at\" IS NULL") {
					t.Errorf("advised: %s", step)
				}
			}
		}
		return scopes, problems
	}
	scopes, problems := find("deleted")
	if scopes["live"].Live != softdelete.All || !slices.Contains(problems, string(indexes.UniqueIgnoresDeleted)) {
		t.Errorf("of a table without plans: %v, %v", scopes, problems)
	}
	scopes, problems = find("live")
	want := softdelete.Scope{Mentions: true, Live: softdelete.Some, Deleted: softdelete.None}
	if scopes["live"] != want || scopes["dead"].Live != softdelete.Some || scopes["dead"].Deleted != softdelete.All {
		t.Errorf("scopes %+v", scopes)
	}
	if slices.Contains(problems, string(indexes.UniqueIgnoresDeleted)) {
		t.Errorf("problems %v", problems)
	}
}

// A bit and a floating-point number mark deleted rows where the configuration says so.
func TestABitAndAFloatCanBeConfigured(t *testing.T) {
	t.Parallel()
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	pgtest.Exec(t, dsn, `
		CREATE TABLE bits (deleted bit(1) DEFAULT b'0', at timestamptz);
		INSERT INTO bits VALUES (b'1', now() - interval '1 year'), (DEFAULT, NULL), (NULL, NULL);
		CREATE INDEX live ON bits (at) WHERE deleted = b'0';
		CREATE TABLE other_bits (deleted bit(1)); INSERT INTO other_bits VALUES (b'1'), (b'0'), (b'0');
		CREATE TABLE floats (deleted_at float8);
		INSERT INTO floats VALUES (extract(epoch FROM now()) - 9e6 + 0.25), (extract(epoch FROM now())), (0), (NULL);
		CREATE TABLE guessed (deleted_at float8); INSERT INTO guessed SELECT * FROM floats;
		CREATE TABLE left_alone (deleted bit(1), deleted_at float8)`)
	i := inspector(t, dsn, `
tables:
  - {table: bits, column: deleted, deleted_values: [1], time_column: at}
  - {table: other_bits, column: deleted, live_values: [1]}
  - {table: floats, column: deleted_at, unit: s}
  - {table: guessed, column: deleted_at}`)
	want := map[string]string{"bits": "pair: deleted,at | 3 1 1", "other_bits": "status: deleted | 3 2 -",
		"floats": "epoch: deleted_at s | 4 2 1", "guessed": "epoch: deleted_at s | 4 2 1"}
	if diff := cmp.Diff(want, read(first(t, i))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	wrong := inspector(t, dsn, "tables: [{table: bits, column: deleted, deleted_values: [true]}]")
	if err := wrong.Check(t.Context()); err == nil || !strings.Contains(err.Error(), `has no value "true"`) {
		t.Errorf("a bit that is true: %v", err)
	}
}
