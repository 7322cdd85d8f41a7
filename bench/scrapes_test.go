package bench

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/softdelete-exporter/softdelete_exporter/internal/exportertest"
	"github.com/softdelete-exporter/softdelete_exporter/internal/pgserver/pgtest"
)

// before is the last revision that gathered and encoded the metrics at each scrape, if BASE does not name another one.
const before = "a189ad9"

// How often each is measured.
const (
	warmScrapes   = 50
	warmRefreshes = 4
	probeTargets  = 200
	probeTables   = 20
)

// revision is one version of the exporter, and what it costs in each measurement.
type revision struct {
	name, binary string
	cost         map[string]float64
}

// revisions returns the exporter as it was, if its source is there, and as it is.
func revisions(b *testing.B) []*revision {
	b.Helper()
	base := os.Getenv("BASE")
	if base == "" {
		base = before
	}
	dir := b.TempDir()
	archive := exec.Command("git", "archive", base)
	archive.Dir = ".."
	now := newRevision(b, "now", "..")
	source, err := archive.Output()
	if err != nil {
		b.Logf("without %s: %v", base, err)
		return []*revision{now}
	}
	unpack := exec.Command("tar", "-x", "-C", dir)
	unpack.Stdin = bytes.NewReader(source)
	if out, err := unpack.CombinedOutput(); err != nil {
		b.Fatalf("%v\n%s", err, out)
	}
	return []*revision{newRevision(b, base, dir), now}
}

func newRevision(b *testing.B, name, source string) *revision {
	b.Helper()
	r := &revision{name, build(b, source), map[string]float64{}}
	info, err := os.Stat(r.binary)
	if err != nil {
		b.Fatal(err)
	}
	r.cost["binary, stripped, MB"] = float64(info.Size()) / 1e6
	return r
}

// manyTables fills a database with small tables.
func manyTables(b *testing.B, dsn string, tables int) {
	b.Helper()
	for from := 0; from < tables; from += 250 {
		var sql strings.Builder
		for i := from; i < min(from+250, tables); i++ {
			fmt.Fprintf(&sql, `CREATE TABLE t_%d (id int PRIMARY KEY, deleted_at timestamptz, name text);
				INSERT INTO t_%[1]d SELECT i, CASE WHEN i %% 4 = 0 THEN now() - i * interval '1 day' END, 'name'
				FROM generate_series(1, 100) i;`, i)
		}
		pgtest.Exec(b, dsn, sql.String())
	}
	each(b, dsn, "VACUUM ANALYZE", "CHECKPOINT")
}

// exporter is a running exporter with a configuration file.
type exporter struct {
	*program
	file    string
	changes int
}

const benchConfig = "ttl: 1h\nmax_stale: 4h\ncounting: {pass_time: 10m}\ndiscovery: {max_tables: 20000}\n" +
	"limits: {statement_timeout: 30s}\n" +
	"probe: {allow: ['.*']}\nauth_modules: {bench: {user: postgres, sslmode: disable}}\n"

func (r *revision) start(b *testing.B, env ...string) *exporter {
	b.Helper()
	file := filepath.Join(b.TempDir(), "config.yaml")
	if err := os.WriteFile(file, []byte(benchConfig), 0o600); err != nil {
		b.Fatal(err)
	}
	return &exporter{program: launch(b, r.binary, func(address string) []string {
		return []string{"--web.listen-address=" + address, "--config.file=" + file}
	}, env...), file: file}
}

// scrape scrapes a page like Prometheus.
func (e *exporter) scrape(b *testing.B, page string) []byte {
	b.Helper()
	body, _, err := scrape(e.url+page, true)
	if err != nil {
		b.Fatalf("%v\n%s", err, e.output.String())
	}
	return body
}

// renew makes a refresh due, by a change of the configuration, which the exporter has when it returns.
func (e *exporter) renew(b *testing.B) {
	b.Helper()
	e.changes++
	text := fmt.Sprintf("%sscrape: {offset: %dms}\n", benchConfig, 500+e.changes)
	if err := os.WriteFile(e.file, []byte(text), 0o600); err != nil {
		b.Fatal(err)
	}
	if err := e.command.Process.Signal(syscall.SIGHUP); err != nil {
		b.Fatal(err)
	}
	pgtest.WaitFor(b, "a reload", func() bool {
		return strings.Count(e.output.String(), "configuration reloaded") == e.changes
	})
}

// connected returns how many sessions the database has had.
func connected(b *testing.B, dsn string) int64 {
	b.Helper()
	return pgtest.Value[int64](b, dsn, "SELECT sessions FROM pg_stat_database WHERE datname = current_database()")
}

