package queries

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/softdelete-exporter/softdelete_exporter/internal/pgserver/pgtest"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// A script may be run weeks after it was printed. If the table has changed, it refuses to run and removes nothing.
func TestPurgeRefusesWhatHasChangedSince(t *testing.T) {
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	pgtest.Exec(t, dsn, `
		CREATE FUNCTION recorded() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN old; END';
		CREATE FUNCTION changed() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN old; END'`)
	const (
		plain  = `CREATE TABLE t (id int PRIMARY KEY, deleted_at timestamptz)`
		parted = `CREATE TABLE t (id int PRIMARY KEY, deleted_at timestamptz) PARTITION BY RANGE (id);
			CREATE TABLE t_1 PARTITION OF t FOR VALUES FROM (1) TO (2);
				CREATE TABLE t_9 PARTITION OF t FOR VALUES FROM (9) TO (10)`
		child = `CREATE TABLE child (id int REFERENCES t %s)`
	)
	for n, test := range []struct{ name, ddl, since, refused string }{
		{"nothing", plain, "", ""},
		{"nothing of partitions", parted, "", ""},
		{"the type of the marker", plain, "ALTER TABLE t ALTER deleted_at TYPE timestamp",
			"are deleted_at timestamp without time zone, and were deleted_at timestamp with time zone"},
		{"its precision", plain, "ALTER TABLE t ALTER deleted_at TYPE timestamptz(0)", "timestamp(0) with time zone"},
		{"NOT NULL", plain, "ALTER TABLE t ALTER deleted_at SET NOT NULL", "NOT NULL"},
		{"its default", plain, "ALTER TABLE t ALTER deleted_at SET DEFAULT '1999-01-01'", "DEFAULT"},
		{"the default of a partition", parted, "ALTER TABLE t_9 ALTER deleted_at SET DEFAULT '1999-01-01'", "t_9 are"},
		{"its name", plain, "ALTER TABLE t RENAME deleted_at TO gone_at", "are missing"},
		{"a table in its place", plain, "DROP TABLE t; CREATE VIEW t AS SELECT 1 AS id, NULL::timestamptz AS deleted_at",
			"is not an ordinary table"},
		{"a trigger", plain, "CREATE TRIGGER x AFTER DELETE ON t FOR EACH ROW EXECUTE FUNCTION recorded()", "trigger x of"},
		{"a trigger of each statement", plain, "CREATE TRIGGER x BEFORE DELETE ON t EXECUTE FUNCTION recorded()",
			"trigger x of"},
		{"a trigger of a partition", parted, "CREATE TRIGGER x AFTER DELETE ON t_9 FOR EACH ROW EXECUTE FUNCTION recorded()",
			"trigger x of"},
		{"a trigger of all partitions", parted,
			"CREATE TRIGGER x AFTER DELETE ON t FOR EACH ROW EXECUTE FUNCTION recorded()", "trigger x of"},
		{"a trigger that a key runs", plain + ";" + fmt.Sprintf(child, "ON DELETE SET NULL"),
			"CREATE TRIGGER x AFTER UPDATE ON child EXECUTE FUNCTION recorded()", "trigger x of"},
		{"what an accepted trigger does", plain +
			"; CREATE TRIGGER accepted AFTER DELETE ON t FOR EACH ROW EXECUTE FUNCTION changed()",
			"CREATE OR REPLACE FUNCTION public.changed() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
			"trigger accepted of"},
		{"a rule", plain, "CREATE RULE x AS ON DELETE TO t DO INSTEAD NOTHING", "rule x of"},
		{"a rule that a key meets", plain + ";" + fmt.Sprintf(child, "ON DELETE CASCADE"),
			"CREATE RULE x AS ON DELETE TO child DO INSTEAD NOTHING", "rule x of"},
		{"row security", plain,
			"ALTER TABLE t OWNER TO purge_other; GRANT ALL ON t TO CURRENT_USER; ALTER TABLE t ENABLE ROW LEVEL SECURITY; " +
				"ALTER TABLE t FORCE ROW LEVEL SECURITY; SET ROLE purge_other", "row security hides rows"},
		{"row security of what references it", plain + ";" + fmt.Sprintf(child, ""), `
			ALTER TABLE t OWNER TO purge_other; ALTER TABLE child OWNER TO purge_other;
			ALTER TABLE child ENABLE ROW LEVEL SECURITY; ALTER TABLE child FORCE ROW LEVEL SECURITY;
				GRANT ALL ON t TO CURRENT_USER;
			SET ROLE purge_other`, "row security hides rows of"},
		{"a key without an index", plain, fmt.Sprintf(child, "") +
			"; INSERT INTO child SELECT FROM generate_series(1, 20000)", "needs an index that begins with id"},
		{"a key of many columns without an index",
			"CREATE TABLE t (id int, a int DEFAULT 1, deleted_at timestamptz, PRIMARY KEY (a, id))",
			"CREATE TABLE child (x int, y int, FOREIGN KEY (x, y) REFERENCES t); INSERT INTO child SELECT FROM " +
				"generate_series(1, 20000); CREATE INDEX ON child (x) WHERE y = 1", "needs an index that begins with x, y"},
		{"a key that is switched off", plain + ";" + fmt.Sprintf(child, ""), "ALTER TABLE child DISABLE TRIGGER ALL",
			"is switched off"},
		{"the whole session's triggers", plain, "SET session_replication_role = replica",
			"session_replication_role is replica"},
	} {
		t.Run(test.name, func(t *testing.T) {
			schema := fmt.Sprintf("case%d", n)
			here := fmt.Sprintf("CREATE SCHEMA %s; SET search_path = %[1]s, public;", schema)
			pgtest.Exec(t, dsn,
				"DO $$ BEGIN CREATE ROLE purge_other; EXCEPTION WHEN duplicate_object OR unique_violation THEN END $$; "+here+
					"GRANT ALL ON SCHEMA "+schema+" TO purge_other;"+test.ddl+
					"; INSERT INTO t (id, deleted_at) VALUES (1, '2000-01-01'), (9, '2000-01-01')")
			purge := &Purge{Table: &softdelete.Table{Schema: schema, Name: "t",
				Markers: softdelete.Markers{stamp("deleted_at")}, Policy: softdelete.Policy{Retention: 90 * 24 * time.Hour}}}
			if problems := check(t, dsn, purge, "accepted")[0].Problems; len(problems) > 0 {
				t.Fatal(problems)
			}
			conn := dial(t, dsn)
			if _, err := conn.PgConn().Exec(t.Context(),
				fmt.Sprintf("SET search_path = %s, public;", schema)+test.since).ReadAll(); err != nil {
				t.Fatal(err)
			}
			_, err := conn.PgConn().Exec(t.Context(), purge.SQL()).ReadAll()
			left := 0
			if test.refused == "" {
				if err != nil {
					t.Error(err)
				}
			} else {
				left = 2
				if err == nil || !strings.Contains(err.Error(), "nothing more is removed") ||
					!strings.Contains(err.Error(), test.refused) {
					t.Errorf("it ends with %v, want %q", err, test.refused)
				}
			}
			if strings.HasPrefix(test.since, "DROP TABLE") {
				return
			}
			if n := pgtest.Value[int](t, dsn, "SELECT count(*) FROM "+schema+".t"); n != left {
				t.Errorf("%d rows are left, want %d", n, left)
			}
		})
	}
}

