package bench

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/softdelete-exporter/softdelete_exporter/internal/pgserver/pgtest"
)

// How long pgbench runs each time, and how often a refresh begins meanwhile.
const (
	loadTime  = 30 * time.Second
	loadEvery = 15 * time.Second
	loadRuns  = 3
	loadRows  = 10_000_000
)

// load is what was measured during one run of pgbench.
type load struct {
	tps, p99                    []float64
	cpu                         []time.Duration
	buffers, dirtied, wal, runs int64
}

// cpuOf watches the backends of a role until stop is closed, and returns how much processor time they used.
func cpuOf(b *testing.B, conn *pgx.Conn, role string, stop <-chan struct{}) time.Duration {
	spent := map[int]time.Duration{}
	for {
		select {
		case <-stop:
			var sum time.Duration
			for _, d := range spent {
				sum += d
			}
			return sum
		case <-time.After(2 * time.Millisecond):
		}
		rows, err := conn.Query(b.Context(), "SELECT pid FROM pg_stat_activity WHERE usename = $1", role)
		if err != nil {
			b.Error(err)
			continue
		}
		pids, err := pgx.CollectRows(rows, pgx.RowTo[int])
		if err != nil {
			b.Error(err)
		}
		for _, pid := range pids {
			if text, err := os.ReadFile(fmt.Sprintf("/proc/%d/schedstat", pid)); err == nil {
				ns, _ := strconv.ParseInt(strings.Fields(string(text))[0], 10, 64)
				spent[pid] = time.Duration(ns)
			}
		}
	}
}

// pgbench updates rows of the table for a while, and calls refresh at the given interval.
func (l *load) pgbench(b *testing.B, dsn, role string, refresh func()) {
	b.Helper()
	dir := b.TempDir()
	script := filepath.Join(dir, "update.sql")
	text := fmt.Sprintf(
		"\\set id random(1, %d)\nUPDATE orders SET deleted_at = CASE WHEN deleted_at IS NULL THEN now() END "+
			"WHERE id = :id;\n", loadRows)
	if err := os.WriteFile(script, []byte(text), 0o600); err != nil {
		b.Fatal(err)
	}
	pgtest.Exec(b, dsn, "SELECT pg_stat_statements_reset()")
	command := exec.Command("pgbench", "-n", "-c", "2", "-j", "1", "-T", fmt.Sprint(loadTime.Seconds()), "-f", script,
		"-l", "--log-prefix", filepath.Join(dir, "log"), dsn)
	var output strings.Builder
	command.Stdout, command.Stderr = &output, &output
	stop, cpu := make(chan struct{}), make(chan time.Duration)
	admin := connect(b, dsn)
	go func() { cpu <- cpuOf(b, admin, role, stop) }()
	if err := command.Start(); err != nil {
		b.Fatal(err)
	}
	for range int(loadTime / loadEvery) {
		began := time.Now()
		if refresh != nil {
			refresh()
			l.runs++
		}
		time.Sleep(time.Until(began.Add(loadEvery)) - time.Second/2)
	}
	if err := command.Wait(); err != nil {
		b.Fatalf("%v\n%s", err, output.String())
	}
	close(stop)
	l.cpu = append(l.cpu, <-cpu)
	_, after, _ := strings.Cut(output.String(), "tps = ")
	tps, err := strconv.ParseFloat(strings.Fields(after)[0], 64)
	if err != nil {
		b.Fatalf("%v\n%s", err, output.String())
	}
	l.tps = append(l.tps, tps)
	l.p99 = append(l.p99, latency(b, dir))
	one := func(what string) int64 {
		return pgtest.Value[int64](b, dsn, "SELECT COALESCE(sum("+what+
			"), 0)::int8 FROM pg_stat_statements s JOIN pg_roles r ON r.oid = s.userid WHERE r.rolname = $1", role)
	}
	l.buffers += one("shared_blks_hit + shared_blks_read")
	l.dirtied += one("shared_blks_dirtied")
	l.wal += one("wal_bytes")
}

