package main

import (
	"net/http"
	"strings"
	"testing"

	"github.com/softdelete-exporter/softdelete_exporter/internal/pgserver"
	"github.com/softdelete-exporter/softdelete_exporter/internal/pgserver/pgtest"
)

// This holds even if the configuration lists tables, which cannot be checked then.
func TestItStartsWhileTheDatabaseIsDown(t *testing.T) {
	pg := pgtest.Start(t, pgserver.Options{})
	dsn := pg.DSN("postgres", pgserver.Superuser)
	pgtest.Exec(t, dsn, `CREATE TABLE users AS SELECT now() AS deleted_at`)
	if err := pg.Halt(); err != nil {
		t.Fatal(err)
	}
	t.Setenv("DATA_SOURCE_NAME", dsn)
	address, written := start(t, "--config.file="+configFile(t, "tables: [{table: users}]"))
	scrape := func() string {
		_, text := get(t, http.DefaultClient, "GET", "http://"+address+"/metrics")
		return text
	}
	if text := scrape(); !strings.Contains(text, "\ndb_up 0\n") ||
		!strings.Contains(text, `check="connect",datname="postgres"} 0`) {
		t.Errorf("while it is down: %s", text)
	}
	if !strings.Contains(written.String(), "cannot check the configured tables now") {
		t.Errorf("the log does not tell that the tables were not checked:\n%s", written)
	}
	if err := pg.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	text := scrape()
	for _, want := range []string{"\ndb_up 1\n", `check="connect",datname="postgres"} 1`,
		`softdelete_deleted_rows{datname="postgres",relname="users",schemaname="public"} 1`} {
		if !strings.Contains(text, want) {
			t.Errorf("once it is up, %q is missing: %s", want, text)
		}
	}
}
