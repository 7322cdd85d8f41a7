package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// environ sets the variables that say which server to watch, and unsets all others that could. The value of a
// variable ending in _FILE is written to a file, and the variable names that file.
func environ(t *testing.T, variables map[string]string) {
	t.Helper()
	t.Setenv("HOME", t.TempDir())
	for _, pair := range os.Environ() {
		if name, _, _ := strings.Cut(pair, "="); strings.HasPrefix(name, "PG") || strings.HasPrefix(name, "DATA_SOURCE_") {
			t.Setenv(name, "")
		}
	}
	for name, value := range variables {
		if strings.HasSuffix(name, "_FILE") && !strings.HasPrefix(value, "=") {
			file := filepath.Join(t.TempDir(), "secret")
			if err := os.WriteFile(file, []byte(value), 0o600); err != nil {
				t.Fatal(err)
			}
			value = file
		}
		t.Setenv(name, strings.TrimPrefix(value, "="))
	}
}

func TestTheEnvironmentSaysWhichServerToWatch(t *testing.T) {
	const whole = "host='db' port='5433' dbname='shop' user='bob' password='p@ss/w#rd' sslmode='require'"
	for name, test := range map[string]struct {
		variables map[string]string
		want      string
	}{
		"one string": {map[string]string{
			"DATA_SOURCE_NAME": " postgres://bob:p%40ss%2Fw%23rd@db:5433/shop?sslmode=require\n",
		}, whole},
		"in a file": {map[string]string{
			"DATA_SOURCE_NAME_FILE": "\ufeffpostgres://bob:p%40ss%2Fw%23rd@db:5433/shop?sslmode=require\r\n",
		}, whole},
		"apart": {map[string]string{"DATA_SOURCE_URI": "db:5433/shop?sslmode=require",
			"DATA_SOURCE_USER": "bob", "DATA_SOURCE_PASS": "p@ss/w#rd"}, whole},
		"apart, in files": {map[string]string{"DATA_SOURCE_URI_FILE": "db:5433/shop?sslmode=require\n",
			"DATA_SOURCE_USER_FILE": "bob\n", "DATA_SOURCE_PASS_FILE": "p@ss/w#rd\n"}, whole},
		"apart, with a scheme": {map[string]string{"DATA_SOURCE_URI": "postgres://db:5433/shop?sslmode=require",
			"DATA_SOURCE_USER": "bob", "DATA_SOURCE_PASS_FILE": "p@ss/w#rd"}, whole},
		"libpq's variables": {map[string]string{"PGHOST": "db", "PGPORT": "5433", "PGUSER": "bob", "PGDATABASE": "shop",
			"PGPASSWORD": "p@ss/w#rd", "PGSSLMODE": "require"}, whole},
		"libpq's below ours": {map[string]string{"DATA_SOURCE_URI": "db:5433/shop", "PGUSER": "bob",
			"PGPASSWORD": "p@ss/w#rd", "PGHOST": "other", "PGSSLMODE": "require"}, whole},
		"a password of blanks": {map[string]string{"DATA_SOURCE_URI": "db", "DATA_SOURCE_PASS": "  "},
			"host='db' password='  '"},
		"only an empty string":  {map[string]string{"DATA_SOURCE_NAME": " ", "PGHOST": "db"}, "host='db'"},
		"a string without much": {map[string]string{"DATA_SOURCE_NAME": "postgres://"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			environ(t, test.variables)
			if !HasDataSource() {
				t.Error("no data source was found")
			}
			info, err := DataSource()
			if err != nil {
				t.Fatal(err)
			}
			if got := info.KeyValue(nil); got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
}

// The password is in each place where somebody may have put it by mistake.
func TestAWrongEnvironmentIsRefusedWithoutShowingIt(t *testing.T) {
	for name, test := range map[string]struct {
		variables map[string]string
		says      string
	}{
		"NAME and its file": {map[string]string{"DATA_SOURCE_NAME": "host=db password=S3cr3t",
			"DATA_SOURCE_NAME_FILE": "host=db"}, "DATA_SOURCE_NAME and DATA_SOURCE_NAME_FILE are both set"},
		"NAME and URI": {map[string]string{"DATA_SOURCE_NAME": "host=db password=S3cr3t", "DATA_SOURCE_URI": "db"},
			"must not be set with it"},
		"NAME and PASS": {map[string]string{"DATA_SOURCE_NAME": "host=db", "DATA_SOURCE_PASS": "S3cr3t"},
			"must not be set with it"},
		"PASS without URI": {map[string]string{"DATA_SOURCE_PASS": "S3cr3t"}, "need DATA_SOURCE_URI"},
		"a login in the URI": {map[string]string{"DATA_SOURCE_URI": "bob:S3cr3t@db"},
			"move them to DATA_SOURCE_USER and DATA_SOURCE_PASS"},
		"a password there": {map[string]string{"DATA_SOURCE_URI": "db/shop?password=S3cr3t"}, "move them to"},
		"an unencoded URL": {map[string]string{"DATA_SOURCE_NAME": "postgres://bob:S3cr3t@S3cr3t/x@db"},
			"DATA_SOURCE_NAME: the connection string is a URL with an @"},
		"no file but a string": {map[string]string{"DATA_SOURCE_NAME_FILE": "=postgres://bob:S3cr3t@db"},
			"DATA_SOURCE_NAME_FILE: the file that it names cannot be read: no such file"},
		"no file but a secret": {map[string]string{"DATA_SOURCE_URI": "db", "DATA_SOURCE_PASS_FILE": "=S3cr3t"},
			"DATA_SOURCE_PASS_FILE: the file that it names cannot be read"},
		"an empty file": {map[string]string{"DATA_SOURCE_NAME_FILE": "\n"}, "is empty"},
		"URL as database": {map[string]string{"PGDATABASE": "postgres://bob:S3cr3t@db"},
			"PGDATABASE contains a connection string"},
	} {
		t.Run(name, func(t *testing.T) {
			environ(t, test.variables)
			if !HasDataSource() {
				t.Error("it counts as none at all")
			}
			info, err := DataSource()
			if err == nil {
				t.Fatalf("it was read as %s", info)
			}
			if !strings.Contains(err.Error(), test.says) {
				t.Errorf("%v; want it to say %q", err, test.says)
			}
			if strings.Contains(err.Error(), "S3cr3t") {
				t.Errorf("the password is shown: %v", err)
			}
		})
	}
}

func TestTheFileOfTheConnectionStringIsReadAnew(t *testing.T) {
	environ(t, map[string]string{"DATA_SOURCE_NAME_FILE": "host=one"})
	for _, host := range []string{"one", "two"} {
		if err := os.WriteFile(os.Getenv("DATA_SOURCE_NAME_FILE"), []byte("host="+host+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := DataSource(); err != nil || got.Get("host") != host {
			t.Errorf("DataSource() = %s, %v", got, err)
		}
	}
}

func TestWithoutVariablesThereIsNoDataSource(t *testing.T) {
	environ(t, map[string]string{"DATA_SOURCE_NAME": " ", "PGSSLMODE": "require", "PGPASSWORD": "x"})
	if HasDataSource() {
		t.Error("one was found")
	}
}

// The password is where something else is expected, and the library's error quotes it.
func TestAWrongFileShowsNoPassword(t *testing.T) {
	for text, says := range map[string]string{
		"auth_modules: S3cr3t": "line 1: the text cannot stand where a group of " +
			"settings is expected",
		"auth_modules: {m: S3cr3t}": "line 1: the text cannot stand where a group of " +
			"settings is expected",
		"auth_modules: {m: {user: u, options: S3cr3t}}": "line 1: the text cannot stand where a group of " +
			"settings is expected",
		"auth_modules: {m: {user: u, password: [S3cr3t]}}": "line 1: a list cannot stand where a text " +
			"is expected",
		"auth_modules: {m: {user: u, password: *S3cr3t}}":      "put it in quotes",
		"auth_modules: {m: {user: u, password: !!int S3cr3t}}": "a value is !!str, not !!int as it is marked",
		"auth_modules: {m: {user: u, password: @S3cr3t}}":      "character that cannot start",
		"auth_modules: {m: {user: u, password: S3cr3t: x}}":    "did not find",
		"auth_modules: {m: {user: u, sslmode: S3cr3t}}":        "auth_modules.m.sslmode: must be one of",
		"auth_modules: {m: {user: u, options: {requirepeer: S3cr3t}}}": "auth_modules.m.options.requirepeer: is " +
			"not supported",
	} {
		_, err := load(t, text)
		if err == nil || !strings.Contains(err.Error(), says) || strings.Contains(err.Error(), "S3cr3t") {
			t.Errorf("%s: %v; want it to say %q", text, err, says)
		}
	}
}
