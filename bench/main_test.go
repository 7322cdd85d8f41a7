package bench

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/softdelete-exporter/softdelete_exporter/inspect"
	"github.com/softdelete-exporter/softdelete_exporter/internal/exportertest"
	"github.com/softdelete-exporter/softdelete_exporter/internal/pgserver"
	"github.com/softdelete-exporter/softdelete_exporter/internal/pgserver/pgtest"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

// median returns the median of the values.
func median[T int64 | float64 | time.Duration](values []T) T {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[len(sorted)/2]
}

// ms writes a duration as milliseconds.
func ms(d time.Duration) string { return fmt.Sprintf("%.1f ms", float64(d)/float64(time.Millisecond)) }

// table prints a Markdown table.
func table(title string, rows ...[]string) {
	fmt.Printf("\n%s\n\n", title)
	for i, row := range rows {
		fmt.Printf("| %s |\n", strings.Join(row, " | "))
		if i == 0 {
			fmt.Printf("|%s\n", strings.Repeat("---|", len(row)))
		}
	}
	fmt.Println()
}

// server starts a server with those settings of a production server that matter here.
func server(b *testing.B, settings map[string]string) *pgserver.Server {
	b.Helper()
	all := map[string]string{"shared_buffers": "512MB", "max_wal_size": "4GB", "autovacuum": "off", "wal_keep_size": "0",
		"full_page_writes": "on"}
	for name, value := range settings {
		all[name] = value
	}
	return pgtest.Start(b, pgserver.Options{Settings: all})
}

// each runs statements one after another, each in its own transaction.
func each(b *testing.B, dsn string, statements ...string) {
	b.Helper()
	for _, sql := range statements {
		pgtest.Exec(b, dsn, sql)
	}
}

// watcher runs refreshes directly, without HTTP.
type watcher struct {
	*inspect.Inspector
	snapshot *softdelete.Snapshot
}

func watch(b *testing.B, dsn, text string) *watcher {
	b.Helper()
	return &watcher{exportertest.NewInspector(b, dsn, text), softdelete.Empty(exportertest.Database(b, dsn))}
}

// refresh returns how long a refresh took, and how much of that was database time.
func (w *watcher) refresh() (took, database time.Duration) {
	spent := func() (sum time.Duration) {
		for _, c := range w.Costs.All() {
			sum += c.Database
		}
		return sum
	}
	before, began := spent(), time.Now()
	w.Refresh(context.Background(), w.snapshot, func(s *softdelete.Snapshot) { w.snapshot = s })
	return time.Since(began), spent() - before
}

// find returns a table of the last snapshot; it must have been counted.
func (w *watcher) find(b *testing.B, name string) softdelete.Table {
	b.Helper()
	for _, d := range w.snapshot.Databases {
		for _, t := range d.Tables {
			if t.Name == name {
				if t.Numbers == nil || t.Problem != nil {
					b.Fatalf("%s: %+v", name, t.Problem)
				}
				return t
			}
		}
	}
	b.Fatalf("no table %s", name)
	return softdelete.Table{}
}

// connect opens a session that lasts as long as the benchmark.
func connect(b *testing.B, dsn string) *pgx.Conn {
	b.Helper()
	conn, err := pgx.Connect(b.Context(), dsn)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

// version returns the server's name of its version.
func version(b *testing.B, dsn string) string {
	return pgtest.Value[string](b, dsn, "SELECT version()")
}
