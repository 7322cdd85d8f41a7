package inspect

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/softdelete-exporter/softdelete_exporter/internal/pgserver/pgtest"
)

// Values are compared as the application compares them: with the equality of the column's type, which may be outside
// the exporter's search path.
func TestValuesAreComparedByTheEqualityOfTheirType(t *testing.T) {
	t.Parallel()
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	pgtest.Exec(t, dsn, `
		CREATE SCHEMA "Odd place"; CREATE EXTENSION citext SCHEMA "Odd place"; SET search_path = "Odd place", public;
		CREATE TYPE public.stage AS ENUM ('new', 'gone'); CREATE DOMAIN public.a_stage AS public.stage;
		CREATE DOMAIN public.words AS citext; CREATE DOMAIN public.a_text AS text;
		CREATE TABLE public.folded (status citext, at timestamptz);
		INSERT INTO public.folded VALUES ('active', NULL), ('Active', NULL), ('gone', now()), (NULL, NULL);
		CREATE TABLE public.listed (status citext);
		INSERT INTO public.listed VALUES ('Deleted'), ('DELETED'), ('open'), (NULL);
		CREATE INDEX live ON public.listed (status) WHERE status <> 'deleted';
		CREATE TABLE public.stages (stage a_stage); INSERT INTO public.stages VALUES ('new'), ('gone'), (NULL);
		CREATE TABLE public.found (is_deleted citext); INSERT INTO public.found VALUES ('y'), ('N'), ('n');
		CREATE TABLE public.domain (status words); INSERT INTO public.domain VALUES ('Gone'), ('new');
		CREATE TABLE public.large (status citext);
		INSERT INTO public.large SELECT CASE WHEN i % 4 = 0 THEN 'Gone' ELSE 'Here' END FROM generate_series(1, 9000) i;
		CREATE TABLE public.analyzed (status citext); INSERT INTO public.analyzed SELECT * FROM public.large;
		ANALYZE public.large; ANALYZE public.analyzed;
		CREATE TABLE public.plain (status a_text); INSERT INTO public.plain VALUES ('Gone'), ('gone');
		CREATE TYPE public.bool AS (value int); CREATE TABLE public.impostor (deleted public.bool)`)
	i := inspector(t, dsn, `
tables:
  - {table: folded, column: status, live_values: [active], time_column: at}
  - {table: listed, column: status, deleted_values: [deleted]}
  - {table: stages, column: stage, deleted_values: [gone]}
  - {table: domain, column: status, live_values: [NEW]}
  - {table: large, column: status, deleted_values: [gone], method: sampled}
  - {table: analyzed, column: status, deleted_values: [gone], method: statistics}
  - {table: plain, column: status, deleted_values: [gone]}
  - {table: impostor, column: deleted}`)
	s := first(t, i)
	want := map[string]string{"public.folded": "4 1 0", "public.listed": "4 2 -", "public.stages": "3 1 -",
		"public.found": "3 1 -", "public.domain": "2 1 -", "public.large": "9000 2250 -",
		"public.analyzed": "9000 2250 -", "public.plain": "2 1 -", "public.impostor": "unsupported"}
	got := told(s)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
		for _, table := range s.Databases[0].Tables {
			if table.Problem != nil {
				t.Logf("%s: %s", table.Name, table.Problem.Message)
			}
		}
	}
	for _, table := range s.Databases[0].Tables {
		if table.Numbers != nil && len(table.Numbers.Unseen) > 0 {
			t.Errorf("%s: no row has %q", table.Name, table.Numbers.Unseen)
		}
	}
}

// Comparing values does not run another role's code.
func TestNoEqualityIsUsedThatIsNotWrittenInC(t *testing.T) {
	t.Parallel()
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	pgtest.Exec(t, dsn, `CREATE EXTENSION citext;
		CREATE OR REPLACE FUNCTION citext_eq(citext, citext) RETURNS boolean LANGUAGE plpgsql IMMUTABLE STRICT
			AS 'BEGIN RAISE EXCEPTION ''run as %'', current_user; END';
		CREATE TABLE t (status citext); INSERT INTO t VALUES ('gone')`)
	s := first(t, inspector(t, dsn, "tables: [{table: t, column: status, deleted_values: [gone]}]"))
	p := tableNamed(t, s, "t").Problem
	if p == nil || strings.Contains(p.Message, "run as") || !strings.Contains(p.Message, "of type citext") {
		t.Errorf("%+v", p)
	}
}
