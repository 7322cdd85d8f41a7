package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/softdelete-exporter/softdelete_exporter/internal/pgserver/pgtest"
)

func TestMain(m *testing.M) {
	if os.Getenv("TEST_RUNS_MAIN") != "" { // for a test that needs a separate process
		main()
	}
	os.Exit(pgtest.Main(m))
}

// command runs the program and returns its exit code and what it printed.
func command(args ...string) (code int, stdout, stderr string) {
	var out, errs bytes.Buffer
	code = run(context.Background(), args, &out, &errs)
	return code, out.String(), errs.String()
}

// configFile writes a configuration file.
func configFile(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "config.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestBadInputIsRefusedBeforeAnythingListens(t *testing.T) {
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	pgtest.Exec(t, dsn, `CREATE TABLE users (id int, deleted_at timestamptz)`)
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	address := "--web.listen-address=" + taken.Addr().String()
	for _, test := range []struct {
		name, dsn, config string
		args              []string
		says              []string
	}{
		{"unknown field", dsn, "tll: 5m", nil, []string{"line 1", `"tll"`}},
		{"wrong type", dsn, "ttl: often", nil, []string{"line 1", `"often"`, "5m"}},
		{"DSN that does not parse", "postgres://bob:pa/s3cr3t@db/x", "", nil, []string{"connection string"}},
		{"DSN with a bad option", "host=db password=s3cr3t sslmode=perhaps", "", nil, []string{"sslmode"}},
		{"unknown flag", dsn, "", []string{"--nope"}, []string{"nope", "--help"}},
		{"missing TLS file", dsn, "", []string{"--web.config.file=no/such.yaml"}, []string{"no/such.yaml"}},
		{"taken port", dsn, "", []string{address}, []string{taken.Addr().String(), "--web.listen-address"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Setenv("DATA_SOURCE_NAME", test.dsn)
			code, stdout, stderr := command(append([]string{"--config.file=" + configFile(t, test.config)}, test.args...)...)
			if code != 2 {
				t.Errorf("exit code %d", code)
			}
			for _, want := range test.says {
				if !strings.Contains(stderr, want) {
					t.Errorf("the error does not say %q:\n%s", want, stderr)
				}
			}
			if strings.Contains(stdout+stderr, "s3cr3t") {
				t.Errorf("the password is shown:\n%s%s", stdout, stderr)
			}
			if test.name != "taken port" && strings.Contains(stderr, "Listening") {
				t.Errorf("it listened before:\n%s", stderr)
			}
			if test.name == "unknown flag" {
				return // the format is then unknown
			}
			code, _, stderr = command(append([]string{"--log.format=json", "--config.file=" + configFile(t, test.config)},
				test.args...)...)
			last := ""
			for line := range strings.Lines(stderr) {
				var fields struct{ Level, Msg, TS string }
				if err := json.Unmarshal([]byte(line), &fields); err != nil || fields.TS == "" {
					t.Errorf("no line of JSON with a timestamp (%v): %s", err, line)
				}
				last = fields.Level + ": " + fields.Msg
			}
			for _, want := range append(test.says, "error: ") {
				if code != 2 || !strings.Contains(last, want) {
					t.Errorf("in JSON the exit code is %d, and the last line does not say %q: %s", code, want, last)
				}
			}
		})
	}
}

// Container images set …_VERSION to a number.
func TestVariablesOfAnImageAreNoFlags(t *testing.T) {
	t.Setenv("SOFTDELETE_EXPORTER_VERSION", "15")
	t.Setenv("SOFTDELETE_EXPORTER_HELP", "15")
	for argument, want := range map[string]string{"--version": "softdelete_exporter, version", "check-config": "valid"} {
		code, stdout, stderr := command(argument)
		if code != 0 || !strings.Contains(stdout+stderr, want) {
			t.Errorf("%s: exit code %d, want 0 and %q:\n%s%s", argument, code, want, stdout, stderr)
		}
	}
}

