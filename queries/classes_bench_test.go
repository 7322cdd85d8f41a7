package queries

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/softdelete-exporter/softdelete_exporter/internal/pgserver"
	"github.com/softdelete-exporter/softdelete_exporter/internal/pgserver/pgtest"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

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

// BenchmarkClasses compares a count in classes with a count of the same rows by filters: with instants that are
// computed once, and with instants that are computed for each row. The three take turns, and the shortest time of each
// counts: of one count of a large table, and of many counts of a small one.
func BenchmarkClasses(b *testing.B) {
	const rounds = 5
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
		fmt.Print("\n| deletion time | counts | filters, instants per row | filters | classes | ratios |\n",
			"|---|---|---|---|---|---|\n")
		for _, test := range benchmarked {
			r := benchRelation(test.marker)
			filters := r.Count(math.MaxInt64)
			ways := []string{inline(filters), filters, r.Classes(math.MaxInt64)}
			for counts, rows := range map[int]int{1: 2_000_000, 200: 1000} {
				run(fmt.Sprintf(`DROP TABLE IF EXISTS public.rows; CREATE TABLE public.rows AS
					SELECT i, %s, repeat('x', 60) AS filler FROM (
						SELECT i, CASE WHEN i %% 10 = 0 THEN now() - random() * '400 days'::interval END AS at
						FROM generate_series(1, %d) i) AS times; ANALYZE public.rows`, test.columns, rows))
				times := slices.Repeat([]time.Duration{math.MaxInt64}, len(ways))
				for range rounds {
					for i, way := range ways {
						began := time.Now()
						for range counts {
							run(way)
						}
						times[i] = min(times[i], time.Since(began))
					}
				}
				fmt.Printf("| %s | %d of %d rows | %s | %s | %s | %.2f, %.2f |\n", test.name, counts, rows,
					times[0].Round(time.Millisecond), times[1].Round(time.Millisecond), times[2].Round(time.Millisecond),
					float64(times[2])/float64(times[0]), float64(times[2])/float64(times[1]))
			}
		}
	}
}
