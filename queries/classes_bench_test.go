package queries

import (
	"fmt"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/softdelete-exporter/softdelete_exporter/internal/pgserver"
	"github.com/softdelete-exporter/softdelete_exporter/internal/pgserver/pgtest"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// former is how a relation was counted before its classes were: each number by a filter. The size was read by name in a
// common table expression, and every result that nobody needed was an array.
const former = `WITH size AS MATERIALIZED (
  SELECT pg_catalog.pg_relation_size(pg_catalog.to_regclass(pg_catalog.format('%I.%I', 'public', 'rows'))) AS bytes)
SELECT (SELECT bytes FROM size) AS bytes, pg_catalog.current_setting('block_size')::int8 AS block, `

// formerly returns the former question, made of the present one by filters.
func formerly(count string) string {
	_, results, _ := strings.Cut(count, "AS block, ")
	results, _, _ = strings.Cut(results, " WHERE (SELECT pg_relation_size(")
	for _, typ := range []string{"text", "int8", "float8", "bool"} {
		results = strings.ReplaceAll(results, " NULL::"+typ+"[]", " ARRAY[NULL]::"+typ+"[]")
	}
	return inline(former + results + " WHERE (SELECT bytes FROM size) <= '9223372036854775807'::int8")
}

// inline computes each instant for each row again, as PostgreSQL does without subqueries.
func inline(count string) string {
	const open = "(SELECT ("
	before, rest, found := strings.Cut(count, open)
	if !found {
		return count
	}
	depth := 2
	for i, c := range rest {
		switch c {
		case '(':
			depth++
		case ')':
			depth--
		}
		if depth == 0 {
			return before + "(" + rest[:i] + inline(rest[i+1:])
		}
	}
	panic("an instant has no end: " + count)
}

// benchmarked are the deletion times of BenchmarkClasses, each made of the timestamptz at.
var benchmarked = []struct {
	name, columns string
	marker        softdelete.Marker
}{
	{"timestamptz", "at", timed(softdelete.Timestamp, softdelete.Time{Type: softdelete.Timestamptz})},
	{"timestamp", "at AT TIME ZONE 'UTC' AS at",
		timed(softdelete.Timestamp, softdelete.Time{Type: softdelete.LocalTimestamp})},
	{"date", "at::date AS at", timed(softdelete.Timestamp, softdelete.Time{Type: softdelete.Date})},
	{"bigint, milliseconds", "(extract(epoch FROM at) * 1000)::int8 AS at",
		timed(softdelete.Epoch, softdelete.Time{Type: softdelete.EpochTime, Unit: softdelete.Milliseconds})},
	{"numeric, milliseconds", "(extract(epoch FROM at) * 1000)::numeric(20) AS at",
		timed(softdelete.Epoch, softdelete.Time{Type: softdelete.EpochTime, Unit: softdelete.Milliseconds})},
	{"flag and timestamptz", "at IS NOT NULL AS gone, at",
		softdelete.Marker{Kind: softdelete.Pair, Column: "gone", Time: &softdelete.Time{Column: "at",
			Type: softdelete.Timestamptz}}},
}

// timed is a marker whose column at is also the deletion time.
func timed(kind softdelete.Kind, at softdelete.Time) softdelete.Marker {
	at.Column = "at"
	return softdelete.Marker{Kind: kind, Column: "at", Time: &at}
}

func benchRelation(m softdelete.Marker) Relation {
	return Relation{Schema: "public", Name: "rows", Now: time.Now(), Table: &softdelete.Table{
		Markers: softdelete.Markers{m}, Policy: softdelete.Policy{Retention: 90 * 24 * time.Hour,
			Recent: time.Hour, TimeZone: "UTC", ZoneKnown: true}}}
}

// BenchmarkClasses compares the questions of a count with the former one of the same rows, by the least processor time:
// of one count of a large table, and of many counts of a small one.
func BenchmarkClasses(b *testing.B) {
	const rounds = 7
	dsn := pgtest.Start(b, pgserver.Options{Settings: map[string]string{"shared_buffers": "1GB"}}).DSN("postgres",
		pgserver.Superuser)
	conn := pgtest.Connect(b, dsn)
	run := func(sql string) {
		if _, err := conn.PgConn().Exec(b.Context(), sql).ReadAll(); err != nil {
			b.Fatal(err)
		}
	}
	run("SET jit = off; SET max_parallel_workers_per_gather = 0; SET timezone = 'UTC'; SET search_path = pg_catalog")
	for b.Loop() {
		fmt.Print("\n| deletion time | counts | formerly | filters | classes | classes to formerly |\n",
			"|---|---|---|---|---|---|\n")
		for _, test := range benchmarked {
			r := benchRelation(test.marker)
			filters := r.Count(math.MaxInt64)
			ways := []string{formerly(filters), filters, r.Classes(math.MaxInt64)}
			for _, size := range []struct {
				counts, rows int
				deleted      string
			}{{1, 1_000_000, "i % 10 = 0"}, {200, 1000, "i % 10 = 0"}, {200, 1000, "false"}} {
				run(fmt.Sprintf(`DROP TABLE IF EXISTS public.rows; CREATE TABLE public.rows AS
					SELECT i, %s, repeat('x', 60) AS filler FROM (
						SELECT i, CASE WHEN %s THEN now() - random() * '400 days'::interval END AS at
						FROM generate_series(1, %d) i) AS times; ANALYZE public.rows`, test.columns, size.deleted, size.rows))
				what := "10% deleted"
				if size.deleted == "false" {
					what, ways[2] = "none deleted, as in the last count", r.CountMarked(math.MaxInt64)
				}
				times := cheapest(b, conn, rounds, size.counts, ways, run)
				fmt.Printf("| %s | %d of %d rows, %s | %s | %s | %s | %.2f |\n", test.name, size.counts, size.rows, what,
					times[0].Round(time.Millisecond), times[1].Round(time.Millisecond), times[2].Round(time.Millisecond),
					float64(times[2])/float64(times[0]))
			}
		}
	}
}

// cheapest returns the least processor time of the server for each way to count so many times; the ways take turns. The
// processor time hardly depends on what else the machine does.
func cheapest(b *testing.B, conn *pgx.Conn, rounds, counts int, ways []string, run func(sql string)) []time.Duration {
	spent := func() time.Duration {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/schedstat", conn.PgConn().PID()))
		if err != nil {
			b.Fatal(err)
		}
		ns, err := strconv.ParseInt(strings.Fields(string(text))[0], 10, 64)
		if err != nil {
			b.Fatal(err)
		}
		return time.Duration(ns)
	}
	times := slices.Repeat([]time.Duration{math.MaxInt64}, len(ways))
	for range rounds {
		for i, way := range ways {
			before := spent()
			for range counts {
				run(way)
			}
			times[i] = min(times[i], spent()-before)
		}
	}
	return times
}
