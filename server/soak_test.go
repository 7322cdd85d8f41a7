package server_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"go.uber.org/goleak"

	"github.com/softdelete-exporter/softdelete_exporter/config"
	"github.com/softdelete-exporter/softdelete_exporter/internal/configtest"
	"github.com/softdelete-exporter/softdelete_exporter/internal/pgserver/pgtest"
)

// soakTime is how long the soak lasts; make soak gives it five minutes.
func soakTime(t *testing.T) time.Duration {
	text := os.Getenv("SOAK")
	if text == "" {
		return 5 * time.Second
	}
	lasts, err := time.ParseDuration(text)
	if err != nil {
		t.Fatalf("SOAK: %v", err)
	}
	return lasts
}

// oddNames are names of tables, columns and indexes that may exist somewhere.
var oddNames = []string{`plain`, `Übung "quoted"`, `'; DROP TABLE users; --`, `back\slash`, "new\nline",
	"tab\tand \x1b[31mred", "\u202eright to left", `{{x}} {a="b"}`, "🐘", strings.Repeat("n", 63)}

// oddIndexes complete CREATE INDEX ON table, for a column "a" of type text.
var oddIndexes = []string{
	`(id) WHERE a <> 'C:\' AND deleted_at IS NULL`,
	`((a || '\'))`,
	`((a || E'\\''(('))`,
	`(lower(a)) WHERE deleted_at IS NULL AND a <> ALL (ARRAY['(', ')', '"', ''''])`,
	`(a) WHERE (((deleted_at IS NOT NULL) IS TRUE) OR a ~ '^[)(''\\]+$') AND NOT (a IN ('x', 'y'))`,
	`(a, deleted_at) WHERE COALESCE(deleted_at, 'infinity') = 'infinity'`,
	`(deleted_at DESC NULLS LAST) INCLUDE (a)`,
	`((CASE WHEN deleted_at IS NULL THEN a END))`,
}

// stormTime is how long the changes go on between two checks.
const stormTime = 30 * time.Second

// Tables come, go and change, the network fails, tables are locked, the configuration is reloaded, and many clients
// read pages. Nothing panics or leaks and no answer fails. Whenever all is quiet, every number equals that of plain
// SQL.
func TestASoak(t *testing.T) {
	shared := pgtest.Shared(t)
	before := goleak.IgnoreCurrent()
	t.Cleanup(func() { goleak.VerifyNone(t, before) }) // runs last
	dsn := users(t, shared)
	front := pgtest.NewFront(t, dsn)
	const settings = "ttl: 1s\nmax_stale: 10m\n"
	e := newExporter(t, front.DSN, settings)
	variants := []func() (*config.Config, error){configtest.Loader(t, settings),
		configtest.Loader(t, settings+"defaults: {retention: 30d}\nintegrity: true\n")}
	var reloads atomic.Int64
	e.Load = func() (*config.Config, error) { return variants[reloads.Add(1)%2]() }

	var changes atomic.Int64
	for left := soakTime(t); left > 0; left -= stormTime {
		e.storm(t, dsn, front, min(left, stormTime), &changes)
		t.Logf("%d refreshes, %d reloads, %d changes", e.Refreshes.Load(), reloads.Load(), changes.Load())
		e.quiet(t, dsn)
	}
	if e.Refreshes.Load() < 2 || changes.Load() == 0 || reloads.Load() == 0 {
		t.Error("that was no soak")
	}
	if log := e.Log.String(); strings.Contains(log, "panic") || strings.Contains(log, "fault of the exporter") {
		t.Errorf("it panicked:\n%s", log)
	}
}

// storm does all of this at once.
func (e *exporter) storm(t *testing.T, dsn string, front *pgtest.Front, lasts time.Duration, changes *atomic.Int64) {
	ctx, stop := context.WithTimeout(t.Context(), lasts)
	defer stop()
	var all sync.WaitGroup
	until := func(pause time.Duration, do func()) {
		all.Go(func() {
			for ctx.Err() == nil {
				do()
				time.Sleep(rand.N(pause))
			}
		})
	}
	for range 20 {
		until(100*time.Millisecond, func() { e.look(t) })
	}
	until(300*time.Millisecond, func() {
		if err := e.Reload(); err != nil {
			t.Errorf("a reload: %v", err)
		}
	})
	until(20*time.Millisecond, func() { change(t, dsn, changes) })
	until(2*time.Second, func() {
		front.Behave([]pgtest.Behaviour{pgtest.Silent, pgtest.Starting, pgtest.Slow}[rand.N(3)])
		time.Sleep(rand.N(500 * time.Millisecond))
		front.Behave(pgtest.Forwarding)
	})
	until(time.Second, func() { front.HangUp() })
	until(time.Second, func() {
		held, end := make(chan struct{}), make(chan struct{})
		time.AfterFunc(rand.N(500*time.Millisecond), func() { close(end) })
		hold(t, dsn, "LOCK TABLE users IN ACCESS EXCLUSIVE MODE", held, end)
	})
	all.Wait()
}

