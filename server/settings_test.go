package server_test

import (
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/softdelete-exporter/softdelete_exporter/internal/pgserver/pgtest"
)

// ofManyWords is a schema with much that is read as PostgreSQL prints it: defaults, predicates and expressions of
// indexes, names, values, times.
const ofManyWords = `
	CREATE TYPE state AS ENUM ('open', 'deleted', 'it''s');
	CREATE TABLE day (id int PRIMARY KEY, deleted_on date NOT NULL DEFAULT '9999-12-31');
	INSERT INTO day SELECT i, CASE WHEN i <= 4 THEN date '2024-02-03' ELSE '9999-12-31' END FROM generate_series(1, 10) i;
	CREATE TABLE instant (id int, deleted_at timestamptz NOT NULL DEFAULT '1970-01-01 00:00:00+00');
	INSERT INTO instant SELECT i,
		CASE WHEN i <= 4 THEN timestamptz '2024-02-03 04:05:06.789012+00' ELSE '1970-01-01 00:00:00+00' END
		FROM generate_series(1, 10) i;
	CREATE TABLE "Local" ("Id" int, "deletedAt" timestamp NOT NULL DEFAULT '9999-12-31 23:59:59', "select" text);
	INSERT INTO "Local" SELECT i,
		CASE WHEN i <= 4 THEN timestamp '2024-02-03 04:05:06.789' ELSE '9999-12-31 23:59:59' END FROM generate_series(1,
			10) i;
	CREATE INDEX ON "Local" ("select") WHERE "deletedAt" = '9999-12-31 23:59:59';
	CREATE TABLE users (id bigint PRIMARY KEY, email text, "user" text, ratio float8, raw bytea, span interval,
		deleted_at timestamptz, deleted_by text);
	INSERT INTO users SELECT i, 'mail' || i, 'u', 1 / i::float8, '\x00ff', interval '-1 day -02:03',
		CASE WHEN i % 2 = 0 THEN timestamptz '2024-02-03 04:05:06.789012+00' + i * interval '1.000001 s' END
		FROM generate_series(1, 3000) i;
	CREATE UNIQUE INDEX users_email ON users (lower("email" COLLATE "C")) WHERE deleted_at IS NULL;
	CREATE INDEX users_user ON users ("user") WHERE "deleted_at" IS NOT NULL AND "user" <> E'\\back''slash';
	CREATE INDEX users_time ON users (deleted_at) WHERE deleted_at > '2000-01-01 00:00:00+00';
	CREATE UNIQUE INDEX users_words ON users (email, (ratio * 0.1::float8), ("user" || 'back\slash'),
		(span + '1 mon -3 days 02:03'::interval), deleted_at)
		WHERE raw <> '\x0102' AND ratio > -0.1::float8 AND "user" <> 'a\b''c';
	CREATE UNIQUE INDEX users_all ON users (email, deleted_at);
	CREATE TABLE flags (id int, is_deleted boolean DEFAULT false, deleted_at timestamptz);
	INSERT INTO flags SELECT i, i <= 4,
		CASE WHEN i < 4 THEN timestamptz '2024-02-03' WHEN i = 9 THEN '2024-02-03' END FROM generate_series(1, 10) i;
	CREATE INDEX ON flags (is_deleted);
	CREATE TABLE states (id int, "Status" state NOT NULL DEFAULT 'open');
	INSERT INTO states SELECT i, CASE WHEN i <= 4 THEN 'deleted' ELSE 'it''s' END::state FROM generate_series(1, 10) i;
	CREATE INDEX states_open ON states (id) WHERE "Status" <> 'deleted';
	CREATE TABLE listed (id int, kind text NOT NULL DEFAULT 'live\');
	INSERT INTO listed SELECT i, CASE WHEN i <= 4 THEN 'a\b''c' ELSE 'live\' END FROM generate_series(1, 10) i;
	CREATE INDEX listed_live ON listed (id) WHERE kind <> 'a\b''c';
	CREATE TABLE unix (id int, deleted_at bigint NOT NULL DEFAULT 0);
	INSERT INTO unix SELECT i, CASE WHEN i <= 4 THEN 1700000000123 ELSE 0 END FROM generate_series(1, 10) i;
	CREATE TABLE guessed (id int, is_deleted smallint);
	INSERT INTO guessed SELECT i, (i <= 4)::int FROM generate_series(1, 10) i;
	CREATE TABLE parted (id int, at timestamptz NOT NULL, deleted_at timestamptz) PARTITION BY RANGE (at);
	CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM ('2024-01-01 00:00+00') TO ('2025-01-01 00:00+00');
	CREATE TABLE parted_2 PARTITION OF parted FOR VALUES FROM ('2025-01-01 00:00+00') TO ('2026-01-01 00:00+00');
	INSERT INTO parted SELECT i, timestamptz '2024-06-01' + i * interval '30 days',
		CASE WHEN i <= 4 THEN timestamptz '2024-02-03' END FROM generate_series(1, 10) i;
	CREATE TABLE large (id int, deleted_at timestamptz, filler text);
	INSERT INTO large SELECT i, CASE WHEN i % 4 = 0 THEN timestamptz '2024-02-03 04:05:06.789012+00' END, repeat('x',
		500) FROM generate_series(1, 2000) i;
	CREATE INDEX large_purge ON large (deleted_at) WHERE deleted_at IS NOT NULL;
	CREATE TABLE parents (id int PRIMARY KEY, deleted_at timestamptz);
	INSERT INTO parents SELECT i, CASE WHEN i <= 4 THEN timestamptz '2024-02-03' END FROM generate_series(1, 10) i;
	CREATE TABLE children (id int, "Parent" int CONSTRAINT "of a parent" REFERENCES parents, deleted_at timestamptz);
	INSERT INTO children SELECT i, i FROM generate_series(1, 10) i;
	CREATE SCHEMA shadow;
	CREATE FUNCTION shadow.count() RETURNS bigint LANGUAGE sql AS 'SELECT 0::bigint';
	CREATE TABLE shadow.pg_class (oid oid, relname text);
	ANALYZE;`

