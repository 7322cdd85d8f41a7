package bench

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/softdelete-exporter/softdelete_exporter/internal/pgserver"
	"github.com/softdelete-exporter/softdelete_exporter/internal/pgserver/pgtest"
)

// The task: 1,000 tables of 1,000 rows each.
const (
	peerTables   = 1000
	peerRows     = 1000
	repetitions  = 5
	laterScrapes = 5
)

// peer is a program to measure.
type peer struct {
	name, binary string
	args         func(address string) []string
	env          []string
	counts       bool // it is configured to count

	first, later, zipped, waits []time.Duration
	series, rss, connections    []int64
}

// counts returns the query for the peers: the exporter's counts, in one statement.
func counts() string {
	parts := make([]string, peerTables)
	for i := range parts {
		parts[i] = fmt.Sprintf(
			"SELECT 'public' AS schemaname, 't_%[1]d' AS relname, count(*) AS total, count(*) FILTER (WHERE deleted_at IS "+
				"NULL) AS active, "+
				"count(*) FILTER (WHERE deleted_at IS NOT NULL) AS deleted, count(*) FILTER (WHERE deleted_at < now() - "+
				"interval '90 days') AS old FROM t_%[1]d", i)
	}
	return strings.Join(parts, " UNION ALL ")
}

// scrape returns a page, decompressed, and how long it took.
func scrape(url string, zip bool) (body []byte, took time.Duration, err error) {
	request, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		return nil, 0, err
	}
	request.Header.Set("X-Prometheus-Scrape-Timeout-Seconds", "60")
	transport := &http.Transport{DisableCompression: true, DisableKeepAlives: true}
	if zip {
		request.Header.Set("Accept-Encoding", "gzip")
	}
	began := time.Now()
	response, err := transport.RoundTrip(request)
	if err != nil {
		return nil, 0, err
	}
	defer response.Body.Close()
	body, err = io.ReadAll(response.Body)
	took = time.Since(began)
	if zip && response.Header.Get("Content-Encoding") != "gzip" {
		return nil, 0, fmt.Errorf("%s is not compressed", url)
	}
	if response.StatusCode != http.StatusOK {
		return nil, 0, fmt.Errorf("%s: %s", url, response.Status)
	}
	if zip {
		reader, err := gzip.NewReader(bytes.NewReader(body))
		if err != nil {
			return nil, 0, err
		}
		body, err = io.ReadAll(reader)
		return body, took, err
	}
	return body, took, err
}

// run starts the program, scrapes it, and ends it.
func (p *peer) run(b *testing.B, dsn string) {
	b.Helper()
	program := launch(b, p.binary, p.args, p.env...)
	defer program.end()
	stop := make(chan struct{})
	longest := make(chan time.Duration)
	go p.alter(b, dsn, stop, longest)
	// One scrape, or several if the program counts on its own schedule.
	var body []byte
	for began := time.Now(); ; time.Sleep(10 * time.Millisecond) {
		var err error
		if body, _, err = scrape(program.url+"/metrics", false); err != nil {
			b.Fatalf("%v\n%s", err, program.output.String())
		}
		if took := time.Since(began); !p.counts || series(body) > 3*peerTables {
			p.first = append(p.first, took)
			break
		} else if took > time.Minute {
			b.Fatalf("%s does not count\n%s", p.name, program.output.String())
		}
	}
	close(stop)
	p.waits = append(p.waits, <-longest)
	for range laterScrapes {
		for _, way := range []struct {
			zip   bool
			times *[]time.Duration
		}{{false, &p.later}, {true, &p.zipped}} {
			_, took, err := scrape(program.url+"/metrics", way.zip)
			if err != nil {
				b.Fatal(err)
			}
			*way.times = append(*way.times, took)
		}
	}
	p.series = append(p.series, series(body))
	p.rss = append(p.rss, program.memory(b, "VmRSS"))
	p.connections = append(p.connections, pgtest.Value[int64](b, dsn,
		"SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"))
}

// alter runs a migration on one table after another, and records the longest wait.
func (p *peer) alter(b *testing.B, dsn string, stop <-chan struct{}, longest chan<- time.Duration) {
	conn := connect(b, dsn)
	defer conn.Close(context.Background())
	var most time.Duration
	for i := 0; ; i = (i + 97) % peerTables {
		select {
		case <-stop:
			longest <- most
			return
		case <-time.After(5 * time.Millisecond):
		}
		began := time.Now()
		if _, err := conn.Exec(context.Background(), fmt.Sprintf("ALTER TABLE t_%d SET (fillfactor = 90)", i)); err != nil {
			b.Error(err)
		}
		most = max(most, time.Since(began))
	}
}

func series(body []byte) (n int64) {
	lines := bufio.NewScanner(bytes.NewReader(body))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		if line := lines.Text(); line != "" && line[0] != '#' {
			n++
		}
	}
	return n
}

