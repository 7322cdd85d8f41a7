package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/softdelete-exporter/softdelete_exporter/internal/exportertest"
	"github.com/softdelete-exporter/softdelete_exporter/internal/pgserver"
	"github.com/softdelete-exporter/softdelete_exporter/internal/pgserver/pgtest"
)

// Connection strings as people have written them. Each contains S3cr3t at least once, as the password or a piece of
// it. says is the error that refuses the string; empty if it is accepted.
var leaky = []struct{ text, says string }{
	{"postgres://bob:p@S3cr3ta/w#S3cr3tb@h/db", "# as %23"},
	{"postgres://bob:p@S3cr3ta/S3cr3tb@h/db", "@ as %40"},
	{"postgres://bob:1234/S3cr3t@h/db", "@ as %40"},
	{"postgres://bob:a?S3cr3t=b@h/db", "@ as %40"},
	{"postgres:S3cr3t@h/db?sslmode=disable", "lacks the //"},
	{"bob:S3cr3t@h/db?sslmode=disable", "neither a URL nor key=value"},
	{"password=abc S3cr3t=x", "single quotes"},
	{"pasword=S3cr3t", "did you mean password?"},
	{"dbname='user=bob password=S3cr3t'", "only the name of the database"},
	{`"postgres://bob:S3cr3t@h/db"`, "in quotes"},
	{"postgresql+psycopg2://bob:S3cr3t@h/db", "unknown scheme"},
	{"DATA_SOURCE_NAME=postgres://bob:S3cr3t@h/db", "remove the text before"},
	{"password=a`:S3cr3t sslmode=perhaps", "sslmode must be"},
	{"postgres://bob:a`: S3cr3t@h/db", "a space as %20"},
	{"postgres://bob%3AS3cr3t@ADDRESS/db", "colon"},
	{" postgres://bob:S3cr3t@ADDRESS/shop", ""},
	{"\ufeffpostgres://bob:S3cr3t@ADDRESS/shop\r\n", ""},
	{"postgres://bob:p%40S3cr3ta%2FS3cr3tb@ADDRESS/shop?target_session_attrs=standby", ""},
	{"password='S3cr3t`: S3cr3t' user=bob dbname=gone", ""},
}

// Whatever the connection string is, no piece of its password leaves the process, or gets into the log of the server
// to which libpq's variables lead.
func TestNoPieceOfAPasswordIsShownAnywhere(t *testing.T) {
	log := &exportertest.Output{}
	server := pgtest.Start(t, pgserver.Options{
		HBA: []string{"host all bob 127.0.0.1/32 scram-sha-256"}, Logger: log,
		Settings: map[string]string{"log_connections": "on", "log_disconnections": "on", "log_min_messages": "debug1",
			"log_error_verbosity": "verbose", "log_statement": "all"},
	})
	pgtest.Exec(t, server.DSN("postgres", pgserver.Superuser), `CREATE ROLE bob LOGIN PASSWORD 'other'`)
	address := fmt.Sprintf("127.0.0.1:%d", server.Port)
	t.Setenv("PGHOST", "127.0.0.1")
	t.Setenv("PGPORT", fmt.Sprint(server.Port))
	t.Setenv("PGUSER", pgserver.Superuser)
	file := filepath.Join(t.TempDir(), "dsn")
	for n, test := range leaky {
		text := strings.ReplaceAll(test.text, "ADDRESS", address)
		for _, variable := range []string{"DATA_SOURCE_NAME", "DATA_SOURCE_NAME_FILE"} {
			t.Run(fmt.Sprintf("%d %s", n, variable), func(t *testing.T) {
				t.Setenv(variable, text)
				if variable != "DATA_SOURCE_NAME" {
					if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
						t.Fatal(err)
					}
					t.Setenv(variable, file)
				}
				var shown strings.Builder
				for _, args := range [][]string{{"check-config", "--connect"}, {"grants"}, {"report", "--timeout=10s"}} {
					code, stdout, stderr := command(args...)
					fmt.Fprintf(&shown, "%s: %s%s", args[0], stdout, stderr)
					if test.says != "" && (code != 2 || !strings.Contains(stderr, test.says)) {
						t.Errorf("%s: exit code %d, %s; want it to say %q", args[0], code, stderr, test.says)
					}
				}
				shown.WriteString(served(t))
				if text := shown.String(); strings.Contains(text, "S3cr") {
					t.Errorf("the password is shown:\n%s", text)
				}
			})
		}
	}
	if text := log.String(); strings.Contains(text, "S3cr") || !strings.Contains(text, "password authentication failed") {
		t.Errorf("the server's log shows the password, or nothing of us:\n%s", text)
	}
}

