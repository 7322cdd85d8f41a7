package main

import (
	"strings"
	"testing"

	"github.com/softdelete-exporter/softdelete_exporter/internal/pgserver/pgtest"
)

func TestPurgeScriptPrintsWhatIsCertainAndSaysWhyNotElse(t *testing.T) {
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	const old = `SELECT i, CASE WHEN i > 0 THEN now() - interval '1 year' END FROM generate_series(0, 9) i`
	pgtest.Exec(t, dsn, `
		CREATE FUNCTION recorded() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN old; END';
		CREATE TABLE a_parent (id int PRIMARY KEY, deleted_at timestamptz); INSERT INTO a_parent `+old+`;
		CREATE TABLE b_child (id int PRIMARY KEY, deleted_at timestamptz, parent int REFERENCES a_parent);
		INSERT INTO b_child `+old+`;
		CREATE TABLE likes (parent int REFERENCES a_parent ON DELETE CASCADE);
		CREATE TABLE moving (id int PRIMARY KEY, deleted_at timestamptz DEFAULT now()); INSERT INTO moving `+old+`;
		CREATE TABLE audited (id int PRIMARY KEY, deleted_at timestamptz); INSERT INTO audited `+old+`;
		CREATE TRIGGER "audit it" AFTER DELETE ON audited FOR EACH ROW EXECUTE FUNCTION recorded();
		CREATE TABLE circle (id int PRIMARY KEY, deleted_at timestamptz, other int);
		CREATE TABLE ring (id int PRIMARY KEY, deleted_at timestamptz, other int REFERENCES circle);
		ALTER TABLE circle ADD FOREIGN KEY (other) REFERENCES ring;
		CREATE TABLE local (id int PRIMARY KEY, deleted_at timestamp); INSERT INTO local `+old)
	t.Setenv("DATA_SOURCE_NAME", dsn)
	for _, test := range []struct {
		name string
		args []string
		code int
		// prints must be on stdout in this order, without must not be there, complains must be on stderr.
		prints    []string
		without   string
		complains string
	}{
		{"all", []string{"--all"}, 0, []string{`\set ON_ERROR_STOP on`, `\connect -reuse-previous=on "dbname='`,
			"SET statement_timeout = 0;", `of "public"."b_child" that`, "Past retention now: 9 rows, the oldest since",
			"DO $purge$",
			`of "public"."a_parent" that`, `SELECT on "public"."b_child", "public"."likes"`,
			"rehearsal constant boolean := false",
			"No script for public.audited:\n--   trigger \"audit it\" of public.audited would run function " +
				"public.recorded",
			"reference each other: run their scripts again until they remove nothing",
			"No script for public.local:\n--   the time zone of column \"deleted_at\", UTC, is assumed",
			"No script for public.moving:\n" +
				"--   it could not be counted: public.moving: column \"deleted_at\" has a default that is not a " +
				"constant: new rows are live, and what they hold in it is not known\n" +
				"--   column \"deleted_at\" has or had a default, and live rows may hold another one than it has now\n" +
				"--   the default of column deleted_at is now(): a row may be born deleted"}, `of "public"."moving" that`, ""},
		{"a rehearsal of one", []string{`--table=public\.a_parent`, "--rehearse", "--minutes=5", "--rest=0.5"}, 0,
			[]string{"A rehearsal: runs and rolls back", "rehearsal constant boolean := true",
				"minutes constant integer := 5;", "double precision := 0.5;"}, "b_child that", ""},
		{"an accepted trigger", []string{"--table=.*audited", "--accept-trigger=audit it"}, 0,
			[]string{`accepted constant pg_catalog.text[] := ARRAY['audit it `}, "No script for", ""},
		{"a table that goes along", []string{"--table=.*parent", "--go-along=public.likes"}, 0,
			[]string{"go_along_tables constant pg_catalog.text[] := ARRAY['likes'];"}, "", ""},
		{"a table that is too much to lose", []string{"--table=.*parent", "--go-along=public.b_child"}, 1,
			[]string{"go_along_tables constant pg_catalog.text[] := '{}';"}, "",
			"--go-along=public.b_child: it must be a table without soft delete"},
		{"a trigger that is not there", []string{"--table=.*parent", "--accept-trigger=nope"}, 1, []string{"DO $purge$"}, "",
			"--accept-trigger=nope: no chosen table has such a trigger"},
		{"nothing certain", []string{"--table=.*(moving|local)"}, 1, []string{"No script for public.moving:"}, "DO $",
			"there is no script for 2 tables"},
		{"no such table", []string{"--table=nope"}, 1, nil, "DO $", `no watched table matches --table="nope"`},
		{"no tables asked for", nil, 2, nil, "DO $", "--all"},
		{"no time", []string{"--all", "--minutes=0"}, 2, nil, "DO $", "--minutes"},
		{"no rest", []string{"--all", "--rest=-1"}, 2, nil, "DO $", "--rest"},
	} {
		t.Run(test.name, func(t *testing.T) {
			code, stdout, stderr := command(append([]string{"purge-script"}, test.args...)...)
			if code != test.code {
				t.Errorf("exit code %d, want %d: %s", code, test.code, stderr)
			}
			rest := stdout
			for _, want := range test.prints {
				_, after, found := strings.Cut(rest, want)
				if !found {
					t.Fatalf("%q is not in\n%s", want, rest)
				}
				rest = after
			}
			if test.without != "" && strings.Contains(stdout, test.without) {
				t.Errorf("%q is printed", test.without)
			}
			if !strings.Contains(stderr, test.complains) || test.complains == "" && stderr != "" {
				t.Errorf("it says %q, want %q", stderr, test.complains)
			}
		})
	}
}

// A name may contain anything on which a script, a terminal or psql would act.
func TestPurgeScriptTakesNamesForNames(t *testing.T) {
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	pgtest.Exec(t, dsn, `CREATE TABLE "x`+"\n"+`\! touch y`+"\x1b"+
		`[31m $purge$ */" (id int PRIMARY KEY, deleted_at timestamptz);
		CREATE TABLE "y`+"\n"+`DROP TABLE z;" (id int PRIMARY KEY, deleted_at timestamptz DEFAULT now())`)
	t.Setenv("DATA_SOURCE_NAME", dsn)
	code, stdout, stderr := command("purge-script", "--all")
	if code != 0 {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	for line := range strings.Lines(stdout) {
		if strings.HasPrefix(line, `\!`) || strings.HasPrefix(line, "DROP") ||
			strings.ContainsAny(strings.TrimSuffix(line, "\n"), "\x1b\r\n") {
			t.Errorf("a name became the line %q", line)
		}
	}
	for _, want := range []string{`in_table constant pg_catalog.text :=  E'x\u000A\\! touch y\u001B[31m $purge$ */';`,
		"DO $purge_$", `No script for public.y\000ADROP TABLE z;:`} {
		if !strings.Contains(stdout, want) {
			t.Errorf("%q is not in\n%s", want, stdout)
		}
	}
}
