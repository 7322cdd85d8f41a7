package main

import (
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"unicode"

	"github.com/softdelete-exporter/softdelete_exporter/config"
	"github.com/softdelete-exporter/softdelete_exporter/internal/pgserver/pgtest"
)

// A wrong entry does not hide anything about the others.
func TestCheckConfigExplainsEveryTableAlsoBesideFaults(t *testing.T) {
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	pgtest.Exec(t, dsn,
		`CREATE TABLE users (id int, deleted_at timestamptz); CREATE TABLE orders (id int, deleted_at timestamptz);
		CREATE TABLE parcels (id int, gone text); CREATE TABLE carts (is_deleted bool)`)
	t.Setenv("DATA_SOURCE_NAME", dsn)
	code, stdout, stderr := command("check-config", "--connect", "--config.file="+configFile(t, `
policies: [{service: billing, tables: ['public\.orders', 'carts']}]
tables:
  - {table: nope, column: deleted_at}
  - {table: parcels, column: lost}
  - {table: orders, retention: none, method: exact}`))
	if code != 2 {
		t.Errorf("exit code %d", code)
	}
	for _, want := range []string{
		"public.users (timestamp: deleted_at): watched\n    retention 90 days, method auto\n",
		"public.orders (timestamp: deleted_at): watched\n    retention none, method exact, service billing\n",
		"public.carts (flag: is_deleted): watched\n    retention has no effect (the table does not record when ",
		"Warning: policies[0].tables: 'carts' matches no table; did you mean 'public\\.carts'?\n",
		"Tables that may use soft delete: 3 watched, 2 cannot be read, 0 not watched.\n",
		"public.nope: marker_missing: ", "public.parcels: marker_missing: ",
	} {
		if !strings.Contains(stdout, want) {
			t.Errorf("it does not say %q:\n%s", want, stdout)
		}
	}
	for _, want := range []string{"public.nope", `"lost"`} {
		if !strings.Contains(stderr, want) {
			t.Errorf("the faults do not name %s:\n%s", want, stderr)
		}
	}
}

// hostile is a name that would clear a terminal, reverse the direction of the text next to it, and begin a line of
// its own.
const hostile = "a\x1b[2J\u009b31m\u202eb\u2066c\npublic.d: watched\r\x7f"

// unprintable returns the characters on which a terminal would act.
func unprintable(text string) string {
	if i := strings.IndexFunc(text, func(r rune) bool { return r != '\n' && !unicode.IsPrint(r) }); i >= 0 {
		return text[max(0, i-30):min(len(text), i+10)]
	}
	return ""
}

// strange makes a database with tables in a schema with a hostile name, and a configuration that lists a column that
// one of them lacks.
func strange(t *testing.T) (dsn, file string) {
	t.Helper()
	owner := pgtest.NewDatabase(t, pgtest.Shared(t))
	pgtest.Exec(t, owner, strings.ReplaceAll(`CREATE SCHEMA $; CREATE TABLE $.$ (id int, deleted_at timestamptz);
		CREATE TABLE $.shut (id int, deleted_at timestamptz);
			ALTER TABLE $.shut ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
		CREATE TABLE $.kept (id int, is_deleted bool, archived bool, deleted_by int);
		CREATE ROLE stranger LOGIN PASSWORD 'pw'; GRANT USAGE ON SCHEMA $ TO stranger;
			GRANT SELECT ON $.$, $.shut TO stranger`, "$", `"`+hostile+`"`))
	t.Cleanup(func() { pgtest.Exec(t, owner, "DROP OWNED BY stranger; DROP ROLE stranger") })
	u, err := url.Parse(owner)
	if err != nil {
		t.Fatal(err)
	}
	u.User = url.UserPassword("stranger", "pw")
	name := strconv.Quote(hostile)
	return u.String(), configFile(t, "tables: [{schema: "+name+", table: "+name+", column: "+name+"}]")
}

