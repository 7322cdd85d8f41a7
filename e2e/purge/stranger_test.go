//go:build e2e

package purge

import (
	"fmt"
	"strings"
)

// foundation is what every database has: an owner who is not a superuser, a stranger who can create objects in
// public, and code of both that would make them superusers if a superuser ran it.
const foundation = `
	CREATE SCHEMA app AUTHORIZATION app_owner; CREATE SCHEMA "Odd ""schema""" AUTHORIZATION app_owner;
	CREATE EXTENSION citext SCHEMA app;
	CREATE COLLATION app.ci (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
	GRANT CREATE ON SCHEMA public TO app_owner, stranger;
	CREATE SEQUENCE public.evidence; GRANT ALL ON SEQUENCE public.evidence TO PUBLIC;
	SET SESSION AUTHORIZATION app_owner;
	CREATE FUNCTION app.keep() RETURNS trigger LANGUAGE plpgsql AS
		'BEGIN IF TG_OP = ''DELETE'' THEN RETURN NULL; END IF; RETURN new; END';
	CREATE FUNCTION app.log() RETURNS trigger LANGUAGE plpgsql AS
		'BEGIN INSERT INTO audit_log VALUES (''log''); RETURN old; END';
	CREATE TABLE app.record (label text);
	CREATE FUNCTION app.record() RETURNS trigger LANGUAGE plpgsql AS
		'BEGIN INSERT INTO record VALUES (old.label); RETURN old; END';
	CREATE FUNCTION app.climb(n int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS 'BEGIN
		IF current_setting(''is_superuser'') = ''on'' THEN
			PERFORM pg_catalog.nextval(''public.evidence''); EXECUTE ''ALTER ROLE app_owner SUPERUSER''; END IF; RETURN 1; END';
	CREATE FUNCTION app.same(a text, b text) RETURNS boolean IMMUTABLE LANGUAGE sql AS 'SELECT app.climb(1) = 1';
	CREATE OPERATOR app.=== (LEFTARG = text, RIGHTARG = text, FUNCTION = app.same);
	RESET SESSION AUTHORIZATION;
`

// stranger is code of a user who can create objects in a schema of the search path. If any of it is run, it leaves
// evidence that no rollback removes.
var stranger = func() string {
	var sql strings.Builder
	sql.WriteString("SET SESSION AUTHORIZATION stranger;\n")
	made := map[string]bool{}
	function := func(name, args, returns, value string) {
		if signature := name + "(" + args + ")"; !made[signature] {
			made[signature] = true
			fmt.Fprintf(&sql,
				"CREATE FUNCTION public.%s RETURNS %s LANGUAGE plpgsql AS 'BEGIN PERFORM "+
					"pg_catalog.nextval(''public.evidence''); RETURN %s; END';\n", signature, returns, value)
		}
	}
	for _, f := range [][3]string{
		{"now()", "timestamptz", "''infinity''"}, {"clock_timestamp()", "timestamptz", "NULL"},
		{"set_config(a text, b text, c boolean)", "text", "NULL"},
		{"current_setting(a text)", "text", "NULL"}, {"format(a text)", "text", "NULL"},
		{"format(a text, b name)", "text", "NULL"}, {"format(a text, b name, c name)", "text", "NULL"},
		{"format(a text, b text, c text)", "text", "NULL"}, {"pg_sleep(a double precision)", "void", ""},
		{"to_regclass(a text)", "regclass", "NULL"},
		{"pg_relation_size(a oid)", "bigint", "0"}, {"cardinality(a tid[])", "int", "0"},
		{"cardinality(a text[])", "int", "0"}, {"current_database()", "name", "NULL"},
		{"pg_partition_tree(a oid)", "int", "0"}, {"row_security_active(a oid)", "boolean", "false"},
		{"starts_with(a name, b text)", "boolean", "true"},
		{"least(a int)", "int", "0"}, {"array_to_string(a text[], b text)", "text", "NULL"},
		{"quote_literal(a text)", "text", "NULL"},
	} {
		name, args, _ := strings.Cut(strings.TrimSuffix(f[0], ")"), "(")
		function(name, args, f[1], f[2])
	}
	for _, left := range []string{"timestamptz", "timestamp", "date", "bigint", "int", "smallint", "oid", "name", "text",
		"tid", "boolean", "double precision"} {
		function("wrong", "a "+left+", b "+left, "boolean", "true")
		for _, op := range []string{"=", "<>", "<", ">", ">=", "<="} {
			fmt.Fprintf(&sql, "CREATE OPERATOR public.%s (LEFTARG = %s, RIGHTARG = %s, FUNCTION = public.wrong);\n", op,
				left, left)
		}
	}
	function("wrong", "a timestamptz, b interval", "timestamptz", "''infinity''")
	sql.WriteString("CREATE OPERATOR public.- (LEFTARG = timestamptz, RIGHTARG = interval, FUNCTION = public.wrong);\n")
	function("looked", "a varchar", "boolean", "true")
	for _, name := range []string{"text", "oid", "tid", "regclass", "timestamptz", "int8"} {
		fmt.Fprintf(&sql, "CREATE DOMAIN public.%s AS pg_catalog.varchar CHECK (public.looked(VALUE));\n", name)
	}
	sql.WriteString("RESET SESSION AUTHORIZATION;\n")
	return sql.String()
}()