// The error about a wrong value names the flag, or the variable that sets it.
func TestAWrongValueNamesItsFlag(t *testing.T) {
	for args, want := range map[string]string{
		"report --timeout=x":            "--timeout: time: invalid duration",
		"report --format=xml":           "--format: enum value must be one of text,json,html,csv",
		"--log.level=loud":              "--log.level: enum value",
		"check-config --log.level=loud": "--log.level: enum value",
		"purge-script --minutes=soon":   "--minutes: ",
		"--nope":                        "unknown long flag '--nope'",
	} {
		if code, _, stderr := command(strings.Fields(args)...); code != 2 || !strings.Contains(stderr, want) {
			t.Errorf("%s: exit code %d, want it to say %q: %s", args, code, want, stderr)
		}
	}
	t.Setenv("SOFTDELETE_EXPORTER_LOG_FORMAT", "xml")
	if code, _, stderr := command("report"); code != 2 ||
		!strings.Contains(stderr, "SOFTDELETE_EXPORTER_LOG_FORMAT: enum value") {
		t.Errorf("exit code %d: %s", code, stderr)
	}
}

func TestNoPasswordLeavesByALogLineOrAnError(t *testing.T) {
	const text = "dialling postgres://bob:s3cr3t@db/shop"
	var out bytes.Buffer
	if code := exitCode(errors.New(text), "logfmt", &out); code != exitFailure {
		t.Errorf("exit code %d", code)
	}
	for _, format := range []string{"logfmt", "json"} {
		if err := filter(newLogger(&out, format), "info").Log("msg", text, "err", errors.New(text), "dsn", []any{text},
			"all", []string{text}, "by", map[string]string{"a": text}); err != nil {
			t.Error(err)
		}
		bridge(newLogger(&out, format), "info").Error(text, "err", errors.New(text), "all", []string{text})
	}
	if got := out.String(); strings.Contains(got, "s3cr3t") || strings.Count(got, "bob:xxxxx@db") != 17 {
		t.Errorf("want the password written as xxxxx, 17 times:\n%s", got)
	}
}

func TestHelpShowsTheFlagsOfServeAndHowToNameTheServer(t *testing.T) {
	code, stdout, _ := command("--help")
	if code != 0 {
		t.Errorf("exit code %d", code)
	}
	for _, want := range []string{"--web.listen-address", "--config.file", "SOFTDELETE_EXPORTER_CONFIG_FILE",
		"check-config", "grants", "DATA_SOURCE_NAME ", "DATA_SOURCE_NAME_FILE", "DATA_SOURCE_URI ", "DATA_SOURCE_USER,",
		"DATA_SOURCE_PASS_FILE", "PGHOST"} {
		if !strings.Contains(stdout, want) {
			t.Errorf("it does not show %q:\n%s", want, stdout)
		}
	}
}

