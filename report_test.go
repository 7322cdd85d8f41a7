package main

import (
	"context"
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/softdelete-exporter/softdelete_exporter/internal/pgserver/pgtest"
)

func TestReportEndsWithACodeForScripts(t *testing.T) {
	server := pgtest.Shared(t)
	// database makes a database from the number of deleted rows, of 100, of each table.
	database := func(tables map[string]string) string {
		dsn := pgtest.NewDatabase(t, server)
		for name, deleted := range tables {
			pgtest.Exec(t, dsn, `CREATE TABLE `+name+` AS SELECT CASE WHEN i <= `+deleted+
				` THEN now() END AS deleted_at FROM generate_series(1, 100) i`)
		}
		return dsn
	}
	mixed := database(map[string]string{"good": "1", "fair": "30", "poor": "60"})
	good := database(map[string]string{"good": "1"})
	fair := database(map[string]string{"good": "1", "fair": "30"})
	none := database(nil)
	hidden := database(map[string]string{"good": "1"})
	pgtest.Exec(t, hidden, `DROP ROLE IF EXISTS nobody; CREATE ROLE nobody LOGIN`)
	denied := strings.Replace(hidden, "//postgres@", "//nobody@", 1)
	if denied == hidden {
		t.Fatalf("the DSN names another superuser: %s", hidden)
	}
	pgtest.Exec(t, hidden, `DROP ROLE IF EXISTS lonely; CREATE ROLE lonely LOGIN CONNECTION LIMIT 1`)
	lonely := strings.Replace(hidden, "//postgres@", "//lonely@", 1)
	services := configFile(t, "policies: [{service: shop, tables: ['.*\\.(good|fair)']}]")
	for _, test := range []struct {
		name, dsn string
		args      []string
		code      int
		// says must be on stdout, complains on stderr.
		says, complains []string
	}{
		{"good", good, nil, 0, []string{"health: GOOD", "public.good"}, nil},
		{"poor", mixed, nil, 1, []string{"health: POOR", "public.poor", "public.fair"}, []string{"the health is poor"}},
		{"fair passes", fair, nil, 0, []string{"health: FAIR"}, nil},
		{"fair fails when told to", fair, []string{"--fail-on=fair"}, 1, []string{"health: FAIR"},
			[]string{"--fail-on=fair"}},
		{"fair is better than unknown", fair, []string{"--fail-on=unknown"}, 0, []string{"health: FAIR"}, nil},
		{"one table", mixed, []string{"--table=public.good"}, 0, []string{"health: GOOD", "The one table is good."}, nil},
		{"some tables", mixed, []string{"--table=.*(oo|ai)r?.*"}, 1, []string{"1 of 3 tables is poor"},
			[]string{"the health is poor"}},
		{"a service", mixed, []string{"--service=shop", "--config.file=" + services}, 0,
			[]string{"1 of 2 tables is fair", "shop"}, nil},
		{"no such table", mixed, []string{"--table=good"}, 2, nil, []string{`--table="good"`, "schema.table"}},
		{"a flag that is not set is not named", mixed, []string{"--service=nope"}, 2, nil,
			[]string{`no watched table matches --service="nope"; `}},
		{"no pattern", mixed, []string{"--table=("}, 2, nil, []string{"--table", "RE2"}},
		{"no such database", mixed, []string{"--database=nope"}, 2,
			[]string{"Database nope could not be read.", "does not exist"}, []string{"no table has a verdict"}},
		{"no tables", none, nil, 2, []string{"Nothing is watched: no table", "column: <fill in>"},
			[]string{"nothing is watched"}},
		{"nothing may be read", denied, nil, 2, []string{"health: UNKNOWN", "permission denied", "GRANT SELECT"},
			[]string{"no table has a verdict"}},
		{"one connection", lonely, nil, 2, []string{"SQLSTATE 53300", `ALTER ROLE "lonely" CONNECTION LIMIT 2;`},
			[]string{"no table has a verdict"}},
		{"down", "postgres://nobody@127.0.0.1:1/shop", nil, 1, []string{"health: POOR", "Cannot connect"},
			[]string{"cannot connect to the database"}},
		{"no database", "", nil, 2, nil, []string{"DATA_SOURCE_NAME"}},
		{"no such format", good, []string{"--format=pdf"}, 2, nil, []string{"--help"}},
		{"no such health", good, []string{"--fail-on=good"}, 2, nil, []string{"--help"}},
		{"as JSON", good, []string{"--format=json"}, 0, []string{`"overall_health": "good"`, `"table": "good"`}, nil},
		{"as HTML", good, []string{"--format=html"}, 0, []string{"<!doctype html>", "good"}, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Setenv("DATA_SOURCE_NAME", test.dsn)
			code, stdout, stderr := command(append([]string{"report"}, test.args...)...)
			if code != test.code {
				t.Errorf("exit code %d, want %d", code, test.code)
			}
			for _, want := range test.says {
				if !strings.Contains(stdout, want) {
					t.Errorf("the report does not say %q", want)
				}
			}
			for _, want := range test.complains {
				if !strings.Contains(stderr, want) {
					t.Errorf("the error does not say %q", want)
				}
			}
			if len(test.complains) == 0 && stderr != "" {
				t.Error("there is something on stderr")
			}
			if t.Failed() {
				t.Logf("stdout:\n%s\nstderr:\n%s", stdout, stderr)
			}
		})
	}
}