// Obstacles that exist from the beginning are reported before a script is printed.
func TestPurgeCheckSaysWhatStandsInTheWay(t *testing.T) {
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	pgtest.Exec(t, dsn, `
		CREATE EXTENSION citext;
		CREATE FUNCTION recorded() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN old; END';
		CREATE TYPE state AS ENUM ('open', 'deleted'); CREATE DOMAIN states AS state`)
	for n, test := range []struct{ name, ddl, problem string }{
		{"nothing", `CREATE TABLE t (id int PRIMARY KEY, deleted_at timestamptz DEFAULT NULL)`, ""},
		{"a default that moves", `CREATE TABLE t (id int, deleted_at timestamptz DEFAULT now())`,
			"the default of column deleted_at is now(): a row may be born deleted"},
		{"a default in another type", `CREATE TABLE t (id int, deleted_at timestamptz DEFAULT '1999-01-01'::date)`,
			"is '1999-01-01'::date: a row may be born deleted"},
		{"a default of a domain that moves", `CREATE DOMAIN moving AS timestamptz DEFAULT now();
			CREATE TABLE t (id int, deleted_at moving)`, "is now(): a row may be born deleted"},
		{"a type of somebody else's", `CREATE TABLE t (id int, deleted_at citext)`, "which is not PostgreSQL's own"},
		{"an enum", `CREATE TABLE t (id int, deleted_at state)`, ""},
		{"a domain of an enum", `CREATE TABLE t (id int, deleted_at states)`, "which is not PostgreSQL's own"},
		{"a trigger", `CREATE TABLE t (id int, deleted_at timestamptz);
			CREATE TRIGGER "odd one" AFTER DELETE ON t EXECUTE FUNCTION recorded()`, `trigger "odd one" of`},
		{"a publication without identity", `CREATE TABLE t (id int, deleted_at timestamptz);
			CREATE PUBLICATION "odd pub" FOR TABLE t`, `publication "odd pub" publishes deletes, and`},
		{"a publication with identity",
			`CREATE TABLE t (id int PRIMARY KEY, deleted_at timestamptz); CREATE PUBLICATION fine FOR TABLE t`, ""},
		{"a publication of inserts",
			`CREATE TABLE t (id int, deleted_at timestamptz); CREATE PUBLICATION ins FOR TABLE t WITH (publish = 'insert')`,
			""},
		{"a referencing table that its owner may not read",
			`DROP ROLE IF EXISTS purge_owner; CREATE ROLE purge_owner;
				CREATE TABLE t (id int PRIMARY KEY, deleted_at timestamptz); CREATE TABLE child (id int REFERENCES t);
					ALTER TABLE t OWNER TO purge_owner`, "purge_owner may not read"},
		{"row security for its owner",
			`DROP ROLE IF EXISTS purge_owner2; CREATE ROLE purge_owner2; GRANT ALL ON SCHEMA :schema TO purge_owner2;
				CREATE TABLE t (id int PRIMARY KEY, deleted_at timestamptz); ALTER TABLE t OWNER TO purge_owner2;
					ALTER TABLE t ENABLE ROW LEVEL SECURITY; ALTER TABLE t FORCE ROW LEVEL SECURITY`, "row security hides rows of"},
		{"a foreign partition",
			`CREATE FOREIGN DATA WRAPPER w; CREATE SERVER s FOREIGN DATA WRAPPER w;
				CREATE TABLE t (id int, deleted_at timestamptz) PARTITION BY RANGE (id);
					CREATE FOREIGN TABLE f PARTITION OF t FOR VALUES FROM (1) TO (2) SERVER s`, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			schema := fmt.Sprintf("case%d", n)
			pgtest.Exec(t, dsn, fmt.Sprintf("CREATE SCHEMA %s; SET search_path = %[1]s, public;", schema)+
				strings.ReplaceAll(test.ddl, ":schema", schema))
			purge := &Purge{Table: &softdelete.Table{Schema: schema, Name: "t",
				Markers: softdelete.Markers{stamp("deleted_at")}, Policy: softdelete.Policy{Retention: time.Hour}}}
			problems := strings.Join(check(t, dsn, purge)[0].Problems, "; ")
			if test.problem == "" && problems != "" || !strings.Contains(problems, test.problem) {
				t.Errorf("the problems are %q, want %q", problems, test.problem)
			}
		})
	}
	pgtest.Exec(t, dsn, "DROP OWNED BY purge_owner, purge_owner2 CASCADE; DROP ROLE purge_owner, purge_owner2")
}

