package queries

import (
	"slices"
	"testing"

	"github.com/softdelete-exporter/softdelete_exporter/indexes"
	"github.com/softdelete-exporter/softdelete_exporter/internal/pgserver/pgtest"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// strangersCode is found before PostgreSQL's own functions and operators. If it is run, it leaves evidence that no
// rollback removes.
const strangersCode = `
	CREATE SEQUENCE public.evidence;
	CREATE FUNCTION public.saw(a varchar, b varchar) RETURNS boolean IMMUTABLE LANGUAGE plpgsql AS
		'BEGIN PERFORM pg_catalog.nextval(''public.evidence''); RETURN true; END';
	CREATE FUNCTION public.saw(a bigint, b bigint) RETURNS boolean IMMUTABLE LANGUAGE plpgsql AS
		'BEGIN PERFORM pg_catalog.nextval(''public.evidence''); RETURN true; END';
	CREATE FUNCTION public.saw(a timestamptz, b timestamptz) RETURNS boolean IMMUTABLE LANGUAGE plpgsql AS
		'BEGIN PERFORM pg_catalog.nextval(''public.evidence''); RETURN true; END';
	CREATE FUNCTION public.saw(a name, b text) RETURNS boolean IMMUTABLE LANGUAGE plpgsql AS
		'BEGIN PERFORM pg_catalog.nextval(''public.evidence''); RETURN true; END';
	CREATE FUNCTION public.saw(a oid, b int) RETURNS boolean IMMUTABLE LANGUAGE plpgsql AS
		'BEGIN PERFORM pg_catalog.nextval(''public.evidence''); RETURN true; END';
	CREATE OPERATOR public.= (LEFTARG = varchar, RIGHTARG = varchar, FUNCTION = public.saw);
	CREATE OPERATOR public.<> (LEFTARG = varchar, RIGHTARG = varchar, FUNCTION = public.saw);
	CREATE OPERATOR public.> (LEFTARG = bigint, RIGHTARG = bigint, FUNCTION = public.saw);
	CREATE OPERATOR public.> (LEFTARG = timestamptz, RIGHTARG = timestamptz, FUNCTION = public.saw);
	CREATE OPERATOR public.= (LEFTARG = name, RIGHTARG = text, FUNCTION = public.saw);
	CREATE OPERATOR public.= (LEFTARG = oid, RIGHTARG = int, FUNCTION = public.saw);
	CREATE FUNCTION public.now() RETURNS timestamptz LANGUAGE plpgsql AS
		'BEGIN PERFORM pg_catalog.nextval(''public.evidence''); RETURN ''-infinity''; END';
	CREATE FUNCTION public.pg_is_in_recovery() RETURNS boolean LANGUAGE plpgsql AS
		'BEGIN PERFORM pg_catalog.nextval(''public.evidence''); RETURN true; END';
	CREATE FUNCTION public.pg_get_indexdef(a oid) RETURNS text LANGUAGE plpgsql AS
		'BEGIN PERFORM pg_catalog.nextval(''public.evidence''); RETURN NULL; END';
	CREATE FUNCTION public.format(a text, b text, c text) RETURNS text LANGUAGE plpgsql AS
		'BEGIN PERFORM pg_catalog.nextval(''public.evidence''); RETURN ''public.t''; END';
	CREATE FUNCTION public.format(a text, b regclass) RETURNS text LANGUAGE plpgsql AS
		'BEGIN PERFORM pg_catalog.nextval(''public.evidence''); RETURN ''SELECT''; END';
	CREATE FUNCTION public.format(a text, b regnamespace) RETURNS text LANGUAGE plpgsql AS
		'BEGIN PERFORM pg_catalog.nextval(''public.evidence''); RETURN ''SELECT''; END';`

// Printed statements do not run code of other users.
func TestPrintedStatementsRunNoStrangersCode(t *testing.T) {
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	pgtest.Exec(t, dsn, `CREATE SCHEMA app; CREATE TABLE app.t (id int, state varchar(9), deleted_at timestamptz);
		CREATE INDEX i ON app.t (id); INSERT INTO app.t VALUES (1, 'open', 'infinity'), (1, 'removed', now());`+
		strangersCode)
	table := &softdelete.Table{Schema: "app", Name: "t",
		OID:    pgtest.Value[uint32](t, dsn, "SELECT 'app.t'::regclass::oid"),
		Policy: softdelete.Policy{TimeZone: "UTC"},
		Markers: softdelete.Markers{{Kind: softdelete.Status, Column: "state", Deleted: []string{"removed"},
			Time: &softdelete.Time{Column: "deleted_at", Type: softdelete.Timestamptz}}}}
	made := &indexes.NewIndex{Name: "live", Method: "btree", Keys: []softdelete.Key{{Column: "id"}},
		Rows: indexes.LiveRows, Markers: table.Markers}
	index := &softdelete.Index{Schema: "app", Name: "i"}
	create := []indexes.Step{{Action: indexes.CreateIndex, New: made}, {Action: indexes.FindDuplicates, New: made}}
	look := []indexes.Step{{Action: indexes.CheckUse, Index: index}, {Action: indexes.ShowDefinition, Index: index}}
	if !Resolves(create) || Resolves(look) {
		t.Errorf("resolving: %v and %v", Resolves(create), Resolves(look))
	}
	for _, printed := range []struct {
		name       string
		statements []string
	}{
		{"an index", slices.Concat([]string{SearchPath()}, Steps(table, create))},
		{"a look", Steps(table, look)},
		{"a contradiction", []string{SearchPath(), Contradicting(table, softdelete.Contradiction{Kind: softdelete.Future})}},
		{"other names", []string{RenameTable(table.OID), RenameSchema(table.OID)}},
	} {
		conn := dial(t, dsn)
		for _, sql := range append([]string{"SET search_path = public, pg_catalog"}, printed.statements...) {
			if _, err := conn.PgConn().Exec(t.Context(), sql).ReadAll(); err != nil {
				t.Fatalf("%s: %s: %v", printed.name, sql, err)
			}
		}
		if pgtest.Value[bool](t, dsn, "SELECT is_called FROM public.evidence") {
			t.Errorf("%s runs a stranger's code: %q", printed.name, printed.statements)
			pgtest.Exec(t, dsn, "SELECT setval('public.evidence', 1, false)")
		}
	}
}