// peers returns the programs to compare: the exporter, and those that are installed.
func peers(b *testing.B, s *pgserver.Server, dsn string) []*peer {
	b.Helper()
	dir := b.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			b.Fatal(err)
		}
		return path
	}
	ours := build(b, "..")
	find := func(name string) string {
		path, err := exec.LookPath(name)
		if err != nil {
			b.Fatalf("%s is missing; run scripts/tools.sh bench", name)
		}
		return path
	}
	postgresExporter, sqlExporter := find("prometheus-postgres-exporter"), find("prometheus-sql-exporter")
	metric := func(name string) string { return fmt.Sprintf("    - %s: {usage: GAUGE, description: rows}\n", name) }
	queries := file("queries.yaml", "softdelete:\n  query: \""+counts()+
		"\"\n  metrics:\n    - schemaname: {usage: LABEL, description: schema}\n    - relname: {usage: LABEL, "+
		"description: table}\n"+
		metric("total")+metric("active")+metric("deleted")+metric("old"))
	sql := file("sql.yaml",
		fmt.Sprintf(
			"jobs:\n- name: softdelete\n  interval: 5m\n  connections: ['%s']\n  queries:\n  - name: softdelete\n    help: "+
				"rows\n    labels: [schemaname, relname]\n    values: [total, active, deleted, old]\n    query: \"%s\"\n",
			dsn, counts()))
	empty := file("empty.yaml",
		fmt.Sprintf(
			"jobs:\n- name: one\n  interval: 5m\n  connections: ['%s']\n  queries:\n  - name: one\n    help: one\n    "+
				"values: [one]\n    query: SELECT 1 AS one\n", dsn))
	source := []string{"DATA_SOURCE_NAME=" + dsn}
	listen := func(more ...string) func(string) []string {
		return func(address string) []string { return append([]string{"--web.listen-address=" + address}, more...) }
	}
	return []*peer{
		{name: "softdelete_exporter", binary: ours, args: listen(), env: source, counts: true},
		{name: "postgres_exporter, same counts", binary: postgresExporter, args: listen("--extend.query-path=" + queries),
			env: source, counts: true},
		{name: "sql_exporter, same counts", binary: sqlExporter, counts: true, args: func(address string) []string {
			return []string{"-web.listen-address=" + address, "-config.file=" + sql}
		}},
		{name: "postgres_exporter, default", binary: postgresExporter, args: listen(), env: source},
		{name: "sql_exporter, SELECT 1", binary: sqlExporter, args: func(address string) []string {
			return []string{"-web.listen-address=" + address, "-config.file=" + empty}
		}},
	}
}

// theTask makes the tables.
func theTask(b *testing.B, dsn string) {
	b.Helper()
	for from := 0; from < peerTables; from += 250 {
		var sql strings.Builder
		for i := from; i < from+250; i++ {
			fmt.Fprintf(&sql, `CREATE TABLE t_%d (id int PRIMARY KEY, deleted_at timestamptz, name text);
				INSERT INTO t_%[1]d SELECT i, CASE WHEN i %% 4 = 0 THEN now() - i * interval '1 day' END,
					'name' FROM generate_series(1, %d) i;`, i, peerRows)
		}
		pgtest.Exec(b, dsn, sql.String())
	}
	each(b, dsn, "VACUUM ANALYZE", "CHECKPOINT")
}

// BenchmarkPeers is the comparison: medians of alternating repetitions, in one run.
func BenchmarkPeers(b *testing.B) {
	s := server(b, nil)
	dsn := pgtest.NewDatabase(b, s)
	theTask(b, dsn)
	all := peers(b, s, dsn)
	for b.Loop() {
		for range repetitions {
			for _, p := range all {
				p.run(b, dsn)
			}
		}
	}
	rows := [][]string{{"", "stripped binary", "first scrape", "later scrapes", "with gzip", "series", "RSS",
		"connections", "longest wait of ALTER TABLE"}}
	for _, p := range all {
		info, err := os.Stat(p.binary)
		if err != nil {
			b.Fatal(err)
		}
		rows = append(rows, []string{p.name, fmt.Sprintf("%.1f MB", float64(info.Size())/1e6), ms(median(p.first)),
			ms(median(p.later)), ms(median(p.zipped)),
			fmt.Sprint(median(p.series)), fmt.Sprintf("%.0f MB", float64(median(p.rss))/1e6), fmt.Sprint(median(p.connections)),
			ms(median(p.waits))})
	}
	fmt.Println(version(b, dsn))
	for _, p := range all[1:3] {
		out, _ := exec.Command(p.binary, "--version").CombinedOutput() // whatever its exit code
		line, _, _ := strings.Cut(strings.TrimSpace(string(out)), "\n")
		fmt.Println(line)
	}
	table(fmt.Sprintf("%d tables of %d rows; medians of %d alternating repetitions", peerTables, peerRows, repetitions),
		rows...)

	us, postgres := all[0], all[1]
	slower := max(median(all[1].first), median(all[2].first))
	check := func(what string, good bool) {
		if !good {
			b.Errorf("not reached: %s", what)
		}
	}
	check("the first scrape takes at most 1.5 times the slower peer's", median(us.first) <= slower*3/2)
	check("later scrapes are 10 times faster than postgres_exporter's", median(us.later)*10 <= median(postgres.later))
	check("at most 40 MB", median(us.rss) <= 40e6)
	info, _ := os.Stat(us.binary)
	check("a stripped binary under 20 MB", info.Size() < 20e6)
}
