package main

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/softdelete-exporter/softdelete_exporter/demo/data"
	"github.com/softdelete-exporter/softdelete_exporter/internal/pgserver/pgtest"
)

// demoTables describe in plain SQL, written by hand, what /metrics must show for each watched table of the demo: the
// live rows, the deleted rows, and the deletion time. The retention is that of demo/data's configuration; 0 means
// that nothing is ever purged.
var demoTables = []struct {
	relname, live, deleted, at string
	marker, kind, service      string
	retention                  time.Duration
}{
	{"UserProfile", `"deletedAt" IS NULL`, `"deletedAt" IS NOT NULL`, `"deletedAt" AT TIME ZONE 'UTC'`, "deletedAt",
		"timestamp", "shop", 90 * day},
	{"carts", `deleted_at IS NULL`, `deleted_at IS NOT NULL`, `deleted_at`, "deleted_at", "timestamp", "shop", 90 * day},
	{"customers", `deleted_at IS NULL`, `deleted_at IS NOT NULL`, `deleted_at`, "deleted_at", "timestamp",
		"shop", 90 * day},
	{"gift_cards", `deleted_at IS NULL`, `deleted_at IS NOT NULL`, `deleted_at`, "deleted_at", "timestamp",
		"shop", 90 * day},
	{"messages", `deleted_at IS NULL`, `deleted_at IS NOT NULL`, `deleted_at`, "deleted_at", "timestamp",
		"support", 90 * day},
	{"newsletter_subscribers", `deleted_at IS NULL`, `deleted_at IS NOT NULL`, `deleted_at`, "deleted_at", "timestamp",
		"shop", 90 * day},
	{"products", `is_deleted = false OR is_deleted IS NULL`, `is_deleted = true`, `deleted_at`, "is_deleted,deleted_at",
		"pair", "catalogue", 90 * day},
	{"reviews", `deleted_at IS NULL`, `deleted_at IS NOT NULL`, `deleted_at`, "deleted_at", "timestamp",
		"catalogue", 90 * day},
	{"sellers", `deleted_at IS NULL`, `deleted_at IS NOT NULL`, `deleted_at`, "deleted_at", "timestamp", "shop", 0},
	{"shipments", `deleted_at IS NULL`, `deleted_at IS NOT NULL`, `deleted_at`, "deleted_at", "timestamp", "logistics",
		365 * day},
}

const day = 24 * time.Hour

