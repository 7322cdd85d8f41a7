package inspect

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/softdelete-exporter/softdelete_exporter/internal/pgserver/pgtest"
)

// A policy's marker applies to the tables that have its columns, and hides no others.
func TestAPolicyNamesAMarkerForManyTables(t *testing.T) {
	t.Parallel()
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	pgtest.Exec(t, dsn, `CREATE SCHEMA crm;
		CREATE TABLE crm.people ("State" text); INSERT INTO crm.people VALUES ('gone'), ('gone'), ('here'), (NULL);
		CREATE TABLE crm.firms ("State" text, deleted_at timestamptz);
			INSERT INTO crm.firms VALUES ('gone', NULL), ('here', NULL);
		CREATE TABLE crm.notes (state text); INSERT INTO crm.notes VALUES ('gone');
		CREATE TABLE crm.calls (deleted_at timestamptz); INSERT INTO crm.calls VALUES (now()), (NULL);
		CREATE TABLE public.people ("State" text); INSERT INTO public.people VALUES ('gone')`)
	i := inspector(t, dsn, `
policies:
  - {tables: ['crm\.calls'], service: phone}
  - {tables: ['crm\..*'], column: State, deleted_values: [gone], service: crm}
`)
	s := first(t, i)
	want := map[string]string{"crm.people": "4 2 -", "crm.firms": "2 1 -", "crm.calls": "2 1 0"}
	if diff := cmp.Diff(want, told(s)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for name, want := range map[string]string{"calls": "phone", "people": "crm"} {
		if got := tableNamed(t, s, name).Policy.Service; got != want {
			t.Errorf("%s is of service %q, want %q", name, got, want)
		}
	}
	found, err := i.Explain(t.Context())
	tables := found.Tables
	if err != nil {
		t.Fatal(err)
	}
	for _, table := range tables {
		if table.Table == "people" && table.Schema == "crm" && table.Decision.Decisions[0].Rule != "policies" {
			t.Errorf("%+v", table.Decision)
		}
	}
}

// Two servers with equal database names are distinguished by their targets.
func TestAPolicyIsForATarget(t *testing.T) {
	t.Parallel()
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	pgtest.Exec(t, dsn, "CREATE TABLE users (deleted_at timestamptz); CREATE TABLE logs (deleted_at timestamptz)")
	for target, want := range map[string]string{"": "logs prod, users prod", "test:5432/shop": "users test"} {
		i := inspector(t, dsn, `
policies:
  - {targets: ['test:.*'], tables: ['.*\.logs'], ignore: true}
  - {targets: ['test:.*'], service: test}
  - {service: prod}
`)
		i.Target = target
		var got []string
		for _, table := range first(t, i).Databases[0].Tables {
			got = append(got, table.Name+" "+table.Policy.Service)
		}
		if strings.Join(got, ", ") != want {
			t.Errorf("target %q: %v, want %s", target, got, want)
		}
	}
}

func TestATableThatLooksLikeAPatternIsToldWherePatternsGo(t *testing.T) {
	t.Parallel()
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	pgtest.Exec(t, dsn, `CREATE TABLE "odd (one)*" (deleted_at timestamptz)`)
	s := first(t, inspector(t, dsn, `tables: [{table: 'audit_.*'}, {table: audit}, {table: 'odd (one)*'}]`))
	if p := tableNamed(t, s, "audit_.*").Problem; p == nil ||
		!strings.Contains(p.Message, "move a pattern to policies:") {
		t.Errorf("%+v", p)
	}
	if p := tableNamed(t, s, "audit").Problem; p == nil || strings.Contains(p.Message, "move a pattern") {
		t.Errorf("%+v", p)
	}
	if p := tableNamed(t, s, "odd (one)*").Problem; p != nil {
		t.Errorf("%+v", p)
	}
}