// listedWords is its configuration.
const listedWords = `
limits: {statement_timeout: 20s}
counting: {exact_max_bytes: 200kB}
integrity: true
tables:
  - {table: listed, column: kind, deleted_values: ["a\\b'c"]}
  - {table: states, column: Status, deleted_values: [deleted]}
  - {table: guessed, column: is_deleted, method: statistics}
`

// settingsOfARole change how PostgreSQL parses, prints, plans or restricts. Settings that do not hide each other's
// effect stand together.
var settingsOfARole = map[string][]string{
	"names and values": {"quote_all_identifiers = on", "standard_conforming_strings = off", "backslash_quote = off",
		"escape_string_warning = on",
		"bytea_output = escape", "array_nulls = off", "transform_null_equals = on", "xmlbinary = hex"},
	"times": {"DateStyle = 'SQL, DMY'", "IntervalStyle = sql_standard", "TimeZone = 'America/St_Johns'",
		"extra_float_digits = -15"},
	"more times": {"DateStyle = 'German'", "IntervalStyle = iso_8601", "TimeZone = 'Asia/Kolkata'",
		"extra_float_digits = 3"},
	"other times": {"DateStyle = 'Postgres, MDY'", "IntervalStyle = postgres_verbose", "extra_float_digits = 0",
		"lc_time = 'C'", "lc_monetary = 'C'"},
	"names that are found": {"search_path = shadow, public, pg_catalog", "client_encoding = LATIN1",
		"client_min_messages = debug5", "row_security = on",
		"exit_on_error = on", "check_function_bodies = off"},
	"another role": {"role = other", "search_path = ''"},
	"transactions": {"default_transaction_isolation = serializable", "default_transaction_read_only = on",
		"default_transaction_deferrable = on",
		"lock_timeout = 1", "idle_in_transaction_session_timeout = 1"},
	"cost": {"jit_above_cost = 0", "max_parallel_workers_per_gather = 8", "force_parallel_mode = on",
		"debug_parallel_query = on", "work_mem = '64kB'", "hash_mem_multiplier = 1"},
	"no scan": {"enable_seqscan = off"},
	"no index": {"enable_indexscan = off", "enable_indexonlyscan = off", "enable_bitmapscan = off",
		"enable_tidscan = off", "constraint_exclusion = off"},
	"no join": {"enable_nestloop = off", "enable_hashagg = off", "enable_sort = off", "enable_material = off",
		"geqo_threshold = 2", "plan_cache_mode = force_generic_plan"},
	"of a superuser": {"track_activities = off", "session_replication_role = replica",
		"stats_fetch_consistency = snapshot", "default_statistics_target = 1"},
}

