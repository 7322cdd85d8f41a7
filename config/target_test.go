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

// What a driver could read as another host, port or database than the pattern allowed.
func TestATargetIsOneHostOnePortAndOneDatabase(t *testing.T) {
	c, err := load(t, "probe: {allow: ['.*']}\nauth_modules: {m: {user: bob, password: s3cr3t}}")
	if err != nil {
		t.Fatal(err)
	}
	for _, target := range []string{
		"127.0.0.1,db:5432/web", "127.0.0.1:5432,db:5432/web", "db:5432,127.0.0.1:5432/web", "db:5432,5433/web", ",db:5432/web", "db,:5432/web",
		"bob@db:5432/web", "bob:s3cr3t@db:5432/web", "@db:5432/web", "postgres://db:5432/web", "//db:5432/web",
		"db:5432/web?host=127.0.0.1", "db:5432/web#x", "db:5432/?host=127.0.0.1", "db:5432/a/b", "db:5432//web", "db:5432/web/",
		"/tmp:5432/web", "/tmp/.s.PGSQL:5432/web", "@abstract:5432/web", "%2Ftmp:5432/web", "%2Ftmp/web",
		"127.0.0.1%2Cdb:5432/web", "db:5432/web%3Fhost=127.0.0.1", "db%00:5432/web", "[fe80::1%25eth0]:5432/web", "[fe80::1%eth0]:5432/web",
		"[::1]:5432,[::2]:5432/web", "[::1],db:5432/web", "[db]:5432/web", "[127.0.0.1]:5432/web", "[::1:5432/web", "::1:5432/web", "[]:5432/web", "[::1]/web",
		"db:0/web", "db:65536/web", "db:99999/web", "db:05432/web", "db:+5432/web", "db:-1/web", "db:5432x/web", "db:/web", ":5432/web", "db/web", "db:5432", "db:5432/",
		"db:5432/we\x00b", "d\x00b:5432/web", "db:5432/web\x00", "db:5432/caf\xe9", "d\xffb:5432/web", "db:5432/web\n", "\ndb:5432/web", "db:5432/\x1b[2J", "db:5432/\u202e",
		" db:5432/web", "db :5432/web", "db:5432 /web", "-db:5432/web", ".db:5432/web", "d\\b:5432/web", "münchen:5432/web", "d'b:5432/web",
		"host=127.0.0.1 dbname=web", "db:5432/" + strings.Repeat("w", 64), strings.Repeat("d", 254) + ":5432/web",
	} {
		if got, err := c.NewTarget(target, "m"); err == nil {
			t.Errorf("%q is read as host %q, port %q, database %q", target, got.Host, got.Port, got.Database)
		} else if text := err.Error(); !strings.HasPrefix(text, "target: ") || strings.Contains(text, "s3cr3t") || strings.Contains(text, "127.0.0.1") {
			t.Errorf("%q: the error says %q", target, text)
		}
	}
	for _, target := range []string{"db:1/w", "db_1.example.:65535/" + strings.Repeat("w", 63), "127.0.0.1:5432/a=b", "[fe80::1]:5432/web-2"} {
		if got, err := c.NewTarget(target, "m"); err != nil || got.String() != target {
			t.Errorf("%q is read as %q: %v", target, got, err)
		}
	}
}

// Whatever is accepted, the driver reads it as the very same one server.
func FuzzTarget(f *testing.F) {
	c, err := load(f, "probe: {allow: ['.*']}\nauth_modules: {m: {user: bob, password: 's3:cr/et@'}}")
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range []string{"db:5432/web", "[::1]:5432/web", "a,b:5432/web", "db:5432/w?host=x", "[fe80::1%25a]:1/w", "/tmp:5432/web", "Db.:5432/W b=c&'\"\\", "db:5432/\x00\xff"} {
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
		dsn, err := target.DataSourceName()
		if err != nil {
			t.Fatal(err)
		}
		read, err := pgconn.ParseConfig(dsn)
		if err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		if fmt.Sprint(read.Port) != target.Port || read.Host != target.Host || read.Database != target.Database || read.User != "bob" || read.Password != "s3:cr/et@" || len(read.RuntimeParams) != 0 {
			t.Errorf("%q: the driver reads %q %d %q %q, and %q", text, read.Host, read.Port, read.Database, read.User, read.RuntimeParams)
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
	c, err := load(t, probing)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ target, module, want string }{
		{"db1.example:5432/shop", "plain", "postgres://bob:s3cr3t%2F%40@db1.example:5432/shop?sslmode=prefer"},
		{"[::1]:5432/shop", "none", "postgres://bob:@[::1]:5432/shop?sslmode=prefer"},
		{"[0:0::0001]:5432/shop", "none", "postgres://bob:@[::1]:5432/shop?sslmode=prefer"},
		{"DB2.Example:5432/Shop", "none", "postgres://bob:@db2.example:5432/Shop?sslmode=prefer"},
		{"db1.example:5432/Süd & West", "none", "postgres://bob:@db1.example:5432/S%C3%BCd%20&%20West?sslmode=prefer"},
	} {
		target, err := c.NewTarget(test.target, test.module)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := target.DataSourceName(); err != nil || got != test.want {
			t.Errorf("DataSourceName of %s = %q, %v; want %q", test.target, got, err, test.want)
		}
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
	if _, err := target.DataSourceName(); err == nil || !strings.Contains(err.Error(), file) {
		t.Errorf("without the file: %v", err)
	}
	for _, password := range []string{"first", "second"} {
		if err := os.WriteFile(file, []byte(password+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := target.DataSourceName(); err != nil || !strings.Contains(got, "bob:"+password+"@") {
			t.Errorf("DataSourceName = %q, %v", got, err)
		}
	}
}

func TestDataSourceNameFileIsReadAnew(t *testing.T) {
	file := filepath.Join(t.TempDir(), "dsn")
	t.Setenv("DATA_SOURCE_NAME", "")
	t.Setenv("DATA_SOURCE_NAME_FILE", file)
	for _, dsn := range []string{"host=one", "host=two"} {
		if err := os.WriteFile(file, []byte(dsn+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := DataSourceName(); err != nil || got != dsn {
			t.Errorf("DataSourceName() = %q, %v", got, err)
		}
	}
	t.Setenv("DATA_SOURCE_NAME", "host=three")
	if _, err := DataSourceName(); err == nil {
		t.Error("two sources were accepted")
	}
}