func TestCheckConfigExplainsEveryTable(t *testing.T) {
	server := pgtest.Shared(t)
	dsn := pgtest.NewDatabase(t, server)
	pgtest.Exec(t, dsn, `
		CREATE TABLE users (id int, deleted_at timestamptz);
		CREATE VIEW gone AS SELECT * FROM users;
		CREATE TABLE hidden (id int, deleted_at timestamptz);
		ALTER TABLE hidden ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
		DROP ROLE IF EXISTS checker; CREATE ROLE checker LOGIN PASSWORD 'checker';
		GRANT SELECT (deleted_at) ON users TO checker;
		GRANT SELECT ON hidden TO checker;
		CREATE TABLE secret (id int, is_deleted bool, "deletedAt" timestamp);
		CREATE TABLE log (id int, deleted_at timestamptz NOT NULL DEFAULT now());
		CREATE TABLE orders (id int, archived bool, deleted_by int)`)
	t.Setenv("DATA_SOURCE_NAME", strings.Replace(dsn, "postgres://postgres@", "postgres://checker:checker@", 1))
	code, stdout, stderr := command("check-config", "--connect", "--config.file="+configFile(t, ""))
	if code != 2 || !strings.Contains(stderr, "2 of 3 tables cannot be read") {
		t.Errorf("exit code %d: %s", code, stderr)
	}
	for _, want := range []string{
		"public.users (timestamp: deleted_at): watched",
		"public.hidden (timestamp: deleted_at): row_security: ",
		`remedy: CREATE POLICY softdelete_exporter ON "public"."hidden" FOR SELECT TO "checker" USING (true); -- or`,
		"public.secret (pair: is_deleted, deletedAt): permission_denied: ",
		"    is_deleted is matched by flags.isdeleted: TRUE means deleted\n",
		"public.log: not watched\n    deleted_at is not used: it is NOT NULL and has no constant as its default",
		"        to change that: discovery: {rules: {flags: {archived: on}}}\n",
		`remedy: GRANT SELECT ("is_deleted", "deletedAt", "ctid", "tableoid") ON "public"."secret" TO "checker";`,
	} {
		if !strings.Contains(stdout, want) {
			t.Errorf("it does not say %q:\n%s", want, stdout)
		}
	}
}

// If one database cannot be queried, the others are still shown. Entries that may be right in that database are not
// reported as faults.
func TestCommandsTellOfTheDatabasesThatCanBeAsked(t *testing.T) {
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	pgtest.Exec(t, dsn, "CREATE TABLE users (id int, deleted_at timestamptz)")
	t.Setenv("DATA_SOURCE_NAME", dsn)
	name := pgtest.Value[string](t, dsn, "SELECT current_database()")
	file := "--config.file=" + configFile(t,
		"databases: {names: ["+name+", missing]}\ntables: [{table: elsewhere, column: deleted_at}]")
	for _, args := range [][]string{{"check-config", "--connect"}, {"grants"}} {
		code, stdout, stderr := command(append(args, file)...)
		if code == 0 || !strings.Contains(stdout, "users") || !strings.Contains(stderr, `"missing"`) ||
			strings.Contains(stderr, "elsewhere") {
			t.Errorf("%s: exit code %d: %s%s", args[0], code, stdout, stderr)
		}
	}
}

func TestGrantsLetARoleReadEveryWatchedTable(t *testing.T) {
	server := pgtest.Shared(t)
	dsn := pgtest.NewDatabase(t, server)
	pgtest.Exec(t, dsn, `
		DROP ROLE IF EXISTS "odd ""role"; CREATE ROLE "odd ""role";
		CREATE SCHEMA "odd schema";
		CREATE TABLE "odd schema"."odd ""table" (id int, deleted boolean);
		CREATE TABLE parted (id int, deleted_at timestamptz) PARTITION BY RANGE (id);
		CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM (0) TO (9)`)
	t.Setenv("DATA_SOURCE_NAME", dsn)
	code, stdout, stderr := command("grants", `--role=odd "role`)
	if code != 0 {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	var sql strings.Builder
	for line := range strings.Lines(stdout) {
		if !strings.HasPrefix(line, `\`) { // psql's meta-commands
			sql.WriteString(line)
		}
	}
	pgtest.Exec(t, dsn, sql.String())
	for _, table := range []string{`"odd schema"."odd ""table"`, "parted", "parted_1"} {
		column := map[bool]string{true: "deleted", false: "deleted_at"}[strings.HasPrefix(table, `"odd`)]
		query := "SELECT has_column_privilege($1, $2::regclass, $3, 'SELECT')"
		if !pgtest.Value[bool](t, dsn, query, `odd "role`, table, column) {
			t.Errorf("no SELECT on %s of %s", column, table)
		}
		if pgtest.Value[bool](t, dsn, query, `odd "role`, table, "id") {
			t.Errorf("SELECT on id of %s, which is more than needed", table)
		}
	}
}