// latency returns the 99th percentile of the transaction times in pgbench's logs, in milliseconds.
func latency(b *testing.B, dir string) float64 {
	b.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "log*"))
	if err != nil || len(files) == 0 {
		b.Fatalf("no log of pgbench: %v", err)
	}
	var all []float64
	for _, name := range files {
		f, err := os.Open(name)
		if err != nil {
			b.Fatal(err)
		}
		for lines := bufio.NewScanner(f); lines.Scan(); {
			us, _ := strconv.ParseFloat(strings.Fields(lines.Text())[2], 64)
			all = append(all, us/1000)
		}
		_ = f.Close() // it was only read
	}
	slices.Sort(all)
	return all[len(all)*99/100]
}

// BenchmarkUnderLoad compares refreshes with exact counts at the same interval, during a workload that updates the
// table.
func BenchmarkUnderLoad(b *testing.B) {
	s := server(b, map[string]string{"shared_preload_libraries": "pg_stat_statements", "shared_buffers": "1GB",
		"synchronous_commit": "off", "fsync": "on"})
	dsn := pgtest.NewDatabase(b, s)
	each(b, dsn, "CREATE EXTENSION pg_stat_statements",
		"CREATE TABLE orders (id int, deleted_at timestamptz, filler text) WITH (fillfactor = 90)",
		fmt.Sprintf(`INSERT INTO orders SELECT i, CASE WHEN i %% 10 = 0 THEN now() - i %% 1000 * interval '1 hour' END,
			repeat('x', 60) FROM generate_series(1, %d) i`, loadRows),
		"ALTER TABLE orders ADD PRIMARY KEY (id)", "VACUUM (FREEZE, ANALYZE) orders", "CHECKPOINT",
		"CREATE ROLE sampler LOGIN; CREATE ROLE counter LOGIN; GRANT SELECT ON orders TO sampler, counter; GRANT CONNECT "+
			"ON DATABASE postgres TO sampler")
	as := func(role string) string { return strings.Replace(dsn, "//postgres@", "//"+role+"@", 1) }
	sampled := watch(b, as("sampler"), "counting: {recount_after: 1ms}")
	exact := watch(b, as("counter"), "limits: {statement_timeout: 1m}\ncounting: {method: exact, recount_after: 1ms}")
	var none, ours, theirs load
	for b.Loop() {
		for range loadRuns {
			none.pgbench(b, dsn, "nobody", nil)
			ours.pgbench(b, dsn, "sampler", func() { sampled.refresh(); sampled.find(b, "orders") })
			theirs.pgbench(b, dsn, "counter", func() { exact.refresh(); exact.find(b, "orders") })
		}
	}
	rows := [][]string{{"refreshes every 15 s", "CPU of our backends, a run", "buffers, a refresh", "dirtied, a refresh",
		"WAL, a refresh", "pgbench tps", "p99"}}
	for _, l := range []struct {
		name string
		*load
	}{{"none", &none}, {"auto (sampled)", &ours}, {"exact", &theirs}} {
		spread := func(v []float64) string {
			return fmt.Sprintf("%.1f (%.1f to %.1f)", median(v), slices.Min(v), slices.Max(v))
		}
		runs := max(l.runs, 1)
		rows = append(rows, []string{l.name, ms(median(l.cpu)), fmt.Sprint(l.buffers / runs), fmt.Sprint(l.dirtied / runs),
			fmt.Sprintf("%.2f MB", float64(l.wal/runs)/1e6), spread(l.tps), spread(l.p99) + " ms"})
	}
	table("10 million rows under pgbench; medians, with their spread", rows...)
	if median(ours.cpu)*5 > median(theirs.cpu) || ours.buffers*5 > theirs.buffers {
		b.Errorf("more than a fifth of an exact count's: CPU %s of %s, buffers %d of %d", median(ours.cpu),
			median(theirs.cpu), ours.buffers, theirs.buffers)
	}
}