// The numbers of /metrics are compared with SQL that is independent of the exporter's. A series that is not expected
// here is an error: a new metric needs its expected value here, in plain SQL.
func TestEveryNumberOfTheDemoIsThatOfPlainSQL(t *testing.T) {
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	if err := data.Load(t.Context(), dsn, 0.02); err != nil {
		t.Fatal(err)
	}
	datname := pgtest.Value[string](t, dsn, `SELECT current_database()::text`)
	want := map[string]float64{"db_up": 1, "softdelete_exporter_ttl_seconds": 15,
		"softdelete_exporter_config_last_reload_successful": 1, "softdelete_exporter_connections_evicted_total": 0}
	for _, check := range []string{"connect", "discovery", "counting", "indexes"} {
		want[series("softdelete_exporter_check_success", "datname", datname, "check", check)] = 1
	}
	for state, tables := range map[string]int{"counted": len(demoTables), "pending": 0, "failed": 0, "skipped": 0} {
		want[series("softdelete_exporter_tables", "datname", datname, "state", state)] = float64(tables)
	}
	// These indexes of the demo would be smaller without deleted rows. At this size no other index would help.
	want[series("softdelete_index_problem", "datname", datname, "schemaname", "public", "relname", "sellers",
		"indexrelname", "idx_sellers_email", "problem", "unique_ignores_deleted")] = 1
	want[series("softdelete_index_problem", "datname", datname, "schemaname", "public", "relname",
		"newsletter_subscribers",
		"indexrelname", "newsletter_subscribers_email_deleted_at_key", "problem", "unique_allows_live_duplicates")] = 1
	for _, table := range demoTables {
		count := func(where string) float64 {
			return pgtest.Value[float64](t, dsn,
				fmt.Sprintf(`SELECT count(*)::float8 FROM public."%s" WHERE %s`, table.relname, where))
		}
		expect := func(name string, value float64, labels ...string) {
			want[series(name, append(labels, "datname", datname, "schemaname", "public", "relname", table.relname)...)] = value
		}
		total, deleted := count("true"), count(table.deleted)
		expect("softdelete_table_info", 1, "marker", table.marker, "kind", table.kind, "table_service", table.service)
		expect("softdelete_count_info", 1, "method", "exact")
		expect("softdelete_total_rows", total)
		expect("softdelete_active_rows", count(table.live))
		expect("softdelete_deleted_rows", deleted)
		expect("softdelete_deletion_ratio", 0)
		if total > 0 {
			expect("softdelete_deletion_ratio", deleted/total)
		}
		expect("softdelete_deletion_ratio_margin", 0)
		expect("softdelete_recently_deleted_rows",
			count(fmt.Sprintf("(%s) AND %s > now() - interval '1 hour'", table.deleted, table.at)))
		expect("softdelete_recent_window_seconds", time.Hour.Seconds())
		expect("softdelete_deleted_bytes", pgtest.Value[float64](t, dsn,
			fmt.Sprintf(`SELECT coalesce(sum(bytes), 0)::float8 FROM (
			SELECT count(*) FILTER (WHERE %s)::float8 / count(*) * pg_relation_size(tableoid) AS bytes
			FROM public."%s" GROUP BY tableoid) AS leaves`, table.deleted, table.relname)))
		if deleted > 0 {
			expect("softdelete_oldest_deleted_timestamp_seconds", pgtest.Value[float64](t, dsn,
				fmt.Sprintf(`SELECT extract(epoch FROM min(%s))::float8 FROM public."%s" WHERE %s`, table.at, table.relname,
					table.deleted)))
		}
		if table.retention > 0 {
			expect("softdelete_old_deleted_rows",
				count(fmt.Sprintf("(%s) AND %s < now() - interval '%g hours'", table.deleted, table.at, table.retention.Hours())))
			expect("softdelete_old_deleted_rows_margin", 0)
			expect("softdelete_retention_seconds", table.retention.Seconds())
		}
	}

	t.Setenv("DATA_SOURCE_NAME", dsn)
	began := time.Now()
	address, _ := start(t, "--config.file=demo/data/config.yaml")
	_, page := get(t, http.DefaultClient, "GET", "http://"+address+"/metrics")
	got, moments, costs := read(t, page)
	// Sums of floating point numbers depend on the order, and deletion times are rounded to milliseconds.
	if diff := cmp.Diff(want, got, cmpopts.EquateApprox(1e-12, 0)); diff != "" {
		t.Errorf("-plain SQL +/metrics:\n%s", diff)
	}
	checked := 0
	for name, value := range moments {
		if strings.HasPrefix(name, "softdelete_checked_timestamp_seconds") {
			checked++
		}
		if at := time.UnixMilli(int64(value * 1000)); at.Before(began.Truncate(time.Millisecond)) || at.After(time.Now()) {
			t.Errorf("%s is at %s, not during the scrape", name, at)
		}
	}
	counted := 0
	for name, value := range costs {
		if strings.HasPrefix(name, "softdelete_count_duration_seconds") {
			counted++
		}
		if most := time.Since(began).Seconds(); value <= 0 ||
			value > most && !strings.Contains(name, "queries_total") && name != "db_response_ms" {
			t.Errorf("%s is %g, want more than 0 and at most %g", name, value, most)
		}
	}
	if checked != len(demoTables) || counted != len(demoTables) {
		t.Errorf("%d checked timestamps, %d durations, want %d", checked, counted, len(demoTables))
	}
}

// read splits our series on a page: numbers that SQL can compute, times of the scrape, and costs.
func read(t *testing.T, page string) (numbers, moments, costs map[string]float64) {
	t.Helper()
	numbers, moments, costs = map[string]float64{}, map[string]float64{}, map[string]float64{}
	for line := range strings.Lines(page) {
		line = strings.TrimSpace(line)
		space := strings.LastIndex(line, " ")
		name, text := line[:max(space, 0)], line[space+1:]
		metric, _, _ := strings.Cut(name, "{")
		if !strings.HasPrefix(metric, "softdelete_") && !strings.HasPrefix(metric, "db_") ||
			metric == "softdelete_exporter_build_info" {
			continue
		}
		value, err := strconv.ParseFloat(text, 64)
		if err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		switch {
		case slices.Contains([]string{"softdelete_checked_timestamp_seconds",
			"softdelete_exporter_snapshot_timestamp_seconds", "softdelete_exporter_time_seconds",
			"softdelete_exporter_config_last_reload_success_timestamp_seconds"}, metric):
			moments[name] = value
		case slices.Contains([]string{"db_response_ms", "softdelete_count_duration_seconds",
			"softdelete_exporter_queries_total", "softdelete_exporter_database_seconds_total"}, metric):
			costs[name] = value
		default:
			numbers[name] = value
		}
	}
	return numbers, moments, costs
}

// series writes a series as on the page, with its labels sorted by name.
func series(name string, labels ...string) string {
	values := map[string]string{}
	for pair := range slices.Chunk(labels, 2) {
		values[pair[0]] = pair[1]
	}
	var pairs []string
	for _, label := range slices.Sorted(maps.Keys(values)) {
		pairs = append(pairs, fmt.Sprintf("%s=%q", label, values[label]))
	}
	return name + "{" + strings.Join(pairs, ",") + "}"
}
