package inspect

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/softdelete-exporter/softdelete_exporter/internal/pgserver/pgtest"
)

// oddNames are names that need careful quoting.
var oddNames = []string{
	`it's`, `"quoted"`, `we"ird'`, `CamelCase`, `dots.in.name`, `with space`, ` edge `, "new\nline",
	"tab\tand\\back\\slash",
	`größe`, `表`, `🗑`, `select`, `$1`, `$$`, `:name`, `:'name'`, `--`, `/* */`, `a;b`, `{a,b}`, `%s`, `NULL`,
	strings.Repeat("n", 63),
}

func TestOddNames(t *testing.T) {
	t.Parallel()
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	var sql, listed strings.Builder
	want := map[string]string{}
	quoted := func(name string) string { return pgx.Identifier{name}.Sanitize() }
	listed.WriteString("discovery: {enabled: true}\ntables:\n")
	for _, name := range oddNames {
		// Each is a schema and a table that discovery finds, and a column that is configured.
		fmt.Fprintf(&sql, `CREATE SCHEMA %[1]s; %[2]s`, quoted(name), deletedAt(quoted(name)+"."+quoted(name)))
		want[name+"."+name] = "10 4 3"
		fmt.Fprintf(&sql, `CREATE TABLE public.%[1]s AS SELECT deleted_at AS %[1]s FROM %[1]s.%[1]s;`, quoted(name))
		fmt.Fprintf(&listed, "  - {table: %[1]q, column: %[1]q}\n", name)
		want["public."+name] = "10 4 3"
	}
	pgtest.Exec(t, dsn, sql.String())
	if diff := cmp.Diff(want, told(first(t, inspector(t, dsn, listed.String())))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestADatabaseOfAnOddName(t *testing.T) {
	t.Parallel()
	const name = `odd "db'` + "\n%s"
	server := pgtest.Shared(t)
	admin := server.DSN("postgres", superuser)
	pgtest.Exec(t, admin, "CREATE DATABASE "+pgx.Identifier{name}.Sanitize())
	t.Cleanup(func() { pgtest.Exec(t, admin, "DROP DATABASE "+pgx.Identifier{name}.Sanitize()+" WITH (FORCE)") })
	pgtest.Exec(t, server.DSN(name, superuser), deletedAt("users"))
	s := first(t, inspector(t, admin, fmt.Sprintf("databases: {names: [%q]}", name)))
	if len(s.Databases) != 1 || s.Databases[0].Name != name || told(s)["public.users"] != "10 4 3" {
		t.Errorf("%+v", s)
	}
}

// Only tables are watched. Other configured relations are reported, and affect nothing else.
func TestOtherRelationsThanTables(t *testing.T) {
	t.Parallel()
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	const others = `
		CREATE UNLOGGED TABLE %[1]sunlogged AS SELECT * FROM public.users;
		CREATE VIEW %[1]sview AS SELECT * FROM public.users;
		CREATE MATERIALIZED VIEW %[1]smatview AS SELECT * FROM public.users;
		CREATE FOREIGN TABLE %[1]sremote (id int, deleted_at timestamptz) SERVER nowhere;
		CREATE TYPE %[1]scomposite AS (id int, deleted_at timestamptz);
		CREATE SEQUENCE %[1]ssequence;`
	pgtest.Exec(t, dsn, deletedAt("users")+`
		CREATE FOREIGN DATA WRAPPER nothing; CREATE SERVER nowhere FOREIGN DATA WRAPPER nothing;
		CREATE SCHEMA listed;`+fmt.Sprintf(others, "")+fmt.Sprintf(others, "listed."))
	holder := newMigration(t, dsn)
	holder.do("CREATE TEMPORARY TABLE temporary AS SELECT * FROM users")

	var listed strings.Builder
	listed.WriteString("tables:\n")
	for _, name := range []string{"view", "matview", "remote", "composite", "sequence", "unlogged"} {
		fmt.Fprintf(&listed, "  - {schema: listed, table: %s, column: deleted_at}\n", name)
	}
	want := map[string]string{
		"public.users":     "10 4 3",
		"public.unlogged":  "10 4 3",
		"listed.unlogged":  "10 4 3",
		"listed.view":      "unsupported",
		"listed.matview":   "unsupported",
		"listed.remote":    "unsupported",
		"listed.composite": "unsupported",
		"listed.sequence":  "unsupported",
	}
	if diff := cmp.Diff(want, told(first(t, inspector(t, dsn, listed.String())))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// A foreign partition is on another server.
func TestAForeignPartitionIsUnsupported(t *testing.T) {
	t.Parallel()
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	pgtest.Exec(t, dsn, deletedAt("users")+`
		CREATE FOREIGN DATA WRAPPER nothing; CREATE SERVER nowhere FOREIGN DATA WRAPPER nothing;
		CREATE TABLE parted (id int, deleted_at timestamptz) PARTITION BY LIST (id);
		CREATE TABLE parted_1 PARTITION OF parted FOR VALUES IN (1);
		CREATE FOREIGN TABLE parted_2 PARTITION OF parted FOR VALUES IN (2) SERVER nowhere`)
	want := map[string]string{"public.users": "10 4 3", "public.parted": "unsupported"}
	if diff := cmp.Diff(want, told(first(t, inspector(t, dsn, "")))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// A table's numbers include its own rows and those of its partitions, each once.
func TestRowsAreCountedOnce(t *testing.T) {
	t.Parallel()
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	pgtest.Exec(t, dsn, deletedAt("parent")+`
		CREATE TABLE child () INHERITS (parent);
		INSERT INTO child VALUES (1, NULL), (2, now());
		CREATE TABLE parted (id int, deleted_at timestamptz) PARTITION BY LIST (id);
		CREATE TABLE parted_1 PARTITION OF parted FOR VALUES IN (1) PARTITION BY LIST (id);
		CREATE TABLE parted_1_1 PARTITION OF parted_1 FOR VALUES IN (1);
		CREATE TABLE parted_2 PARTITION OF parted FOR VALUES IN (2);
		CREATE TABLE bare (id int, deleted_at timestamptz) PARTITION BY LIST (id);
		INSERT INTO parted VALUES (1, NULL), (1, now()), (2, NULL)`)
	want := map[string]string{"public.parent": "10 4 3", "public.child": "2 1 0", "public.parted": "3 1 0",
		"public.bare": "0 0 0"}
	if diff := cmp.Diff(want, told(first(t, inspector(t, dsn, "")))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// The planner's estimates are not a count.
func TestStatisticsAreNoCount(t *testing.T) {
	t.Parallel()
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	pgtest.Exec(t, dsn, deletedAt("users")+deletedAt("fresh")+`
		ANALYZE users; UPDATE pg_class SET reltuples = 400000 WHERE relname = 'users'`)
	want := map[string]string{"public.users": "10 4 3", "public.fresh": "10 4 3"}
	if diff := cmp.Diff(want, told(first(t, inspector(t, dsn, "")))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
