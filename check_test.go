package main

import (
	"strings"
	"testing"

	"github.com/softdelete-exporter/softdelete_exporter/config"
	"github.com/softdelete-exporter/softdelete_exporter/internal/pgserver/pgtest"
)

// One entry that is wrong hides nothing of the others.
func TestCheckConfigExplainsEveryTableAlsoBesideFaults(t *testing.T) {
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	pgtest.Exec(t, dsn, `CREATE TABLE users (id int, deleted_at timestamptz); CREATE TABLE orders (id int, deleted_at timestamptz);
		CREATE TABLE parcels (id int, gone text)`)
	t.Setenv("DATA_SOURCE_NAME", dsn)
	code, stdout, stderr := command("check-config", "--connect", "--config.file="+configFile(t, `
services: [{name: billing, tables: ['public\.orders']}]
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