// quiet waits until every number equals that of plain SQL, and counts our connections.
func (e *exporter) quiet(t *testing.T, dsn string) {
	t.Helper()
	want := plain(t, dsn)
	diff := "nothing"
	for deadline := time.Now().Add(3 * time.Minute); diff != ""; time.Sleep(500 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("once it is quiet (-plain SQL +numbers):\n%s", diff)
		}
		diff = cmp.Diff(want, e.counts(t))
	}
	// A connection that the front has cut off lives until the server notices.
	pgtest.WaitFor(t, "no more than two connections", func() bool { return pgtest.Sessions(t, dsn) <= 2 })
}

// look requests a random page, like one of many clients.
func (e *exporter) look(t *testing.T) {
	page := []string{"/metrics", "/metrics", "/metrics", "/report", "/report?format=json", "/health", "/config"}[rand.N(7)]
	answer := httptest.NewRecorder()
	e.ServeHTTP(answer, httptest.NewRequestWithContext(t.Context(), "GET", page, nil))
	down := page == "/health" && answer.Code == http.StatusServiceUnavailable
	if answer.Code != http.StatusOK && !down {
		t.Errorf("%s has status %d: %s", page, answer.Code, answer.Body)
	}
	if page == "/metrics" && !strings.Contains(answer.Body.String(), "\ndb_up ") {
		t.Error("a scrape lacks db_up")
	}
}

// change makes a random change of the schema or of rows.
func change(t *testing.T, dsn string, changes *atomic.Int64) {
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Error(err)
		return
	}
	defer conn.Close(context.Background())
	any := func(texts []string) string { return texts[rand.N(len(texts))] }
	table := pgx.Identifier{fmt.Sprintf("%.50s %d", any(oddNames), rand.N(3))}.Sanitize()
	other := pgx.Identifier{fmt.Sprintf("%.50s %d", any(oddNames), rand.N(3))}.Sanitize()
	index := pgx.Identifier{any(oddNames)}.Sanitize()
	for _, sql := range []string{
		any([]string{"CREATE TABLE IF NOT EXISTS " + table + " (id int, a text, deleted_at timestamptz)",
			"DROP TABLE IF EXISTS " + table, "ALTER TABLE IF EXISTS " + table + " RENAME TO " + other}),
		"INSERT INTO " + table +
			" SELECT i, 'a', CASE WHEN random() < 0.3 THEN now() - i * interval '1 hour' END FROM generate_series(1, 50) i",
		any([]string{"CREATE INDEX ON " + table + " " + any(oddIndexes),
			"CREATE INDEX " + index + " ON " + table + " " + any(oddIndexes), "DROP INDEX IF EXISTS " + index,
			"UPDATE " + table + " SET deleted_at = now() WHERE random() < 0.1",
			"DELETE FROM " + table + " WHERE random() < 0.1", "TRUNCATE " + table,
			"ALTER TABLE " + table + " ADD COLUMN is_deleted boolean", "ALTER TABLE " + table + " DROP COLUMN deleted_at",
			"ANALYZE " + table}),
	} {
		if _, err := conn.Exec(t.Context(), sql); err == nil {
			changes.Add(1) // the table may not exist
		}
	}
}

// rows are the numbers of one table.
type rows struct{ Total, Deleted int64 }

// plain counts the rows of each table that has a marker, with plain SQL.
func plain(t *testing.T, dsn string) map[string]rows {
	type marked struct {
		Name    string
		Flagged bool
	}
	found := map[string]rows{}
	for _, m := range pgtest.Value[[]marked](t, dsn, `
		SELECT COALESCE(json_agg(json_build_object('name', relname, 'flagged', flagged)), '[]') FROM (
			SELECT c.relname, bool_or(a.attname = 'is_deleted') AS flagged
			FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname IN ('deleted_at', 'is_deleted')
			WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' GROUP BY c.oid) m`) {
		deleted := "deleted_at IS NOT NULL"
		if m.Flagged {
			deleted = "is_deleted" // with or without a deletion time, the flag decides
		}
		found[m.Name] = pgtest.Value[rows](t, dsn, fmt.Sprintf(
			"SELECT json_build_object('total', count(*), 'deleted', count(*) FILTER (WHERE %s)) FROM public.%s", deleted,
			pgx.Identifier{m.Name}.Sanitize()))
	}
	return found
}

// counts returns the numbers of each table in a scrape; -1 for a table that could not be read.
func (e *exporter) counts(t *testing.T) map[string]rows {
	answer := httptest.NewRecorder()
	e.ServeHTTP(answer, httptest.NewRequestWithContext(t.Context(), "GET", "/metrics", nil))
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]rows{}
	each := func(family string, do func(*rows, int64)) {
		for _, m := range families[family].GetMetric() {
			for _, label := range m.GetLabel() {
				if label.GetName() == "relname" {
					r := found[label.GetValue()]
					do(&r, int64(m.GetGauge().GetValue()))
					found[label.GetValue()] = r
				}
			}
		}
	}
	each("softdelete_total_rows", func(r *rows, n int64) { r.Total = n })
	each("softdelete_deleted_rows", func(r *rows, n int64) { r.Deleted = n })
	each("softdelete_table_problem", func(r *rows, _ int64) { *r = rows{-1, -1} })
	return found
}