func TestCheckConfigObeysNoName(t *testing.T) {
	dsn, file := strange(t)
	t.Setenv("DATA_SOURCE_NAME", dsn)
	for _, config := range []string{file, configFile(t, "")} {
		code, stdout, stderr := command("check-config", "--connect", "--config.file="+config)
		if code != 2 || !strings.Contains(stdout, "row_security") || !strings.Contains(stdout, "permission_denied") ||
			strings.Count(stdout, "[2J") < 5 {
			t.Errorf("exit code %d: %q%q", code, stdout, stderr)
		}
		if bad := unprintable(stdout + stderr); bad != "" {
			t.Errorf("it holds %q", bad)
		}
		if strings.Contains("\n"+stdout+stderr, "\npublic.d") {
			t.Errorf("a name begins a line:\n%s%s", stdout, stderr)
		}
	}
}

// The statements of grants write characters on which a terminal would act as numbers, and they work.
func TestGrantsWriteHostileNamesByNumbers(t *testing.T) {
	dsn, _ := strange(t)
	owner := strings.Replace(dsn, dsn[len("postgres://"):strings.Index(dsn, "@")], "postgres", 1)
	t.Setenv("DATA_SOURCE_NAME", owner)
	code, stdout, stderr := command("grants", "--role=stranger")
	if code != 0 {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	if bad := unprintable(stdout); bad != "" || strings.Contains(stdout, "\npublic.d") ||
		!strings.Contains(stdout, `\001B[2J`) {
		t.Errorf("it holds %q:\n%s", bad, stdout)
	}
	var sql strings.Builder
	for line := range strings.Lines(stdout) {
		if !strings.HasPrefix(line, `\`) { // psql's meta-commands
			sql.WriteString(line)
		}
	}
	pgtest.Exec(t, owner, sql.String())
	const may = "SELECT has_column_privilege('stranger', format('%I.kept', $1::text)::regclass, $2, 'SELECT')"
	if !pgtest.Value[bool](t, owner, may, hostile, "is_deleted") ||
		pgtest.Value[bool](t, owner, may, hostile, "deleted_by") {
		t.Errorf("it grants something else:\n%s", stdout)
	}
}

func TestTheLogObeysNoName(t *testing.T) {
	dsn, _ := strange(t)
	t.Setenv("DATA_SOURCE_NAME", dsn)
	for _, format := range []string{"logfmt", "json"} {
		address, written := start(t, "--log.format="+format, "--log.level=debug")
		waitFor(t, "the tables to be logged", func() bool {
			get(t, http.DefaultClient, "GET", "http://"+address+"/metrics")
			return strings.Count(written.String(), "cannot read table") >= 2
		})
		if bad := unprintable(written.String()); bad != "" {
			t.Errorf("%s: it holds %q", format, bad)
		}
		if text := written.String(); strings.Contains(text, "\npublic.d") || !strings.Contains(text, "[2J") {
			t.Errorf("%s: a name begins a line, or there is none:\n%s", format, text)
		}
	}
}

func TestCommandsRefuseWhatTheyCannotUse(t *testing.T) {
	t.Setenv("DATA_SOURCE_NAME", "postgres://nobody@127.0.0.1:1/shop")
	for _, test := range []struct {
		args []string
		says string
	}{
		{[]string{"report", "--timeout=0s"}, "--timeout: "},
		{[]string{"report", "--timeout=-1s"}, "--timeout: "},
		{[]string{"grants", "--role="}, "--role: "},
	} {
		if code, stdout, stderr := command(test.args...); code != 2 || !strings.Contains(stderr, test.says) || stdout != "" {
			t.Errorf("%s: exit code %d: %s%s", test.args, code, stdout, stderr)
		}
	}
}

func TestEachCommandSaysWhatNamesADatabase(t *testing.T) {
	t.Setenv("DATA_SOURCE_NAME", "")
	for _, args := range [][]string{{"report"}, {"grants"}, {"check-config", "--connect"}} {
		code, _, stderr := command(args...)
		if code != 2 || !strings.Contains(stderr, config.ErrNoDataSource.Error()) {
			t.Errorf("%s: exit code %d: %s", args, code, stderr)
		}
	}
	for _, want := range []string{"DATA_SOURCE_NAME", "DATA_SOURCE_NAME_FILE", "DATA_SOURCE_URI", "PGHOST"} {
		if !strings.Contains(config.ErrNoDataSource.Error(), want) {
			t.Errorf("it does not name %s: %s", want, config.ErrNoDataSource)
		}
	}
}

// check-config names a pair of which it is not certain which column decides, with the lines that settle it. Each line
// does.
func TestCheckConfigTellsWhichPairsAreNotCertain(t *testing.T) {
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	pgtest.Exec(t, dsn, `
		CREATE TABLE plain (id int, is_deleted boolean, deleted_at timestamptz);
		CREATE TABLE indexed (id int, is_deleted boolean, deleted_at timestamptz);
		CREATE TABLE apart (id int, is_deleted boolean, deleted_at timestamptz);
		CREATE TABLE unclear (id int, is_deleted boolean, deleted_at timestamptz);
		INSERT INTO plain SELECT i, i % 5 = 0, CASE WHEN i % 5 = 0 THEN now() END FROM generate_series(1, 200) i;
		INSERT INTO indexed SELECT * FROM plain; INSERT INTO apart SELECT * FROM plain;
		INSERT INTO unclear SELECT * FROM plain; UPDATE apart SET deleted_at = now() WHERE id % 10 = 1;
		UPDATE unclear SET deleted_at = now() WHERE id % 10 = 1;
		CREATE INDEX indexed_live ON indexed (id) WHERE deleted_at IS NULL;
		CREATE INDEX unclear_live ON unclear (id) WHERE deleted_at IS NULL`)
	t.Setenv("DATA_SOURCE_NAME", dsn)
	run := func(settings, table string) (code int, said string) {
		code, stdout, stderr := command("check-config", "--connect", "--config.file="+configFile(t, settings))
		_, said, found := strings.Cut(stdout, "public."+table+" (")
		if !found {
			t.Fatalf("nothing is said about %s:\n%s%s", table, stdout, stderr)
		}
		return code, regexp.MustCompile(`(?s)\n\S.*`).ReplaceAllString(said, "\n") // up to the next table
	}
	lines := func(table string) [2]string {
		return [2]string{"tables: [{schema: public, table: " + table + ", column: deleted_at}] # deleted_at decides",
			"tables: [{schema: public, table: " + table + ", column: is_deleted, time_column: deleted_at, kind: flag}] # " +
				"is_deleted decides"}
	}
	for table, want := range map[string]string{
		"plain": "", "indexed": `    not certain: "is_deleted" decides, but index "indexed_live" leaves out the rows ` +
			`with a time in "deleted_at", and no index is partial on "is_deleted"`,
		"apart": `    not certain: "is_deleted" decides, but of the 60 rows that "is_deleted" or "deleted_at" ` +
			`calls deleted, only the time says so of 20 and only the flag of 0`,
		"unclear": `marker_unclear: public.unclear: of the 60 rows that "is_deleted" or "deleted_at" ` +
			`calls deleted, only the time says so of 20 and only the flag of 0, and index "unclear_live" leaves out the rows ` +
			`with a time in "deleted_at", and no index is partial on "is_deleted": which of the two decides is not known`,
	} {
		_, said := run("", table)
		for _, line := range lines(table) {
			if strings.Contains(said, "    remedy: "+line+"\n") != (want != "") {
				t.Errorf("%s: %s", table, said)
			}
			if _, after := run(line+"\n", table); strings.Contains(after, "not certain") || strings.Contains(after, "marker_") {
				t.Errorf("%s: %s does not settle it: %s", table, line, after)
			}
		}
		if !strings.Contains(said, want) || strings.Contains(said, "not certain") != strings.HasPrefix(want, "    not") {
			t.Errorf("%s: %s, want %s", table, said, want)
		}
	}
	if code, _ := run("", "plain"); code != 2 {
		t.Errorf("exit code %d though a table is unclear", code)
	}
}
