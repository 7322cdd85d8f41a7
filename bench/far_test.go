package bench

import (
	"fmt"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/softdelete-exporter/softdelete_exporter/internal/pgserver/pgtest"
)

// firstScrape starts the program, and returns what it costs until a scrape has the counts of all tables.
func (p *peer) firstScrape(b *testing.B, dsn string) cost {
	b.Helper()
	before := serverTime(b, dsn)
	program := launch(b, p.binary, p.args, p.env...)
	defer program.end()
	for began := time.Now(); ; time.Sleep(10 * time.Millisecond) {
		body, _, err := scrape(program.url+"/metrics", false)
		if err != nil {
			b.Fatalf("%v\n%s", err, program.output.String())
		}
		if took := time.Since(began); series(body) > 3*peerTables {
			return cost{took, program.cpu(b), serverTime(b, dsn) - before}
		} else if took > 2*time.Minute {
			b.Fatalf("%s does not count\n%s", p.name, program.output.String())
		}
	}
}

// BenchmarkFirstScrape compares the first scrape of the task with that of the peers, by the time to the server and
// back. It also shows what it leaves in the log of a server that logs every statement.
func BenchmarkFirstScrape(b *testing.B) {
	s := server(b, map[string]string{"max_locks_per_transaction": "256"})
	dsn := pgtest.NewDatabase(b, s)
	theTask(b, dsn)
	front := pgtest.NewFront(b, dsn)
	all := slices.DeleteFunc(peers(b, s, front.DSN), func(p *peer) bool { return !p.counts })
	rows := [][]string{{"", "round trip", "first scrape", "its CPU", "the server's CPU"}}
	for _, way := range []time.Duration{0, 5 * time.Millisecond, 30 * time.Millisecond} {
		front.Delay(way / 2)
		costs := make([]struct{ took, ours, server []time.Duration }, len(all))
		for range repetitions {
			for i, p := range all {
				c := p.firstScrape(b, dsn)
				costs[i].took, costs[i].ours = append(costs[i].took, c.took), append(costs[i].ours, c.ours)
				costs[i].server = append(costs[i].server, c.server)
			}
		}
		for i, p := range all {
			rows = append(rows, append([]string{p.name, way.String()}, cost{median(costs[i].took), median(costs[i].ours),
				median(costs[i].server)}.cells()...))
		}
	}
	front.Delay(0)
	table(fmt.Sprintf("The first scrape of %d tables of %d rows; medians of %d", peerTables, peerRows, repetitions),
		rows...)
	pgtest.Exec(b, dsn, "ALTER SYSTEM SET log_min_duration_statement = 0")
	pgtest.Exec(b, dsn, "SELECT pg_reload_conf()")
	size := func() float64 {
		info, err := os.Stat(s.LogPath)
		if err != nil {
			b.Fatal(err)
		}
		return float64(info.Size()) / 1e6
	}
	for time.Sleep(time.Second); pgtest.Value[string](b, dsn, "SHOW log_min_duration_statement") != "0"; {
		time.Sleep(100 * time.Millisecond)
	}
	before := size()
	all[0].firstScrape(b, dsn)
	fmt.Printf("It leaves %.2f MB in the log of a server that logs every statement.\n", size()-before)
}

// BenchmarkManyDatabases measures refreshes of 200 databases with 20 tables each.
func BenchmarkManyDatabases(b *testing.B) {
	const databases, tables = 200, 20
	s := server(b, map[string]string{"max_locks_per_transaction": "256", "fsync": "off"})
	admin := s.DSN("postgres", "postgres")
	pgtest.CreateDatabase(b, s, "model")
	pgtest.Exec(b, s.DSN("model", "postgres"), fmt.Sprintf(`DO $$ BEGIN FOR n IN 1..%d LOOP
		EXECUTE format('CREATE TABLE t%%s AS SELECT i AS id, CASE WHEN mod(i, 4) = 0 THEN now() - interval ''1 year'' END
			AS deleted_at FROM generate_series(1, 100) i', n); END LOOP; END $$`, tables))
	for n := range databases - 1 {
		pgtest.Exec(b, admin, fmt.Sprintf("CREATE DATABASE copy_%d TEMPLATE model STRATEGY file_copy", n))
	}
	time.Sleep(time.Second) // the server updates its counters late
	front := pgtest.NewFront(b, admin)
	rows := [][]string{{"round trip", "refresh", "took", "our CPU", "the server's CPU"}}
	for _, way := range []time.Duration{0, 5 * time.Millisecond} {
		front.Delay(way / 2)
		dsn := front.DSN
		if way == 0 {
			dsn = admin
		}
		w := watch(b, dsn, "databases: {all: true}\ncounting: {pass_time: 10m}")
		for _, refresh := range []string{"first", "nothing was written"} {
			c := measured(b, admin, func() { w.refresh() })
			rows = append(rows, append([]string{way.String(), refresh}, c.cells()...))
		}
		for n := range databases - 1 {
			pgtest.Exec(b, s.DSN(fmt.Sprintf("copy_%d", n), "postgres"), "UPDATE t1 SET id = id WHERE id = 1")
		}
		time.Sleep(time.Second)
		c := measured(b, admin, func() { w.refresh() })
		rows = append(rows, append([]string{way.String(), "one table of each was written to"}, c.cells()...))
		if got := len(w.snapshot.Databases); got != databases+1 {
			b.Fatalf("%d databases", got)
		}
		for _, d := range w.snapshot.Databases {
			for _, t := range d.Tables {
				if t.Numbers == nil {
					b.Fatalf("%s.%s: %+v", d.Name, t.Name, t.Problem)
				}
			}
		}
	}
	table(fmt.Sprintf("%d databases of %d tables", databases, tables), rows...)
}