// served returns everything that the exporter shows: its log and, if it starts, its pages.
func served(t *testing.T) string {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	written, ended := &exportertest.Output{}, make(chan int, 1)
	go func() {
		ended <- run(ctx, []string{"--web.listen-address=127.0.0.1:0", "--log.level=debug"}, written, written)
	}()
	code := -1
	waitFor(t, "the exporter to listen or to end", func() bool {
		select {
		case code = <-ended:
			return true
		default:
			return listening.MatchString(written.String())
		}
	})
	var pages strings.Builder
	if code < 0 {
		address := listening.FindStringSubmatch(written.String())[1]
		for _, path := range []string{"/", "/metrics", "/health", "/report?format=json", "/report?format=html", "/config",
			"/metrics"} {
			_, text := get(t, http.DefaultClient, "GET", "http://"+address+path)
			pages.WriteString(text)
		}
		if !strings.Contains(pages.String(), "db_up 0") {
			t.Errorf("the database is up:\n%s", pages.String())
		}
		stop()
		<-ended
	}
	return written.String() + pages.String()
}

// Passwords that do not come from the connection string are hidden, too.
func TestAPasswordFromElsewhereIsHidden(t *testing.T) {
	server := pgtest.Shared(t)
	// The server's error repeats the names of unknown settings.
	address := fmt.Sprintf("127.0.0.1:%d/postgres?options=-c%%20tr0ub4dor%%3D1", server.Port)
	pass := filepath.Join(t.TempDir(), "pgpass")
	if err := os.WriteFile(pass, []byte("127.0.0.1:*:*:*:tr0ub4dor\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	services := filepath.Join(t.TempDir(), "services")
	if err := os.WriteFile(services, []byte("[shop]\nhost=127.0.0.1\npassword=tr0ub4dor\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, variables := range map[string]map[string]string{
		"PGPASSWORD": {"PGPASSWORD": "tr0ub4dor"},
		"pgpass":     {"PGPASSFILE": pass},
		"a service":  {"PGSERVICE": "shop", "PGSERVICEFILE": services},
		"DATA_SOURCE_PASS": {"DATA_SOURCE_NAME": "", "DATA_SOURCE_URI": address, "DATA_SOURCE_USER": "postgres",
			"DATA_SOURCE_PASS": "tr0ub4dor"},
		"in the string": {"DATA_SOURCE_NAME": "postgres://postgres:tr0ub4dor@" + address},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("DATA_SOURCE_NAME", "postgres://postgres@"+address)
			for variable, value := range variables {
				t.Setenv(variable, value)
			}
			_, _, stderr := command("check-config", "--connect")
			if want := `unrecognized configuration parameter "xxxxx"`; !strings.Contains(stderr, want) ||
				strings.Contains(stderr, "tr0ub4dor") {
				t.Errorf("it does not say %s: %s", want, stderr)
			}
		})
	}
}

// The password of one server is never sent to another. By itself, the driver would take it from the variable if a
// module has none.
func TestNoTargetIsGivenThePasswordOfAnotherServer(t *testing.T) {
	server := pgtest.Shared(t)
	admin := server.DSN("postgres", pgserver.Superuser)
	pgtest.Exec(t, admin, `DROP ROLE IF EXISTS "other server"; CREATE ROLE "other server" LOGIN PASSWORD 'S3cr3t'`)
	t.Cleanup(func() { pgtest.Exec(t, admin, `DROP ROLE "other server"`) })
	if err := server.AppendHBA(t.Context(), `host all "other server" 127.0.0.1/32 scram-sha-256`); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PGPASSWORD", "S3cr3t")
	address, _ := start(t, "--config.file="+configFile(t, `
probe: {allow: ['127\.0\.0\.1:\d+/.*']}
auth_modules: {without: {user: other server}, with: {user: other server, password: S3cr3t}}
`))
	for module, want := range map[string]string{"without": "\ndb_up 0\n", "with": "\ndb_up 1\n"} {
		_, text := get(t, http.DefaultClient, "GET",
			fmt.Sprintf("http://%s/probe?target=127.0.0.1:%d/postgres&auth_module=%s", address, server.Port, module))
		if !strings.Contains(text, want) {
			t.Errorf("%s a password: want %q:\n%.2000s", module, want, text)
		}
	}
}

func TestAnArgumentThatHoldsAPasswordIsNotRepeated(t *testing.T) {
	for _, args := range [][]string{
		{"postgres://bob:p@S3cr3t/x@db"}, {"check-config", "bob:S3cr3t@db"}, {"grants", "password=abc S3cr3t"},
		{"--dsn=postgres://bob:S3cr3t@db"},
	} {
		code, stdout, stderr := command(args...)
		if code != exitUsage || strings.Contains(stdout+stderr, "S3cr3t") || !strings.Contains(stderr, "--help") {
			t.Errorf("%q: exit code %d: %s%s", args, code, stdout, stderr)
		}
	}
}
