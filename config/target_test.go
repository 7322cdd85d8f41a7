package config

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
)

const probing = `
probe: {allow: ['db[12]\.example:5432/.*', '\[::1\]:5432/shop']}
auth_modules:
  plain: {user: bob, password: 's3cr3t/@'}
  none: {user: bob}
  neon: {user: bob, options: {options: endpoint=cool, connect_timeout: 5,
    target_session_attrs: any, sslmode: verify-full, keepalives: 1}}
`

func TestTargetsOutsideTheAllowListAreRefused(t *testing.T) {
	c, err := load(t, probing)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ target, module, says string }{
		{"db3.example:5432/shop", "plain", "probe.allow"},
		{"xdb1.example:5432/shop", "plain", "probe.allow"},
		{"", "plain", "host:port/database"},
		{"db1.example:5432/", "plain", "host:port/database"},
		{"db1.example:5432/a/b", "plain", "host:port/database"},
		{"bob:s3cr3t@db1.example:5432/shop", "plain", "auth module"},
		{"postgres://db1.example:5432/shop", "plain", "host:port/database only"},
		{"db1.example:5432/shop?password=s3cr3t", "plain", "auth module"},
		{"db1.example:5432/shop", "other", "auth_modules"},
	} {
		_, err := c.NewTarget(test.target, test.module)
		if err == nil || !strings.Contains(err.Error(), test.says) {
			t.Errorf("target %q: err = %v, want it to say %q", test.target, err, test.says)
		} else if strings.Contains(err.Error(), "s3cr3t") {
			t.Errorf("target %q: the error shows the password: %v", test.target, err)
		}
	}
}

// Targets that a driver could read as another host, port or database than the pattern allows.
func TestATargetIsOneHostOnePortAndOneDatabase(t *testing.T) {
	c, err := load(t, "probe: {allow: ['.*']}\nauth_modules: {m: {user: bob, password: s3cr3t}}")
	if err != nil {
		t.Fatal(err)
	}
	for _, target := range []string{
		"127.0.0.1,db:5432/web", "127.0.0.1:5432,db:5432/web", "db:5432,127.0.0.1:5432/web", "db:5432,5433/web",
		",db:5432/web", "db,:5432/web",
		"bob@db:5432/web", "bob:s3cr3t@db:5432/web", "@db:5432/web", "postgres://db:5432/web", "//db:5432/web",
		"db:5432/web?host=127.0.0.1", "db:5432/web#x", "db:5432/?host=127.0.0.1", "db:5432/a/b", "db:5432//web",
		"db:5432/web/",
		"/tmp:5432/web", "/tmp/.s.PGSQL:5432/web", "@abstract:5432/web", "%2Ftmp:5432/web", "%2Ftmp/web",
		"127.0.0.1%2Cdb:5432/web", "db:5432/web%3Fhost=127.0.0.1", "db%00:5432/web", "[fe80::1%25eth0]:5432/web",
		"[fe80::1%eth0]:5432/web",
		"[::1]:5432,[::2]:5432/web", "[::1],db:5432/web", "[db]:5432/web", "[127.0.0.1]:5432/web", "[::1:5432/web",
		"::1:5432/web", "[]:5432/web", "[::1]/web",
		"db:0/web", "db:65536/web", "db:99999/web", "db:05432/web", "db:+5432/web", "db:-1/web", "db:5432x/web", "db:/web",
		":5432/web", "db/web", "db:5432", "db:5432/",
		"db:5432/we\x00b", "d\x00b:5432/web", "db:5432/web\x00", "db:5432/caf\xe9", "d\xffb:5432/web", "db:5432/web\n",
		"\ndb:5432/web", "db:5432/\x1b[2J", "db:5432/\u202e",
		" db:5432/web", "db :5432/web", "db:5432 /web", "-db:5432/web", ".db:5432/web", "d\\b:5432/web", "münchen:5432/web",
		"d'b:5432/web",
		"host=127.0.0.1 dbname=web", "db:5432/" + strings.Repeat("w", 64), strings.Repeat("d", 254) + ":5432/web",
	} {
		if got, err := c.NewTarget(target, "m"); err == nil {
			t.Errorf("%q is read as host %q, port %q, database %q", target, got.Host, got.Port, got.Database)
		} else if text := err.Error(); !strings.HasPrefix(text, "target: ") || strings.Contains(text, "s3cr3t") ||
			strings.Contains(text, "127.0.0.1") {
			t.Errorf("%q: the error says %q", target, text)
		}
	}
	for _, target := range []string{"db:1/w", "db_1.example.:65535/" + strings.Repeat("w", 63), "127.0.0.1:5432/a=b",
		"[fe80::1]:5432/web-2"} {
		if got, err := c.NewTarget(target, "m"); err != nil || got.String() != target {
			t.Errorf("%q is read as %q: %v", target, got, err)
		}
	}
}

