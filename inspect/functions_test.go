package inspect

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/softdelete-exporter/softdelete_exporter/internal/pgserver"
	"github.com/softdelete-exporter/softdelete_exporter/internal/pgserver/pgtest"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// Before PostgreSQL 17 an index can be created with any function. PostgreSQL 17 creates it with its own search_path.
func TestFunctionsOfIndexes(t *testing.T) {
	t.Parallel()
	server := pgtest.Start(t, pgserver.Options{Version: "15", Settings: map[string]string{"shared_buffers": "2MB"}})
	t.Run("what fails is said with a remedy", func(t *testing.T) { functionsFail(t, pgtest.NewDatabase(t, server)) })
	t.Run("only what is gone is dropped", func(t *testing.T) { functionsDropNothing(t, pgtest.NewDatabase(t, server)) })
}

// To plan a query, PostgreSQL inspects the functions of the table's indexes, and does not find names that their
// author's search_path found.
func functionsFail(t *testing.T, dsn string) {
	pgtest.Exec(t, dsn, `CREATE SCHEMA app; CREATE SCHEMA "Odd one"; CREATE ROLE watcher LOGIN IN ROLE pg_read_all_data;
		CREATE TABLE ranks (id int, weight int);
		CREATE FUNCTION plain(text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT upper($1)';
		CREATE FUNCTION norm(text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT plain($1)';
		CREATE FUNCTION app.norm(text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT plain($1)';
		CREATE FUNCTION "Odd one"."a norm"(x text,
			"y z" int) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT public.norm($1)';
		CREATE FUNCTION "a`+"\x1b"+`[2Jb"(text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT plain($1) || $1';
		CREATE FUNCTION weigh(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT weight FROM ranks WHERE id = $1';
		CREATE FUNCTION enabled() RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS
			$$BEGIN RETURN NOT EXISTS (SELECT FROM ranks); END$$;
		CREATE TYPE mood AS ENUM ('1', '2');
		CREATE FUNCTION typed(text) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$SELECT $1 = ('1'::mood)::text$$;
		CREATE FUNCTION secret() RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS
			$$BEGIN RETURN NOT EXISTS (SELECT FROM app.secrets); END$$;
		CREATE TABLE app.secrets (id int); ALTER TABLE app.secrets ENABLE ROW LEVEL SECURITY;
		CREATE FUNCTION refuse() RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS
			$$BEGIN IF current_user = 'watcher' THEN RAISE 'not for you'; END IF; RETURN true; END$$;`)
	var sql strings.Builder
	for name, index := range map[string]string{
		"healthy": "(id)", "app.expression": "(app.norm(id::text))", "nested": `("Odd one"."a norm"(id::text, 1))`,
		"weighed": "(weigh(id))", "obeyed": "(\"a\x1b[2Jb\"(id::text))",
		"filtered": "(id) WHERE enabled()", "casting": "(typed(id::text))", "secretive": "(id) WHERE secret()",
		"refusing": "(id) WHERE refuse()",
	} {
		fmt.Fprintf(&sql, "%s CREATE INDEX ON %s %s;", deletedAt(name), name, index)
	}
	sql.WriteString(deletedAt("surveyed") + "CREATE STATISTICS s ON norm(id::text), id FROM surveyed;" +
		deletedAt("checked") + "ALTER TABLE checked ADD CHECK (norm(id::text) <> '');" + `
		CREATE TABLE parted (id int, deleted_at timestamptz) PARTITION BY LIST (id);
		CREATE TABLE parted_1 PARTITION OF parted FOR VALUES IN (1);
			CREATE TABLE parted_2 PARTITION OF parted FOR VALUES IN (2);
		CREATE INDEX ON parted_2 (norm(id::text)); INSERT INTO parted VALUES (1, now()), (2, NULL);`)
	pgtest.Exec(t, dsn, sql.String())
	i := inspector(t, strings.Replace(dsn, superuser+"@", "watcher@", 1), "")
	s := first(t, i)
	want := map[string]string{
		"public.healthy": "10 4 3", "public.checked": "10 4 3", "app.expression": "error", "public.nested": "error",
		"public.weighed": "error", "public.obeyed": "error", "public.filtered": "error",
		"public.casting": "error", "public.secretive": "error", "public.refusing": "error", "public.surveyed": "error",
		"public.parted": "error",
	}
	if diff := cmp.Diff(want, told(s)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := checks(s)[database(t, dsn)]; got != passed {
		t.Errorf("checks = %+v", got)
	}
	alter := func(function string) string { return "ALTER FUNCTION " + function + " SET search_path FROM CURRENT;" }
	for name, test := range map[string]struct{ says, remedy string }{
		"expression": {"function plain(text) does not exist", alter("app.norm(text)")},
		"nested":     {`SQL function "norm" during inlining`, alter("public.norm(text)")},
		"weighed":    {`relation "ranks" does not exist`, alter("public.weigh(integer)")},
		"filtered":   {`PL/pgSQL function public.enabled() line 1`, alter("public.enabled()")},
		"casting":    {`type "mood" does not exist`, alter("public.typed(text)")},
		"surveyed":   {"counting public.surveyed: ", alter("public.norm(text)")},
		"parted":     {"counting public.parted_2: ", alter("public.norm(text)")},
		"secretive":  {"app.secrets", ""},
		"refusing":   {"not for you", ""},
		"obeyed":     {"function plain(text) does not exist", "write the schema before every name in the function"},
	} {
		p := tableNamed(t, s, name).Problem
		if p == nil || !strings.Contains(p.Message, test.says) || !strings.Contains(p.Message, "search_path") {
			t.Errorf("%s: %+v does not say %q", name, p, test.says)
			continue
		}
		if remedy, _, _ := strings.Cut(p.Remedy, " --"); remedy != test.remedy {
			t.Errorf("%s: the remedy is %q, want %q", name, p.Remedy, test.remedy)
		} else if strings.HasPrefix(remedy, "ALTER") {
			pgtest.Exec(t, dsn, remedy)
		}
	}
	healed := refreshAfter(t, i, s, nil)
	for name := range want {
		switch {
		case strings.HasSuffix(name, "secretive") || strings.HasSuffix(name, "obeyed") ||
			strings.HasSuffix(name, "refusing"):
		case name == "public.parted":
			want[name] = "2 1 0"
		default:
			want[name] = "10 4 3"
		}
	}
	if diff := cmp.Diff(want, told(healed)); diff != "" {
		t.Errorf("with the remedies (-want +got):\n%s", diff)
	}
	// A table that always fails costs less each time.
	for range 2 {
		healed = refreshAfter(t, i, healed, nil)
	}
	if r := tableNamed(t, healed, "refusing"); r.RetryAt.IsZero() || r.Failures != 3+1 && r.Failures != 3 {
		t.Errorf("after %d failures it is tried again at %s", r.Failures, r.RetryAt)
	}
}

// To answer about predicates that the exporter does not understand, the planner also inspects CHECK constraints. An
// error there proves nothing, but the index keeps its other facts.
func TestAFunctionOfAConstraintCostsNoIndex(t *testing.T) {
	t.Parallel()
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	pgtest.Exec(t, dsn, deletedAt("users")+`
		CREATE FUNCTION plain(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1';
		CREATE FUNCTION norm(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT plain($1)';
		ALTER TABLE users ADD CHECK (norm(id) > 0);
		CREATE INDEX odd ON users (id) WHERE extract(epoch FROM deleted_at AT TIME ZONE 'UTC') IS NULL`)
	s := first(t, inspector(t, dsn, ""))
	if x := tableNamed(t, s, "users").Indexing; told(s)["public.users"] != "10 4 3" || x == nil || len(x.Indexes) != 1 ||
		x.Indexes[0].Name != "odd" {
		t.Errorf("%v, indexes %+v", told(s), x)
	}
}

// An error about a dropped table is distinguished from one inside a function.
func functionsDropNothing(t *testing.T, dsn string) {
	pgtest.Exec(t, dsn, `CREATE TABLE ranks (id int);
		CREATE FUNCTION weigh(int) RETURNS bigint LANGUAGE sql IMMUTABLE AS 'SELECT count(*) FROM ranks WHERE id = $1';`+
		deletedAt("stays")+"CREATE INDEX ON stays (weigh(id));"+deletedAt("goes")+"CREATE INDEX ON goes (weigh(id));")
	i := inspector(t, dsn, "integrity: true")
	gone := false
	s := refreshAfter(t, i, empty(t, i), func(*softdelete.Snapshot) {
		if !gone {
			gone = true
			pgtest.Exec(t, dsn, "DROP TABLE goes")
		}
	})
	if diff := cmp.Diff(map[string]string{"public.stays": "error"}, told(s)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
