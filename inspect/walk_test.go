package inspect

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/softdelete-exporter/softdelete_exporter/internal/pgserver/pgtest"
)

// walked are the tables that the test changes, with the conditions for their deleted and old rows.
var walked = []struct{ name, ddl, deleted, old string }{
	{"stamps", "(id int, deleted_at timestamptz)", "deleted_at IS NOT NULL", "deleted_at < now() - interval '90 days'"},
	{"flags", "(id int, is_deleted bool)", "is_deleted", ""},
	{"pairs", "(id int, is_deleted bool, deleted_at timestamptz)", "is_deleted",
		"is_deleted AND deleted_at < now() - interval '90 days'"},
	{"parts", "(id int, deleted_at timestamptz) PARTITION BY HASH (id)", "deleted_at IS NOT NULL",
		"deleted_at < now() - interval '90 days'"},
}

// steps are what applications, migrations and people do to a table, whose name replaces t. {set} deletes a row,
// {unset} restores it, {n} is a number below 1,000.
var steps = []string{
	"INSERT INTO t (id) SELECT i FROM generate_series(1, {n}) i",
	"INSERT INTO t (id) SELECT i FROM generate_series(1, {n}) i; UPDATE t SET {set} WHERE id % 5 = 0",
	"UPDATE t SET {set} WHERE id % 7 = {n} % 7",
	"UPDATE t SET {unset} WHERE id % 3 = {n} % 3",
	"DELETE FROM t WHERE id % 4 = {n} % 4",
	"TRUNCATE t",
	"BEGIN; DELETE FROM t; ROLLBACK",
	"BEGIN; SAVEPOINT s; TRUNCATE t; ROLLBACK TO s; UPDATE t SET {set} WHERE id = {n}; COMMIT",
	"ANALYZE t",
	"ALTER TABLE t ALTER id TYPE bigint; ALTER TABLE t ALTER id TYPE int",
	"ALTER TABLE t ADD extra int DEFAULT 1; ALTER TABLE t DROP extra",
	"CREATE INDEX t_{n} ON t (id); DROP INDEX t_{n}",
	"ALTER TABLE t RENAME TO t_before; CREATE TABLE t (LIKE t_before INCLUDING ALL); INSERT INTO t SELECT * FROM " +
		"t_before WHERE id < {n}; DROP TABLE t_before",
	"SELECT pg_stat_reset()",
	"SELECT pg_stat_reset(); INSERT INTO t (id) VALUES ({n})",
}

// partitionSteps are changes of the partitions of a table.
var partitionSteps = []string{
	"ALTER TABLE parts DETACH PARTITION parts_1; DELETE FROM parts_1 WHERE id < {n}; ALTER TABLE parts ATTACH " +
		"PARTITION parts_1 FOR VALUES WITH (MODULUS 2, REMAINDER 1)",
	"DROP TABLE parts_0; CREATE TABLE parts_0 PARTITION OF parts FOR VALUES WITH (MODULUS 2, REMAINDER 0)",
	"TRUNCATE parts_1",
}

// truths returns the numbers of the walked tables, counted with plain SQL, in the form of told.
func truths(t *testing.T, dsn string) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, w := range walked {
		old := "'-'"
		if w.old != "" {
			old = "count(*) FILTER (WHERE " + w.old + ")"
		}
		all["public."+w.name] = pgtest.Value[string](t, dsn,
			fmt.Sprintf("SELECT format('%%s %%s %%s', count(*), count(*) FILTER (WHERE %s), %s) FROM %s", w.deleted,
				old, w.name))
	}
	return all
}

// Whatever happens between two refreshes, the second one has the right numbers, both for tables that are counted
// again and for those that count as unchanged.
func TestNumbersFollowWhateverHappens(t *testing.T) {
	t.Parallel()
	for seed := range uint64(3) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			rng := rand.New(rand.NewPCG(seed, 0))
			dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
			for _, w := range walked {
				pgtest.Exec(t, dsn, "CREATE TABLE "+w.name+" "+w.ddl)
			}
			pgtest.Exec(t, dsn, `CREATE TABLE parts_0 PARTITION OF parts FOR VALUES WITH (MODULUS 2, REMAINDER 0);
				CREATE TABLE parts_1 PARTITION OF parts FOR VALUES WITH (MODULUS 2, REMAINDER 1);
					CREATE INDEX ON stamps (deleted_at) WHERE deleted_at IS NOT NULL`)
			i := inspector(t, dsn, "")
			s := empty(t, i)
			var done []string
			for range 20 {
				for range 1 + rng.IntN(2) {
					step := aStep(rng)
					done = append(done, step)
					pgtest.Exec(t, dsn, step)
				}
				settled(t, dsn)
				s = refreshAfter(t, i, s, nil)
				if diff := cmp.Diff(truths(t, dsn), told(s)); diff != "" {
					t.Fatalf("(-want +got):\n%s\nafter\n%s", diff, strings.Join(done, "\n"))
				}
			}
		})
	}
}

// aStep returns a random change of one of the tables.
func aStep(rng *rand.Rand) string {
	w := walked[rng.IntN(len(walked))]
	step := steps[rng.IntN(len(steps))]
	if w.name == "parts" && (rng.IntN(3) == 0 || strings.Contains(step, "LIKE") || strings.Contains(step, "ALTER id")) {
		step = partitionSteps[rng.IntN(len(partitionSteps))]
	}
	ago := fmt.Sprintf("now() - interval '%d days'", 1+rng.IntN(180))
	set, unset := "deleted_at = "+ago, "deleted_at = NULL"
	switch w.name {
	case "flags":
		set, unset = "is_deleted = true", "is_deleted = NULL"
	case "pairs":
		set, unset = "is_deleted = true, deleted_at = "+ago, "is_deleted = false, deleted_at = NULL"
	}
	step = strings.NewReplacer("{set}", set, "{unset}", unset, "{n}", fmt.Sprint(1+rng.IntN(999)), " t_before",
		" "+w.name+"_before", " t_", " "+w.name+"_").Replace(step)
	words := strings.Split(step, " ")
	for n, word := range words {
		if name, rest, cut := strings.Cut(word, ";"); name == "t" {
			words[n] = w.name
			if cut {
				words[n] += ";" + rest
			}
		}
	}
	return strings.Join(words, " ")
}