// The driver reads every accepted target as the same single server.
func FuzzTarget(f *testing.F) {
	c, err := load(f, "probe: {allow: ['.*']}\nauth_modules: {m: {user: bob, password: 's3:cr/et@'}}")
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range []string{"db:5432/web", "[::1]:5432/web", "a,b:5432/web", "db:5432/w?host=x",
		"[fe80::1%25a]:1/w", "/tmp:5432/web", "Db.:5432/W b=c&'\"\\", "db:5432/\x00\xff"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		target, err := c.NewTarget(text, "m")
		if err != nil {
			return
		}
		if again, err := c.NewTarget(target.String(), "m"); err != nil || again.String() != target.String() {
			t.Errorf("%q becomes %q, and that %q: %v", text, target, again, err)
		}
		info, err := target.DataSource()
		if err != nil {
			t.Fatal(err)
		}
		read, err := pgconn.ParseConfig(info.KeyValue(nil))
		if err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		if fmt.Sprint(read.Port) != target.Port || read.Host != target.Host || read.Database != target.Database ||
			read.User != "bob" || read.Password != "s3:cr/et@" || len(read.RuntimeParams) != 0 {
			t.Errorf("%q: the driver reads %q %d %q %q, and %q", text, read.Host, read.Port, read.Database, read.User,
				read.RuntimeParams)
		}
		for _, other := range read.Fallbacks {
			if other.Host != target.Host || other.Port != read.Port {
				t.Errorf("%q: the driver falls back to %q %d", text, other.Host, other.Port)
			}
		}
	})
}

func TestNothingCanBeProbedByDefault(t *testing.T) {
	c, err := Load(defaults(t), "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.NewTarget("localhost:5432/postgres", ""); err == nil {
		t.Error("was allowed")
	}
}

func TestTargetBecomesAConnectionString(t *testing.T) {
	environ(t, nil)
	c, err := load(t, probing)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ target, module, want string }{
		{"db1.example:5432/shop", "plain",
			"host='db1.example' port='5432' dbname='shop' user='bob' password='s3cr3t/@' sslmode='prefer'"},
		{"[::1]:5432/shop", "none", "host='::1' port='5432' dbname='shop' user='bob' password='' sslmode='prefer'"},
		{"[0:0::0001]:5432/shop", "none", "host='::1' port='5432' dbname='shop' user='bob' password='' sslmode='prefer'"},
		{"DB2.Example:5432/Shop", "none",
			"host='db2.example' port='5432' dbname='Shop' user='bob' password='' sslmode='prefer'"},
		{"db1.example:5432/Süd & West='1'", "none",
			`host='db1.example' port='5432' dbname='Süd & West=\'1\'' user='bob' password='' sslmode='prefer'`},
		{"db1.example:5432/shop", "neon",
			"host='db1.example' port='5432' dbname='shop' user='bob' password='' options='endpoint=cool' " +
				"sslmode='verify-full'"},
	} {
		target, err := c.NewTarget(test.target, test.module)
		if err != nil {
			t.Fatal(err)
		}
		got, err := target.DataSource()
		if err != nil || got.KeyValue(nil) != test.want {
			t.Errorf("DataSource of %s with %s = %s, %v; want %s", test.target, test.module, got, err, test.want)
		}
		if seconds := got.ConnectTimeout().Seconds(); test.module == "neon" && seconds != 5 {
			t.Errorf("connect_timeout is %g s", seconds)
		}
	}
}

// A client of /probe must not get another server's password, or be connected to another server.
func TestVariablesOfTheConnectionStringSayNothingOfATarget(t *testing.T) {
	environ(t, map[string]string{"PGPASSWORD": "s3cr3t", "PGHOSTADDR": "127.0.0.1", "PGOPTIONS": "-c geqo=off",
		"PGSERVICE": "nope", "PGTARGETSESSIONATTRS": "primary"})
	c, err := load(t, probing)
	if err != nil {
		t.Fatal(err)
	}
	target, err := c.NewTarget("[::1]:5432/shop", "none")
	if err != nil {
		t.Fatal(err)
	}
	got, err := target.DataSource()
	if want := "host='::1' port='5432' dbname='shop' user='bob' password='' sslmode='prefer'"; err != nil ||
		got.KeyValue(nil) != want {
		t.Errorf("%s, %v", got, err)
	}
	if got.Get("target_session_attrs") != "" || got.Get("hostaddr") != "" {
		t.Errorf("it goes elsewhere: %s, %s", got.Get("target_session_attrs"), got.Get("hostaddr"))
	}
}

func TestPasswordFilesAreReadAnew(t *testing.T) {
	file := filepath.Join(t.TempDir(), "password")
	c, err := load(t, "probe: {allow: ['.*']}\nauth_modules: {m: {user: bob, password_file: "+file+"}}")
	if err != nil {
		t.Fatal(err)
	}
	target, err := c.NewTarget("db:5432/shop", "m")
	if err != nil {
		t.Fatal(err)
	}
	_, err = target.DataSource()
	if err == nil || !strings.Contains(err.Error(), "auth_modules.m.password_file") ||
		strings.Contains(err.Error(), file) {
		t.Errorf("without the file: %v", err)
	}
	for _, password := range []string{"first", "second"} {
		if err := os.WriteFile(file, []byte(password+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := target.DataSource(); err != nil || got.Get("password") != password {
			t.Errorf("DataSource = %s, %v", got, err)
		}
	}
}