func TestReportCountsNothingButWhatItIsAskedFor(t *testing.T) {
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	pgtest.Exec(t, dsn, `CREATE TABLE wanted (deleted_at timestamptz); CREATE TABLE other (deleted_at timestamptz)`)
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	if _, err := conn.Exec(t.Context(), `BEGIN; LOCK TABLE other`); err != nil {
		t.Fatal(err)
	}
	t.Setenv("DATA_SOURCE_NAME", dsn)
	code, stdout, _ := command("report", "--table=public.wanted", "--format=json")
	var document struct {
		Tables []struct{ Table string }
	}
	if err := json.Unmarshal([]byte(stdout), &document); err != nil || code != 0 || len(document.Tables) != 1 ||
		document.Tables[0].Table != "wanted" {
		t.Errorf("exit code %d, %v:\n%s", code, err, stdout)
	}
}

func TestReportEndsInTimeAndWhenItIsToldTo(t *testing.T) {
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	pgtest.Exec(t, dsn,
		`DO $$ BEGIN FOR i IN 1..40 LOOP EXECUTE format('CREATE TABLE locked%s (deleted_at timestamptz)', i); END LOOP;
			END $$;
		CREATE TABLE zebra (deleted_at timestamptz)`)
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	// Each of them takes our lock timeout: 16 s in all before the last one is tried.
	if _, err := conn.Exec(t.Context(),
		`BEGIN; DO $$ BEGIN FOR i IN 1..40 LOOP EXECUTE format('LOCK TABLE locked%s', i); END LOOP; END $$`); err != nil {
		t.Fatal(err)
	}
	t.Setenv("DATA_SOURCE_NAME", dsn)
	began := time.Now()
	code, stdout, stderr := command("report", "--full", "--timeout=2s",
		"--config.file="+configFile(t, "limits: {lock_timeout: 400ms}"))
	if took := time.Since(began); took > 12*time.Second {
		t.Errorf("it took %s", took)
	}
	if code != 2 || !strings.Contains(stdout, "public.zebra") || !strings.Contains(stdout, "not counted yet") {
		t.Errorf("exit code %d:\n%s%s", code, stdout, stderr)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var out strings.Builder
	if code := run(ctx, []string{"report"}, &out,
		&out); code != 130 || out.String() != "softdelete_exporter: interrupted\n" {
		t.Errorf("interrupted, it ends with %d:\n%s", code, out.String())
	}
}

func TestOnlyATerminalIsOne(t *testing.T) {
	file, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if isTerminal(file) || isTerminal(&strings.Builder{}) {
		t.Error("a file or a buffer is taken for a terminal")
	}
}
