package conninfo

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestTheUsersFilesAreFound(t *testing.T) {
	home := t.TempDir()
	t.Setenv("HOME", home)
	if err := os.Mkdir(filepath.Join(home, ".postgresql"), 0o700); err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"sslkey": "mine", "sslcert": "mine"}
	for name, file := range map[string]string{"passfile": ".pgpass", "sslrootcert": ".postgresql/root.crt",
		"": ".postgresql/postgresql.crt"} {
		write(t, filepath.Join(home, file), "")
		want[name] = filepath.Join(home, file)
	}
	delete(want, "")
	for text, certificates := range map[string]bool{"sslcert=mine sslkey=mine": true, "": false} {
		info, err := Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		if info, err = info.WithDefaults(variables(nil)); err != nil {
			t.Fatal(err)
		}
		if !certificates { // one of the two alone does not count
			delete(want, "sslkey")
			delete(want, "sslcert")
		}
		if diff := cmp.Diff(want, info.settings); diff != "" {
			t.Errorf("%q (-want +got):\n%s", text, diff)
		}
		want["sslkey"], want["sslcert"] = "mine", "mine"
	}
}

func TestDefaultsComeFromTheServiceAndThenFromTheVariables(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "services")
	write(t, file,
		"# ours\n[other]\nhost=no\n\n[shop]\nhost = "+
			"db1\nport=5433\npassword=S3rvice/pw\nport=1\nkeepalives=1\n"+
			"[bad]\nrequirepeer=S3cr3t\n[worse]\nS3cr3t\n[typo]\nhosts=S3cr3t\n")
	write(t, filepath.Join(dir, "pg_service.conf"), "[system]\nhost=db2\n")
	for _, test := range []struct {
		text      string
		variables map[string]string
		want      map[string]string
		fails     string
	}{
		{"user=bob", map[string]string{"PGUSER": "eve", "PGHOST": "db", "PGAPPNAME": "x"},
			map[string]string{"user": "bob", "host": "db"}, ""},
		{"password=''", map[string]string{"PGPASSWORD": "S3cr3t"}, map[string]string{"password": ""}, ""},
		{"service=shop port=9 servicefile=" + file, map[string]string{"PGHOST": "no", "PGDATABASE": "x"},
			map[string]string{"service": "shop", "servicefile": file, "host": "db1", "port": "9", "password": "S3rvice/pw",
				"dbname": "x"}, ""},
		{"", map[string]string{"PGSERVICE": "system", "PGSERVICEFILE": file, "PGSYSCONFDIR": dir},
			map[string]string{"service": "system", "servicefile": filepath.Join(dir, "pg_service.conf"), "host": "db2"}, ""},
		{"service=S3cr3t servicefile=" + file, nil, nil, "the service was not found"},
		{"service=bad servicefile=" + file, nil, nil, "in the service file: requirepeer is not supported"},
		{"service=worse servicefile=" + file, nil, nil, "line 14 of the service file"},
		{"service=typo servicefile=" + file, nil, nil, "did you mean host?"},
		{"", map[string]string{"PGREQUIREPEER": "S3cr3t"}, nil, "PGREQUIREPEER is not supported"},
		{"", map[string]string{"PGSSLCRL": "S3cr3t"}, nil, "PGSSLCRL is not supported"},
		{"", map[string]string{"PGGSSENCMODE": "require"}, nil, "PGGSSENCMODE is not supported"},
		{"", map[string]string{"PGDATABASE": "postgres://u:S3cr3t@h/db"}, nil, "PGDATABASE contains a connection string"},
		{"", map[string]string{"PGHOST": "u:S3cr3t@h"}, nil, "PGHOST contains a colon"},
	} {
		i, err := Parse(test.text)
		if err != nil {
			t.Fatal(err)
		}
		got, err := i.WithDefaults(variables(test.variables))
		if test.fails != "" {
			if err == nil || !strings.Contains(err.Error(), test.fails) || strings.Contains(err.Error(), "S3cr3t") {
				t.Errorf("%q, %v: %v; want it to say %q", test.text, test.variables, err, test.fails)
			}
			continue
		}
		if err != nil {
			t.Errorf("%q, %v: %v", test.text, test.variables, err)
			continue
		}
		if diff := cmp.Diff(test.want, got.settings); diff != "" {
			t.Errorf("%q, %v (-want +got):\n%s", test.text, test.variables, diff)
		}
		if text := got.Redact("it is S3rvice"); got.Get("host") == "db1" && text != "it is xxxxx" {
			t.Errorf("the password of the service is shown: %s", text)
		}
	}
}

// Credentials of one server are not sent to another.
func TestVariablesOfOneServerSayNothingOfAnother(t *testing.T) {
	all := map[string]string{}
	for _, p := range Parameters() {
		if p.Variable != "" {
			all[p.Variable] = "x"
		}
	}
	lookup := ForAnyServer(variables(all))
	for _, name := range []string{"PGHOST", "PGHOSTADDR", "PGPORT", "PGDATABASE", "PGUSER", "PGPASSWORD", "PGSERVICE",
		"PGOPTIONS", "PGTARGETSESSIONATTRS"} {
		if lookup(name) != "" {
			t.Errorf("%s is let through", name)
		}
	}
	for _, name := range []string{"PGSSLROOTCERT", "PGREQUIREAUTH", "PGPASSFILE"} {
		if lookup(name) == "" {
			t.Errorf("%s is held back", name)
		}
	}
}
