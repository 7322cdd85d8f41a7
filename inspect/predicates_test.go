package inspect

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/softdelete-exporter/softdelete_exporter/internal/pgserver/pgtest"
	"github.com/softdelete-exporter/softdelete_exporter/predicate"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// readings are markers with the values of live and deleted rows in tables of each kind; a kind can be used in several
// ways. Odd values are live, but not used on purpose.
var readings = []struct {
	marker softdelete.Marker
	typ    string
	ways   []way
}{
	{softdelete.Marker{Kind: softdelete.Timestamp, Column: "at"}, "timestamptz",
		[]way{{live: "NULL", deleted: "2020-01-01,2030-01-01,infinity"}}},
	{softdelete.Marker{Kind: softdelete.Sentinel, Column: "d", Live: []string{"infinity"}}, "timestamptz",
		[]way{{live: "infinity", deleted: "2020-01-01,2030-01-01"}}},
	{softdelete.Marker{Kind: softdelete.Flag, Column: "b"}, "boolean", []way{{live: "f", deleted: "t", odd: "NULL"}}},
	{softdelete.Marker{Kind: softdelete.InvertedFlag, Column: "b"}, "boolean",
		[]way{{live: "t", deleted: "f"}, {live: "t", deleted: "NULL"}}},
	{softdelete.Marker{Kind: softdelete.Epoch, Column: "e"}, "bigint",
		[]way{{live: "0", deleted: "1,1700000000,9007199254740993"},
			{live: "NULL", deleted: "1,1700000000,9007199254740993"}}},
	{softdelete.Marker{Kind: softdelete.Number, Column: "s"}, "smallint",
		[]way{{live: "0", deleted: "-1,1,2", odd: "NULL"}}},
	{softdelete.Marker{Kind: softdelete.Letter, Column: "c"}, "char(1)", []way{{live: "N", deleted: "Y", odd: "NULL"}}},
	{softdelete.Marker{Kind: softdelete.Letter, Column: "v"}, "text", []way{{live: "0", deleted: "2", odd: "NULL"}}},
	{softdelete.Marker{Kind: softdelete.Status, Column: "st", Deleted: []string{"deleted", "trashed"}}, "text",
		[]way{{live: "active,del,x", deleted: "deleted,trashed", odd: "NULL"}}},
}

type way struct{ live, deleted, odd string }

// atoms are common conditions on the columns; {odd} is a text that is hard to parse, {n} a number.
var atoms = []string{
	"at IS NULL", "at IS NOT NULL", "at > '2024-01-01Z'", "at = 'infinity'", "COALESCE(at, 'infinity') = 'infinity'",
	"d = 'infinity'", "d <> 'infinity'", "d < 'infinity'",
	"b", "b = false", "b <> true", "b IS NOT TRUE", "b IS FALSE", "b IS UNKNOWN", "COALESCE(b, true)",
	"COALESCE(b, false) = false",
	"e = {n}", "e <> {n}", "e > {n}", "{n} < e", "e >= {n}", "COALESCE(e, 0) = {n}", "e = '9007199254740993'",
	"e <= 9007199254740992", "e = (0.4)::int", "e > '-1'::int::bigint",
	"s = {n}", "s <> -1", "s > {n}", "s <= '2'", "s IN (0, {n})", "s NOT IN (-1, {n})", "s::text = '{n}'",
	"s BETWEEN 0 AND {n}",
	"c = 'N'", "c <> 'Y'", "c > 'M'", "c::text = 'Y'", "c IN ('Y', 'y')", "c = ('Yes'::text)::char(1)",
	"v = '0'", "v <> '2'", "v > '10'", "v::bpchar = '2 '", "v IN ('1', '2')", "v = ('2x'::text)::char(1)",
	"st = 'active'", "st <> 'deleted'", "st NOT IN ('deleted', 'trashed')", "st = ANY ('{deleted,trashed}')",
	"st = ANY (ARRAY['active'] || ARRAY['deleted', 'trashed'])",
	"st = ('deleted'::varchar)::varchar(3)", "st = {odd}", "st IN ('deleted', {odd})",
	"COALESCE(st, 'deleted') = 'active'", "COALESCE(COALESCE(st, 'deleted'), 'active') = 'active'",
	"lower(st) = 'deleted'", "(st COLLATE \"C\") < 'b'", "CASE WHEN b THEN at IS NULL ELSE st = {odd} END",
	"note = {odd}", "note <> {odd}", "(note || {odd}) = {odd}", "\"od\"\"d\" IS NULL", "starts_with(note, {odd})",
	"bits = B'1'", "\"C:\\\" > {n}",
}

var odds = []string{`'C:\'`, `'\'`, `'\\'''`, `''''`, `'"'`, `'at IS NULL'`, `') OR (at IS NULL'`, `E'a\nb'`, `'--'`,
	`'/*'`, `'N'`, `'2'`, `'ж'`, `'{'`}

// aPredicate combines atoms at random.
func aPredicate(rng *rand.Rand, depth int) string {
	if depth == 0 || rng.IntN(3) == 0 {
		atom := atoms[rng.IntN(len(atoms))]
		for strings.Contains(atom, "{odd}") {
			atom = strings.Replace(atom, "{odd}", odds[rng.IntN(len(odds))], 1)
		}
		return "(" + strings.ReplaceAll(atom, "{n}", fmt.Sprint(rng.IntN(3))) + ")"
	}
	left, right := aPredicate(rng, depth-1), aPredicate(rng, depth-1)
	return []string{"(" + left + " AND " + right + ")", "(" + left + " OR " + right + ")",
		"(NOT " + left + ")"}[rng.IntN(3)]
}

