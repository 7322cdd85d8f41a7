package inspect

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/softdelete-exporter/softdelete_exporter/indexes"
	"github.com/softdelete-exporter/softdelete_exporter/internal/pgserver/pgtest"
)

// generatedSchemas is how many tables of random indexes are advised.
const generatedSchemas = 48

// softDeletes are ways to mark deleted rows: the columns, what a row that is deleted and one that is live hold,
// the words for a live row, and keys that are made of the marker.
var softDeletes = []struct {
	columns, deleted, live, where string
	keys                          []string
}{
	{"deleted_at timestamptz, alive boolean GENERATED ALWAYS AS (CASE WHEN deleted_at IS NULL THEN true END) STORED, " +
		"day timestamp GENERATED ALWAYS AS (date_trunc('day', deleted_at AT TIME ZONE 'UTC')) STORED",
		"now() - i * interval '1 second'", "NULL", "deleted_at IS NULL",
		[]string{"deleted_at", "alive", "day", "COALESCE(deleted_at, 'infinity')",
			"(CASE WHEN deleted_at IS NULL THEN 1 END)"}},
	{"is_deleted boolean NOT NULL, gone int GENERATED ALWAYS AS (is_deleted::int) STORED",
		"true", "false", "NOT is_deleted", []string{"is_deleted", "gone", "NULLIF(is_deleted, true)"}},
	{"deleted_at timestamptz NOT NULL DEFAULT 'infinity'", "now() - i * interval '1 second'", "'infinity'",
		"deleted_at = 'infinity'", []string{"deleted_at", "NULLIF(deleted_at, 'infinity')"}},
}

// generated is a table with random indexes on columns that are unique by themselves, but for tenant_id.
func generated(random *rand.Rand, name string) (ddl string) {
	pick := func(from ...string) string { return from[random.IntN(len(from))] }
	one := func(in int) bool { return random.IntN(in) == 0 }
	how := softDeletes[random.IntN(len(softDeletes))]
	partitioned := one(4)
	var sql strings.Builder
	fmt.Fprintf(&sql, `CREATE TABLE %s (id bigint NOT NULL, tenant_id int, email text, name text, code text, token text,
		%s)`, name, how.columns)
	if partitioned {
		fmt.Fprintf(&sql,
			` PARTITION BY HASH (id); CREATE TABLE %[1]s_1 PARTITION OF %[1]s FOR VALUES WITH (MODULUS 2, REMAINDER 0);
			CREATE TABLE %[1]s_2 PARTITION OF %[1]s FOR VALUES WITH (MODULUS 2, REMAINDER 1)`, name)
	}
	for n := range 2 + random.IntN(4) {
		keys := []string{pick("id", "email", "name", "code", "token")}
		if partitioned {
			keys[0] = "id"
		}
		plain := true
		for range random.IntN(3) {
			key := pick(append(how.keys, "email", "tenant_id", "tenant_id", "lower(email)")...)
			if !slices.Contains(keys, key) {
				keys = append(keys, key)
				plain = plain && !strings.Contains(key, "(")
			}
		}
		random.Shuffle(len(keys), func(a, b int) { keys[a], keys[b] = keys[b], keys[a] })
		index := fmt.Sprintf("%s_i%d", name, n)
		include := ""
		if one(6) {
			include = " INCLUDE (name)"
		}
		if plain && one(2) {
			fmt.Fprintf(&sql, "; ALTER TABLE %s ADD CONSTRAINT %s UNIQUE (%s)%s%s", name, index, strings.Join(keys, ", "),
				include, pick("", "", " DEFERRABLE"))
			continue
		}
		where := pick("", "", " WHERE "+how.where, " WHERE tenant_id > 3", " WHERE tenant_id > 3 AND "+how.where)
		unique := pick("UNIQUE", "UNIQUE", "UNIQUE", "")
		fmt.Fprintf(&sql, "; CREATE %s INDEX %s ON %s (%s)%s%s", unique, index, name, strings.Join(keys, pick(", ", ", ",
			" DESC, ")), include, where)
	}
	fmt.Fprintf(&sql, `; INSERT INTO %s (id, tenant_id, email, name, code, token, %s)
		SELECT i, i %% 7, 'e' || i, 'n' || i, 'c' || i, 't' || i, CASE WHEN i %% 4 = 0 THEN %s ELSE %s END
		FROM generate_series(1, 400) i; ANALYZE %[1]s;`, name, strings.Fields(how.columns)[0], how.deleted, how.live)
	return sql.String()
}

// Whatever indexes there are: each statement of the advice can be run, and then nothing is advised any more.
func TestAllAdviceCanBeFollowedAndLeadsToNoOther(t *testing.T) {
	t.Parallel()
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	schema := map[string]string{}
	for seed := range uint64(generatedSchemas) {
		name := fmt.Sprintf("generated_%d", seed)
		schema[name] = generated(rand.New(rand.NewPCG(seed, 0)), name) // #nosec G404 -- repeatable
		pgtest.Exec(t, dsn, schema[name])
	}
	i := inspector(t, dsn, patient)
	before := first(t, i)
	advised := map[indexes.Problem]int{}
	for name := range schema {
		table := tableNamed(t, before, name)
		for _, a := range indexes.Advise(&table) {
			advised[a.Problem]++
		}
		indexCase{}.follow(t, dsn, table)
	}
	after := refreshAfter(t, i, before, nil)
	for name, ddl := range schema {
		table := tableNamed(t, after, name)
		for _, a := range indexes.Advise(&table) {
			t.Errorf("%s is still advised: %s\n%s", name, a.Reason, ddl)
		}
	}
	t.Logf("advice that was followed: %v", advised)
	for _, p := range []indexes.Problem{indexes.Duplicate, indexes.UniqueAllowsLiveDuplicate,
		indexes.UniqueBlocksSecondDelete,
		indexes.UniqueIgnoresDeleted} {
		if advised[p] == 0 {
			t.Errorf("no table was advised about %s", p)
		}
	}
}