// refresh starts a refresh by a scrape and waits for its end: it has a connection of its own meanwhile. A scrape starts
// none if the last one has closed its connection, but not quite ended.
func (e *exporter) refresh(b *testing.B, dsn string) {
	b.Helper()
	before := connected(b, dsn)
	for began := time.Now(); connected(b, dsn) == before || pgtest.Sessions(b, dsn) > 1; {
		if connected(b, dsn) == before {
			e.scrape(b, "/metrics")
		}
		if time.Since(began) > 10*time.Minute {
			b.Fatal("the refresh does not end")
		}
		time.Sleep(500 * time.Millisecond)
	}
}

// tables measures the exporter with one database.
func (r *revision) tables(b *testing.B, dsn string, tables int) {
	e := r.start(b, "DATA_SOURCE_NAME="+dsn)
	defer e.end()
	for deadline := time.Now().Add(10 * time.Minute); series(e.scrape(b, "/metrics")) < int64(16*tables); {
		if time.Now().After(deadline) {
			b.Fatalf("%d tables are not counted:\n%s", tables, e.output.String())
		}
		time.Sleep(time.Second)
	}
	pgtest.WaitFor(b, "the end of the refresh", func() bool { return pgtest.Sessions(b, dsn) <= 1 })
	e.scrape(b, "/metrics")
	for _, way := range []string{"with gzip", "without"} {
		began := e.cpu(b)
		for range warmScrapes {
			if _, _, err := scrape(e.url+"/metrics", way == "with gzip"); err != nil {
				b.Fatal(err)
			}
		}
		r.add("warm scrape "+way+", CPU, ms", tables, float64(e.cpu(b)-began)/warmScrapes/float64(time.Millisecond))
	}
	var spent time.Duration
	for range warmRefreshes {
		e.renew(b)
		began := e.cpu(b)
		e.refresh(b, dsn)
		e.scrape(b, "/metrics")
		spent += e.cpu(b) - began
	}
	r.add("refresh and scrape, CPU, ms", tables, float64(spent)/warmRefreshes/float64(time.Millisecond))
	r.add("RSS, MB", tables, float64(e.memory(b, "VmRSS"))/1e6)
	r.add("largest RSS, MB", tables, float64(e.memory(b, "VmHWM"))/1e6)
}

// targets measures the exporter with many targets of /probe.
func (r *revision) targets(b *testing.B, pages []string) {
	e := r.start(b)
	defer e.end()
	round := func() {
		var scraping sync.WaitGroup
		for from := range 4 {
			scraping.Go(func() {
				for i := from; i < len(pages); i += 4 {
					if body, _, err := scrape(e.url+pages[i], true); err != nil || series(body) < 16*probeTables {
						b.Errorf("%s: %v, %d series", pages[i], err, series(body))
					}
				}
			})
		}
		scraping.Wait()
	}
	round()
	r.add("first round of /probe, CPU, ms", probeTargets, float64(e.cpu(b))/float64(time.Millisecond))
	began := e.cpu(b)
	round()
	r.add("later round of /probe, CPU, ms", probeTargets, float64(e.cpu(b)-began)/float64(time.Millisecond))
	r.add("RSS with targets of /probe, MB", probeTargets, float64(e.memory(b, "VmRSS"))/1e6)
}

func (r *revision) add(what string, of int, cost float64) {
	r.cost[fmt.Sprintf("%s: %d", what, of)] = cost
}

// BenchmarkScrapes compares what scrapes and refreshes cost the exporter, now and before.
func BenchmarkScrapes(b *testing.B) {
	s := server(b, nil)
	all := revisions(b)
	sizes := []int{1000, 10_000}
	for b.Loop() {
		for _, tables := range sizes {
			b.Logf("%d tables", tables)
			dsn := pgtest.NewDatabase(b, s)
			manyTables(b, dsn, tables)
			for _, r := range all {
				r.tables(b, dsn, tables)
			}
		}
		pages := make([]string, probeTargets)
		for i := range pages {
			dsn := pgtest.NewDatabase(b, s)
			manyTables(b, dsn, probeTables)
			pages[i] = fmt.Sprintf("/probe?auth_module=bench&target=127.0.0.1:%d/%s", s.Port, exportertest.Database(b, dsn))
		}
		for _, r := range all {
			r.targets(b, pages)
		}
	}
	rows := [][]string{{""}}
	for _, r := range all {
		rows[0] = append(rows[0], r.name)
	}
	rows[0] = append(rows[0], "ratio")
	for _, what := range slices.Sorted(maps.Keys(all[0].cost)) {
		row := []string{what}
		for _, r := range all {
			row = append(row, fmt.Sprintf("%.1f", r.cost[what]))
		}
		rows = append(rows, append(row, fmt.Sprintf("%.2f", all[len(all)-1].cost[what]/all[0].cost[what])))
	}
	table("What scrapes and refreshes cost the exporter", rows...)
}