// Whatever a predicate contains, what is read from it is true for every row.
func TestWhatIsReadOutOfAPredicateIsTrue(t *testing.T) {
	t.Parallel()
	const predicates = 120
	rng := rand.New(rand.NewPCG(1, 2))
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	pgtest.Exec(t, dsn, `CREATE TABLE rows (at timestamptz, d timestamptz, b boolean, e bigint, s smallint, c char(1),
		v text, st text, note text, "od""d" int, bits bit(1), "C:\" int)`)
	script := ""
	for n := range predicates {
		script += fmt.Sprintf("CREATE INDEX i%03d ON rows (note) WHERE %s;\n", n, aPredicate(rng, 3))
	}
	pgtest.Exec(t, dsn, script)
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	answer, _ := conn.Query(t.Context(),
		`SELECT pg_get_expr(indpred,
			indrelid) FROM pg_index JOIN pg_class c ON c.oid = indexrelid WHERE indrelid = 'rows'::regclass ORDER BY relname`)
	texts, err := pgx.CollectRows(answer, pgx.RowTo[string])
	if err != nil || len(texts) != predicates {
		t.Fatal(len(texts), err)
	}
	decided := 0
	for _, r := range readings {
		most := make([]bool, predicates) // all rows on purpose are included, in one of the ways
		allLive, allDeleted := make([]bool, predicates), make([]bool, predicates)
		for _, way := range r.ways {
			pgtest.Exec(t, dsn, fill(r.marker.Column, r.typ, way))
			for n, held := range hold(t, conn, texts) {
				scope := predicate.ScopeOf(softdelete.Markers{r.marker}, texts[n])
				if scope.Live == softdelete.None && held.Live+held.Odd > 0 ||
					scope.Deleted == softdelete.None && held.Deleted > 0 {
					t.Errorf("%s by %s, live %s: read as %+v, but it lets %+v in", texts[n], r.marker.Column, way.live, scope, held)
				}
				allLive[n] = allLive[n] || held.Live == held.AllLive
				allDeleted[n] = allDeleted[n] || held.Deleted == held.AllDeleted
				most[n] = most[n] || scope.LiveOnly()
			}
		}
		for n, text := range texts {
			scope := predicate.ScopeOf(softdelete.Markers{r.marker}, text)
			if scope.Live == softdelete.All && !allLive[n] || scope.Deleted == softdelete.All && !allDeleted[n] {
				t.Errorf("%s by %s: read as %+v, but not all are let in", text, r.marker.Column, scope)
			}
			if most[n] {
				decided++
			}
		}
	}
	if decided < predicates/10 {
		t.Errorf("no more than %d predicates are read", decided)
	}
}

// held is how many rows of each state a predicate includes, and how many there are.
type held struct{ Live, Odd, Deleted, AllLive, AllDeleted int }

func hold(t *testing.T, conn *pgx.Conn, texts []string) []held {
	t.Helper()
	parts := make([]string, len(texts))
	for n, text := range texts {
		parts[n] = fmt.Sprintf(`SELECT %d AS n, count(*) FILTER (WHERE state = 'live' AND (%[2]s)) AS live,
			count(*) FILTER (WHERE state = 'odd' AND (%[2]s)) AS odd,
			count(*) FILTER (WHERE state = 'deleted' AND (%[2]s)) AS deleted,
				count(*) FILTER (WHERE state = 'live') AS alllive,
					count(*) FILTER (WHERE state = 'deleted') AS alldeleted FROM filled`, n, text)
	}
	answer, _ := conn.Query(t.Context(), "SELECT live, odd, deleted, alllive, alldeleted FROM ("+
		strings.Join(parts, " UNION ALL ")+") x ORDER BY n")
	all, err := pgx.CollectRows(answer, pgx.RowToStructByPos[held])
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// fill inserts rows with every state of one column, and any values in the others.
func fill(column, typ string, w way) string {
	script := `DROP TABLE IF EXISTS filled; CREATE TABLE filled (LIKE rows, state text); SELECT setseed(0.5);
		CREATE OR REPLACE FUNCTION pick(of text[]) RETURNS text VOLATILE LANGUAGE sql AS
			'SELECT of[1 + floor(random() * cardinality(of))::int]';`
	for state, values := range map[string]string{"live": w.live, "deleted": w.deleted, "odd": w.odd} {
		script += fmt.Sprintf(`
			INSERT INTO filled SELECT pick('{NULL,2020-01-01,2030-01-01,infinity}')::timestamptz,
				pick('{2020-01-01,infinity}')::timestamptz, pick('{NULL,t,f}')::bool, pick('{NULL,0,1,2}')::int8,
				pick('{NULL,-1,0,1,2}')::int2, pick('{NULL,N,Y}')::char(1), pick('{NULL,0,2}'),
					pick('{NULL,active,deleted,trashed,del}'), pick('{NULL,x,"C:\\\\","\\\\",N,2}'),
				pick('{NULL,1}')::int, pick('{NULL,0,1}')::bit(1), pick('{NULL,0,1,2}')::int, '%[1]s' FROM generate_series(1,
					40) WHERE '%[2]s' <> '';
			UPDATE filled SET %[3]s = pick('{%[2]s}')::%[4]s WHERE state = '%[1]s';`, state, values, column, typ)
	}
	return script
}
