package bench

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/softdelete-exporter/softdelete_exporter/internal/pgserver/pgtest"
	"github.com/softdelete-exporter/softdelete_exporter/queries"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// The rows of the table that is purged, and how many of them are old in its two cases.
const (
	purgeRows = 5_000_000
	manyOld   = 1_000_000
	fewOld    = 20_000
)

// purgeable makes a table in which every n-th row is old. A table that references it has the same number of rows, and
// keeps one old row in a hundred from being purged.
func purgeable(b *testing.B, dsn string, old int, indexed, referenced bool) {
	b.Helper()
	each(b, dsn, `CREATE TABLE orders (id int, customer int, note text, deleted_at timestamptz)`,
		fmt.Sprintf(`INSERT INTO orders SELECT i, i %% 1000, repeat('x', 60),
			CASE WHEN i %% %d = 0 THEN now() - interval '1 year' WHEN i %% 50 = 1 THEN now() - interval '9 days' END
			FROM generate_series(1, %d) i`, purgeRows/old, purgeRows),
		`ALTER TABLE orders ADD PRIMARY KEY (id)`)
	if indexed {
		each(b, dsn, `CREATE INDEX orders_purge ON orders (deleted_at) WHERE deleted_at IS NOT NULL`)
	}
	if referenced {
		each(b, dsn, `CREATE TABLE items (id int, order_id int)`,
			fmt.Sprintf(`INSERT INTO items SELECT i, CASE WHEN i %% %d <> 0 OR i %% %d = 0 THEN i END FROM generate_series(1,
				%d) i`, purgeRows/old, 100*purgeRows/old, purgeRows),
			`CREATE INDEX items_order ON items (order_id)`, `ALTER TABLE items ADD FOREIGN KEY (order_id) REFERENCES orders`)
	}
	pgtest.Exec(b, dsn, "VACUUM (FREEZE, ANALYZE)")
}

// BenchmarkPurge runs the printed purge on five million rows, alone and during a workload.
func BenchmarkPurge(b *testing.B) {
	s := server(b, nil)
	rows := [][]string{{"old rows", "index on the time", "referenced", "rest", "took", "per million", "WAL",
		"updates during it: median, 99%"}}
	for b.Loop() {
		rows = rows[:1]
		for _, test := range []struct {
			old                 int
			indexed, referenced bool
			rest                float64
		}{
			{manyOld, false, false, 0}, {manyOld, true, false, 0}, {manyOld, false, true, 0}, {manyOld, false, false, 1},
			{fewOld, false, false, 0}, {fewOld, true, false, 0},
		} {
			dsn := pgtest.NewDatabase(b, s)
			purgeable(b, dsn, test.old, test.indexed, test.referenced)
			w := watch(b, dsn, "limits: {statement_timeout: 60s}\ncounting: {method: exact, exact_max_bytes: 10GB}")
			w.refresh()
			t := w.find(b, "orders")
			if err := w.FindPurging(b.Context(), pgtest.Value[string](b, dsn, "SELECT current_database()"),
				[]*softdelete.Table{&t}, nil); err != nil {
				b.Fatal(err)
			}
			if why := t.Withheld(); len(why) > 0 {
				b.Fatal(why)
			}
			script := queries.Purge{Database: pgtest.Value[string](b, dsn, "SELECT current_database()"), Table: &t, Minutes: 60,
				Rest: test.rest}.SQL()
			alone := beside(b, dsn, func() { time.Sleep(5 * time.Second) })
			before, wal := count(b, dsn), position(b, dsn)
			began := time.Now()
			busy := beside(b, dsn, func() { pgtest.Exec(b, dsn, script) })
			took := time.Since(began)
			gone := before - count(b, dsn)
			rows = append(rows, []string{softdelete.Thousands(float64(test.old)), yes(test.indexed), yes(test.referenced),
				fmt.Sprint(test.rest),
				fmt.Sprintf("%.1f s for %s rows", took.Seconds(), softdelete.Thousands(float64(gone))),
				fmt.Sprintf("%.1f s", took.Seconds()*1e6/float64(gone)),
				softdelete.Size(int64(position(b, dsn) - wal)), alone + " alone, " + busy + " during the purge"})
			pgtest.Exec(b, dsn, "DROP TABLE orders CASCADE")
		}
	}
	table(fmt.Sprintf("The purge of a table of %s rows", softdelete.Thousands(purgeRows)), rows...)
}

func yes(is bool) string {
	if is {
		return "yes"
	}
	return "no"
}

func count(b *testing.B, dsn string) int {
	b.Helper()
	return pgtest.Value[int](b, dsn, "SELECT count(*) FROM orders")
}

func position(b *testing.B, dsn string) float64 {
	b.Helper()
	return pgtest.Value[float64](b, dsn, "SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::float8")
}

// beside does something while four clients each update a row every 5 ms, and returns how long the updates took.
func beside(b *testing.B, dsn string, do func()) string {
	b.Helper()
	ctx, stop := context.WithCancel(b.Context())
	var mu sync.Mutex
	var times []time.Duration
	var clients sync.WaitGroup
	for n := range 4 {
		conn, err := pgx.Connect(ctx, dsn)
		if err != nil {
			b.Fatal(err)
		}
		rng := rand.New(rand.NewPCG(uint64(n), 5))
		clients.Go(func() {
			defer conn.Close(context.WithoutCancel(ctx))
			for ctx.Err() == nil {
				began := time.Now()
				if _, err := conn.Exec(ctx, "UPDATE orders SET customer = customer + 1 WHERE id = $1",
					1+rng.IntN(purgeRows)); err != nil {
					continue // the time is over
				}
				mu.Lock()
				times = append(times, time.Since(began))
				mu.Unlock()
				time.Sleep(5 * time.Millisecond)
			}
		})
	}
	do()
	stop()
	clients.Wait()
	if len(times) == 0 {
		b.Fatal("no update was made")
	}
	slices.Sort(times)
	return fmt.Sprintf("%s, %s", ms(times[len(times)/2]), ms(times[len(times)*99/100]))
}