// Temporary objects of the session do not hide the catalogs.
func TestPurgeLooksIntoTheCatalogsAndNothingElse(t *testing.T) {
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	pgtest.Exec(t, dsn, `
		CREATE TABLE t (id int PRIMARY KEY, deleted_at timestamptz); INSERT INTO t VALUES (1, '2000-01-01');
		CREATE FUNCTION recorded() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN old; END'`)
	purge := &Purge{Table: &softdelete.Table{Schema: "public", Name: "t",
		Markers: softdelete.Markers{stamp("deleted_at")}, Policy: softdelete.Policy{Retention: time.Hour}}}
	check(t, dsn, purge)
	pgtest.Exec(t, dsn, `CREATE TRIGGER x AFTER DELETE ON t EXECUTE FUNCTION recorded()`)
	conn := dial(t, dsn)
	if _, err := conn.Exec(t.Context(),
		`CREATE TEMP TABLE pg_trigger AS SELECT * FROM pg_catalog.pg_trigger LIMIT 0`); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.PgConn().Exec(t.Context(), purge.SQL()).ReadAll(); err == nil ||
		!strings.Contains(err.Error(), "trigger x of") {
		t.Errorf("it ends with %v, want that it finds the trigger", err)
	}
	// The same script is run in another database.
	other := pgtest.NewDatabase(t, pgtest.Shared(t))
	pgtest.Exec(t, other,
		`CREATE TABLE t (id int PRIMARY KEY, deleted_at timestamptz); INSERT INTO t VALUES (1, '2000-01-01')`)
	if _, err := run(t, other, purge.SQL()); err == nil || !strings.Contains(err.Error(), "this is database") {
		t.Errorf("in another database it ends with %v", err)
	}
}
