package inspect

import (
	"strings"
	"testing"

	"github.com/softdelete-exporter/softdelete_exporter/internal/pgserver/pgtest"
)

// There is a script only if a DELETE removes exactly the rows past retention. For each obstacle there is a similar
// case that is harmless.
func TestAPurgeIsPrintedOnlyWhereItDoesNoMoreThanItSays(t *testing.T) {
	t.Parallel()
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	const inferred = `column "deleted_at" has or had a default, and live rows may hold another one than it has now`
	const allDeleted = `no live row is left: what column "deleted_at" holds may be what live rows hold`
	tables := map[string]struct{ ddl, withheld string }{
		"plain": {`CREATE TABLE plain (id int PRIMARY KEY, deleted_at timestamptz DEFAULT NULL,
			at timestamptz NOT NULL DEFAULT now())`, ""},
		"null_domain": {`CREATE DOMAIN moment AS timestamptz; CREATE TABLE null_domain (id int, deleted_at moment)`, ""},
		"references_others": {`CREATE TABLE others (id int PRIMARY KEY);
			CREATE TABLE references_others (id int REFERENCES others DEFERRABLE, deleted_at timestamptz);
				INSERT INTO others SELECT generate_series(1, 10)`, ""},
		"other_triggers": {`CREATE TABLE other_triggers (id int UNIQUE DEFERRABLE, deleted_at timestamptz);
			CREATE TRIGGER t AFTER INSERT OR UPDATE ON other_triggers FOR EACH ROW EXECUTE FUNCTION nothing();
			CREATE TRIGGER u BEFORE TRUNCATE ON other_triggers EXECUTE FUNCTION nothing()`, ""},
		"split": {`CREATE TABLE split (id int, deleted_at timestamptz) PARTITION BY RANGE (id);
			CREATE TABLE split_1 PARTITION OF split FOR VALUES FROM (1) TO (99)`, ""},
		"has_child": {`CREATE TABLE has_child (id int, deleted_at timestamptz); CREATE TABLE child () INHERITS (has_child);
			CREATE TRIGGER t BEFORE DELETE ON child FOR EACH ROW EXECUTE FUNCTION nothing()`, ""},
		"disabled": {`CREATE TABLE disabled (id int, deleted_at timestamptz);
			CREATE TRIGGER keep BEFORE DELETE ON disabled FOR EACH ROW EXECUTE FUNCTION nothing();
				ALTER TABLE disabled DISABLE TRIGGER keep`, ""},
		"parents": {`CREATE TABLE parents (id int PRIMARY KEY, deleted_at timestamptz);
			CREATE TABLE children (id int CONSTRAINT key REFERENCES parents)`, ""},
		"itself": {`CREATE TABLE itself (id int PRIMARY KEY, above int CONSTRAINT up REFERENCES itself,
			deleted_at timestamptz)`, ""},
		"defaulted": {`CREATE TABLE defaulted (id int, deleted_at timestamptz DEFAULT 'epoch')`, inferred},
		"missing_value": {`CREATE TABLE missing_value (id int); INSERT INTO missing_value VALUES (0);
			ALTER TABLE missing_value ADD deleted_at timestamptz DEFAULT 'epoch';
				ALTER TABLE missing_value ALTER deleted_at DROP DEFAULT`, inferred},
		"default_domain": {`CREATE DOMAIN since AS timestamptz DEFAULT 'epoch';
			CREATE TABLE default_domain (id int, deleted_at since)`, inferred},
		"pair": {`CREATE TABLE pair (id int, is_deleted bool GENERATED ALWAYS AS (deleted_at IS NOT NULL) STORED,
			deleted_at timestamptz)`, ""},

		"no_live_row": {`CREATE TABLE no_live_row (id int, deleted_at timestamptz)`, allDeleted},
		"row_trigger": {`CREATE TABLE row_trigger (id int, deleted_at timestamptz);
			CREATE TRIGGER keep BEFORE DELETE ON row_trigger FOR EACH ROW EXECUTE FUNCTION nothing()`,
			"trigger keep of public.row_trigger would run function public.nothing"},
		"statement_trigger": {`CREATE TABLE statement_trigger (id int, deleted_at timestamptz);
			CREATE TRIGGER keep AFTER DELETE ON statement_trigger REFERENCING OLD TABLE AS gone EXECUTE FUNCTION nothing()`,
			"trigger keep of public.statement_trigger would run function public.nothing"},
		"ruled": {`CREATE TABLE ruled (id int, deleted_at timestamptz);
			CREATE RULE "hide ""it""" AS ON DELETE TO ruled DO INSTEAD NOTHING`,
			`rule "hide ""it""" of public.ruled would rewrite the DELETE`},
		"never_null_part": {`CREATE TABLE never_null_part (id int, deleted_at timestamptz) PARTITION BY RANGE (id);
			CREATE TABLE never_null_part_1 PARTITION OF never_null_part (deleted_at NOT NULL) FOR VALUES FROM (1) TO (99)`,
			allDeleted + "; the columns of public.never_null_part_1 are deleted_at timestamp with time zone NOT NULL, and " +
				"were deleted_at timestamp with time zone"},
		"local": {`CREATE TABLE local (id int, deleted_at timestamp)`,
			`the time zone of column "deleted_at", UTC, is assumed`},
		"parted": {`CREATE TABLE parted (id int, deleted_at timestamptz) PARTITION BY RANGE (id);
			CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM (1) TO (5);
			CREATE TABLE parted_2 PARTITION OF parted FOR VALUES FROM (5) TO (99) PARTITION BY RANGE (id);
			CREATE TABLE "Parted" PARTITION OF parted_2 (deleted_at DEFAULT 'infinity') FOR VALUES FROM (5) TO (99);
			CREATE TRIGGER keep BEFORE DELETE ON "Parted" FOR EACH ROW EXECUTE FUNCTION nothing()`,
			inferred +
				`; the columns of public."Parted" are deleted_at timestamp with time zone DEFAULT ` +
				`'infinity'::timestamp with time zone, and were deleted_at timestamp with time zone; ` +
				`trigger keep of public."Parted" would run function public.nothing`},
		"parted_triggers": {`CREATE TABLE parted_triggers (id int, deleted_at timestamptz) PARTITION BY RANGE (id);
			CREATE TABLE parted_triggers_1 PARTITION OF parted_triggers FOR VALUES FROM (1) TO (99);
			CREATE TRIGGER keep AFTER DELETE ON parted_triggers FOR EACH ROW EXECUTE FUNCTION nothing()`,
			"trigger keep of public.parted_triggers would run function public.nothing"},
	}
	pgtest.Exec(t, dsn, "CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'")
	var sql strings.Builder
	for name, table := range tables {
		live := "10"
		if name == "never_null_part" || name == "no_live_row" {
			live = "0" // no row is live
		}
		sql.WriteString(table.ddl + ";\nINSERT INTO " + name + " (id, deleted_at) SELECT i, CASE WHEN i <> " + live +
			" THEN now() - interval '1 year' END FROM generate_series(1, 10) i;\n")
	}
	pgtest.Exec(t, dsn, sql.String())
	i := inspector(t, dsn, `tables:
  - {table: defaulted, column: deleted_at}
  - {table: default_domain, column: deleted_at}`)
	s := empty(t, i)
	m := newMigration(t, dsn)
	for range 2 {
		s = refreshAfter(t, i, s, nil)
		for name, want := range tables {
			users := tableNamed(t, s, name)
			if got := strings.Join(users.Withheld(), "; "); got != want.withheld {
				t.Errorf("%s: %q, want %q", name, got, want.withheld)
			}
		}
		m.do(
			"BEGIN; LOCK TABLE plain, row_trigger, parents, children, \"Parted\" IN ACCESS EXCLUSIVE " +
				"MODE") // the last result stays
	}
}

// After a purge there is nothing to report.
func TestWithoutOldRowsNoPurgeIsThoughtOf(t *testing.T) {
	t.Parallel()
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	pgtest.Exec(t, dsn, deletedAt("users"))
	i := inspector(t, dsn, "")
	s := first(t, i)
	if tableNamed(t, s, "users").Purging == nil {
		t.Fatal("nothing is known of a purge")
	}
	pgtest.Exec(t, dsn, "DELETE FROM users WHERE deleted_at IS NOT NULL")
	settled(t, dsn)
	s = refreshAfter(t, i, s, nil)
	if tableNamed(t, s, "users").Purging != nil {
		t.Error("of a table without old rows it is told what stands in the way of a purge")
	}
}
