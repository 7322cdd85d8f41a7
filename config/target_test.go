package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
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
		{"", "plain", "probe.allow"},
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
