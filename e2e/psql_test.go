//go:build e2e

// Package e2e contains the tests that need programs other than PostgreSQL's server: psql, Prometheus, Alertmanager,
// PgBouncer or a browser.
package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"github.com/softdelete-exporter/softdelete_exporter/internal/pgserver/pgtest"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

// Every file runs in psql unchanged, so that a DBA can try the exporter's queries.
func TestEveryQueryRunsInPsql(t *testing.T) {
	psql, err := exec.LookPath("psql")
	if err != nil {
		t.Fatal("psql is missing; install postgresql-client")
	}
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	// The files need a table, a role, and the catalogs of two extensions.
	pgtest.Exec(t, dsn, `
		CREATE TABLE "Odd ""table" (id int CONSTRAINT "Odd ""key" UNIQUE, "deletedAt" timestamptz);
		CREATE INDEX "Odd ""index" ON "Odd ""table" (id); CREATE INDEX "Odd ""spare" ON "Odd ""table" (id);
			CREATE INDEX "Odd ""other" ON "Odd ""table" (id);
		CREATE TABLE parted (id int) PARTITION BY RANGE (id);
			CREATE TABLE part PARTITION OF parted FOR VALUES FROM (0) TO (9);
		CREATE INDEX parted_i ON ONLY parted (id); CREATE INDEX part_i ON part (id);
		DROP ROLE IF EXISTS "odd role"; CREATE ROLE "odd role";
		CREATE FUNCTION norm(text) RETURNS text LANGUAGE sql AS 'SELECT lower($1)';
		CREATE EXTENSION hypopg;
		CREATE SCHEMA _timescaledb_catalog;
		CREATE TABLE _timescaledb_catalog.hypertable (schema_name name, table_name name);
		SET allow_system_table_mods = on;
		CREATE TABLE pg_catalog.pg_dist_partition (logicalrelid regclass)`)
	args := []string{"-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", dsn}
	for name, value := range map[string]string{
		"lock_timeout": "100ms", "statement_timeout": "1s", "constraint_exclusion": "partition",
		"client_encoding": "UTF8", "untracked": "false", "regclass": `public."Odd ""table"`,
		"marked":  `"deletedAt" IS NOT NULL`,
		"strange": "NULL",
		"text":    "norm", "function": "public.norm(text)", "body": "BEGIN NULL; END",
		"names": "{deletedat}", "schemas": "{public}", "relnames": `{"Odd \"table"}`, "roots": "{1}", "similar": "^$",
		"relation": "1", "expression": "1", "type": "int", "born": "{}", "observed": "NULL", "relations": "{1}",
		"attnames": "{deletedAt}",
		"column":   "id",
		"only":     "ONLY", "schemaname": "public", "relname": `Odd "table`, "deleted": `"deletedAt" IS NOT NULL`,
		"old":     "false",
		"columns": `"deletedAt", ctid`, "role": "odd role", "database": "postgres",
		"relids": "{1}", "indexes": "{1}", "constraints": "{1}", "predicate": "id > 7", "claim": "id < 7",
		"create": "CREATE", "indexname": `Odd "index`, "constraintname": `Odd "key`, "method": "btree", "keys": "id",
		"including": "",
		"where":     ` WHERE "deletedAt" IS NULL`, "parentschema": "public", "parentname": "parted_i",
		"hypopg": "public", "definition": `CREATE INDEX ON public."Odd ""table" (id)`,
		"children": "{1}", "parents": "{1}", "referencedschema": "public", "referencedname": `Odd "table`,
		"orphaned": "child.id > 7", "rows": "child.id > 7",
		"inconsistent": "false", "future": "false",
		"target": `public."Odd ""table"`, "order": "", "batch": "1000",
		"most": "1000000", "recent": "false", "oldest": "NULL", "next": "NULL", "coming": "NULL", "blocks": "{0,1}",
		"percent": "10", "seed": "7", "limit": "10",
		"index": `Odd "index`, "question": "SELECT 1", "seconds": `extract(epoch FROM "deletedAt")`, "time": "deletedAt",
		"deleted_at_all": "true", "round": "false", "since": "NULL",
		"class": "class", "classified": `CASE WHEN "deletedAt" IS NOT NULL THEN 0 END`, "observing": "NULL",
		"first": `min("deletedAt")`,
	} {
		args = append(args, "-v", name+"="+value)
	}
	files, err := filepath.Glob("../queries/*.sql")
	if err != nil || len(files) == 0 {
		t.Fatalf("no SQL files: %v", err)
	}
	// Statements that create or drop an index each need a separate one.
	indexes := map[string]string{"advice_attach.sql": "part_i", "advice_create.sql": `New "index`,
		"advice_create_parent.sql": `New "parent`,
		"advice_drop.sql":          `Odd "spare`, "advice_drop_partitioned.sql": `Odd "other`}
	for _, file := range files {
		name := filepath.Base(file)
		if slices.Contains([]string{"markers.sql", "partial.sql", "hypopg_index.sql", "purge.sql", "purge_script.sql",
			"rename_schema.sql",
			"rename_table.sql", "settings_17.sql"}, name) { // parts of statements, or not for every version
			continue
		}
		args := args
		if index := indexes[name]; index != "" {
			args = append(slices.Clone(args), "-v", "indexname="+index)
		}
		if name == "classes.sql" { // ctid is no column that can be named there
			args = append(slices.Clone(args), "-v", `columns="deletedAt"`)
		}
		if name == "shares.sql" || name == "shared_statistics.sql" { // their predicate needs this column
			args = append(slices.Clone(args), "-v", "column=deletedAt", "-v", "type=timestamptz")
		}
		if slices.Contains([]string{"hypopg_savepoint.sql", "hypopg_undo.sql"}, name) {
			args = append(slices.Clone(args), "-c", "BEGIN", "-c", "SAVEPOINT trial")
		}
		t.Run(name, func(t *testing.T) {
			if out, err := exec.Command(psql, append(args, "-f", file)...).CombinedOutput(); err != nil {
				t.Errorf("psql -f %s: %v\n%s", name, err, out)
			}
		})
	}
}
