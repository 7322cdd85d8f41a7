package inspect

import (
	"fmt"
	"strings"
	"testing"

	"github.com/softdelete-exporter/softdelete_exporter/internal/pgserver/pgtest"
)

// The exporter must not run operators and functions of a user who can create objects in a schema of the search path,
// not even before it sets the path.
func TestNoStrangersCodeIsRun(t *testing.T) {
	t.Parallel()
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	var sql strings.Builder
	sql.WriteString(deletedAt("users"))
	for _, operand := range []string{"text", "name", "oid", "int", "bigint", "boolean", "timestamptz"} {
		fmt.Fprintf(&sql,
			"CREATE FUNCTION public.wrong(%s, %[1]s) RETURNS boolean LANGUAGE plpgsql AS 'BEGIN RAISE ''a stranger''; END';",
			operand)
		for _, operator := range []string{"=", "<>", "<", ">"} {
			fmt.Fprintf(&sql, "CREATE OPERATOR public.%s (LEFTARG = %s, RIGHTARG = %[2]s, FUNCTION = public.wrong);",
				operator, operand)
		}
	}
	for _, function := range []string{"now()", "current_setting(text)", "current_setting(text, boolean)",
		"set_config(text, text, boolean)", "pg_is_in_recovery()"} {
		fmt.Fprintf(&sql, "CREATE FUNCTION public.%s RETURNS text LANGUAGE plpgsql AS 'BEGIN RAISE ''a stranger''; END';",
			function)
	}
	fmt.Fprintf(&sql, "ALTER DATABASE %q SET search_path = public, pg_catalog", database(t, dsn))
	pgtest.Exec(t, dsn, sql.String())
	i := inspector(t, dsn, "")
	if p := i.Ping(t.Context()); !p.Up {
		t.Errorf("ping: %s", p.Err)
	}
	s := first(t, i)
	if got := told(s)["public.users"]; got != "10 4 3" {
		t.Errorf("users are %q; %+v", got, s.Databases)
	}
}
