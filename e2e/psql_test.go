//go:build e2e

// Package e2e holds the tests that need programs beside PostgreSQL: psql,
// Prometheus, Alertmanager, PgBouncer or a browser.
package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/softdelete-exporter/softdelete_exporter/internal/pgserver/pgtest"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

// Every file runs as it is, so that a DBA can try what we do.
func TestEveryQueryRunsInPsql(t *testing.T) {
	psql, err := exec.LookPath("psql")
	if err != nil {
		t.Fatal("psql is missing; install postgresql-client")
	}
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	// What the files ask of: a table, a role, and the catalogs of two extensions.
	pgtest.Exec(t, dsn, `
		CREATE TABLE "Odd ""table" (id int, "deletedAt" timestamptz);
		DROP ROLE IF EXISTS "odd role"; CREATE ROLE "odd role";
		CREATE SCHEMA _timescaledb_catalog;
		CREATE TABLE _timescaledb_catalog.hypertable (schema_name name, table_name name);
		SET allow_system_table_mods = on;
		CREATE TABLE pg_catalog.pg_dist_partition (logicalrelid regclass)`)
	args := []string{"-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", dsn}
	for name, value := range map[string]string{
		"lock_timeout": "100ms", "statement_timeout": "1s",
		"names": "{deletedat}", "schemas": "{public}", "relnames": `{"Odd \"table"}`, "roots": "{1}", "similar": "^$",
		"relation": "1", "attnums": "{1}", "relations": "{1}", "attnames": "{deletedAt}", "column": "id",
		"only": "ONLY", "schemaname": "public", "relname": `Odd "table`, "deleted": `"deletedAt" IS NOT NULL`, "old": "false",
		"columns": `"deletedAt", ctid`, "role": "odd role", "database": "postgres",
	} {
		args = append(args, "-v", name+"="+value)
	}
	files, err := filepath.Glob("../queries/*.sql")
	if err != nil || len(files) == 0 {
		t.Fatalf("no SQL files: %v", err)
	}
	for _, file := range files {
		name := filepath.Base(file)
		if name == "markers.sql" { // expressions, not statements
			continue
		}
		t.Run(name, func(t *testing.T) {
			if out, err := exec.Command(psql, append(args, "-f", file)...).CombinedOutput(); err != nil {
				t.Errorf("psql -f %s: %v\n%s", name, err, out)
			}
		})
	}
}