// Settings of the role or of the database change neither what is read from the server nor what is printed for it.
func TestNoSettingOfTheRoleChangesWhatIsSaid(t *testing.T) {
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	name := strings.TrimPrefix(u.Path, "/")
	other := name + "_other"
	pgtest.Exec(t, dsn,
		ofManyWords+
			fmt.Sprintf(`CREATE ROLE %[1]q IN ROLE pg_read_all_data; CREATE ROLE %[2]q LOGIN IN ROLE pg_read_all_data, %[1]q`,
				other, name))
	pgtest.Exec(t, dsn, "VACUUM large")
	t.Cleanup(func() { pgtest.Exec(t, dsn, fmt.Sprintf(`DROP ROLE %q, %q`, name, other)) })
	u.User = url.User(name)
	want := newExporter(t, u.String(), listedWords).says(t)
	for _, fact := range []string{
		`softdelete_deleted_rows{relname="day"} 4`, `softdelete_deleted_rows{relname="Local"} 4`,
		`softdelete_deleted_rows{relname="listed"} 4`,
		`softdelete_oldest_deleted_timestamp_seconds{relname="large"} 1706933106.789`,
		`softdelete_count_info{method="statistics",relname="guessed"} 1`,
		`softdelete_orphaned_rows{constraint="of a parent",relname="children"} 4`,
		`indexrelname="users_words",problem="unique_allows_live_duplicates"`,
	} {
		if !strings.Contains(want, fact) {
			t.Errorf("it does not say %s", fact)
		}
	}
	if t.Failed() {
		t.Fatalf("it says\n%s", want)
	}
	known := pgtest.Value[[]string](t, dsn, `SELECT array_agg(lower(name)) || '{role}' FROM pg_settings`)
	for group, settings := range settingsOfARole {
		t.Run(group, func(t *testing.T) {
			var set strings.Builder
			for _, setting := range settings {
				if parameter, _, _ := strings.Cut(strings.ToLower(setting), " "); !slices.Contains(known, parameter) {
					continue // this version does not know the setting
				}
				fmt.Fprintf(&set, "ALTER ROLE %q SET %s;", name,
					strings.Replace(setting, "= other", fmt.Sprintf("= %q", other), 1))
			}
			pgtest.Exec(t, dsn, set.String())
			defer pgtest.Exec(t, dsn, fmt.Sprintf("ALTER ROLE %q RESET ALL", name))
			if diff := cmp.Diff(want, newExporter(t, u.String(), listedWords).says(t)); diff != "" {
				t.Errorf("under %q (-want +got):\n%s", settings, diff)
			}
		})
	}
}

var (
	// labelled matches the common labels of all series, whose values differ between databases.
	labelled = regexp.MustCompile(`datname="[^"]*",?|,?schemaname="[^"]*"`)
	// fraction is a number whose last digits depend on the sampled blocks.
	fraction = regexp.MustCompile(`\b\d+\.\d{4,}(?:e[+-]\d+)?\b`)
	changing = regexp.MustCompile(
		`^(#|go_|process_|db_response_ms|softdelete_exporter_|softdelete_checked_|softdelete_count_duration_)`)
)

// says returns all that the exporter says about its database, except for the exporter's own times.
func (e *exporter) says(t *testing.T) string {
	t.Helper()
	answer := httptest.NewRecorder()
	request := httptest.NewRequestWithContext(t.Context(), "GET", "/metrics", nil)
	request.Header.Set("X-Prometheus-Scrape-Timeout-Seconds", "60")
	e.ServeHTTP(answer, request)
	var said strings.Builder
	for line := range strings.Lines(answer.Body.String()) {
		if !changing.MatchString(line) {
			said.WriteString(labelled.ReplaceAllString(line, ""))
		}
	}
	var document map[string]any
	if err := json.Unmarshal([]byte(text(t, e.get(t, "/report?format=json"))), &document); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"timestamp", "snapshot_timestamp", "connection"} {
		delete(document, key)
	}
	for _, table := range document["tables"].([]any) {
		for _, key := range []string{"counted_timestamp", "checked_timestamp"} {
			delete(table.(map[string]any), key)
		}
	}
	// A busy machine may answer slowly.
	of := func(key, field, value string) {
		document[key] = slices.DeleteFunc(document[key].([]any),
			func(a any) bool { return a.(map[string]any)[field] == value })
	}
	of("recommendations", "kind", "connection")
	of("alerts", "condition", "slow_response_time")
	report, err := json.MarshalIndent(document, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	said.Write(report)
	return fraction.ReplaceAllStringFunc(said.String(), func(number string) string {
		value, err := strconv.ParseFloat(number, 64)
		if err != nil {
			t.Fatal(err)
		}
		return strconv.FormatFloat(value, 'g', 13, 64)
	})
}
