package config

import (
	"strings"
	"testing"
)

func TestRedactTakesEveryPassword(t *testing.T) {
	const secret = "s3cr3t"
	for _, text := range []string{
		"postgres://bob:s3cr3t@db:5432/shop",
		"postgresql://bob:s3cr3t@db1:5432,db2:5433/shop?sslmode=disable",
		"postgres://bob:s3cr3t@h1,h2/shop and postgres://eve:s3cr3t@h3/x",
		"postgres://bob:pa@s3cr3t@db/shop",
		"postgres://bob:pa/s3cr3t@db/shop",
		"postgres://bob:pa s3cr3t@db/shop",
		"postgres://bob:pa%s3cr3t@db/shop",
		"postgres://db/shop?user=bob&password=s3cr3t&sslmode=disable",
		"host=db user=bob password=s3cr3t dbname=shop",
		"host=db user=bob password = s3cr3t dbname=shop",
		"host=db password='s3cr3t' user=bob",
		`host=db password='it\'s s3cr3t' user=bob`,
		"host=db password='unterminated s3cr3t",
		`host=db password=a\ s3cr3t user=bob`,
		"PGPASSWORD=s3cr3t psql",
		"sslpassword=s3cr3t",
		`{"user":"bob","password":"s3cr3t"}`,
		`{"user":"bob","password": "s3cr3t"}`,
		"user: bob\npassword: s3cr3t\n",
		"passwd=s3cr3t",
		`parse "postgres://bob:s3cr3t@db:port/shop": invalid port ":port" after host`,
		`parse failed: invalid port ":s3cr3t" after host`,
		`parse failed: invalid URL escape "%s3cr3t"`,
		"cannot parse `postgres://bob:s3cr3t@db/shop`: failed",
		"panic: dial postgres://bob:s3cr3t@db",
	} {
		if got := Redact(text); strings.Contains(got, secret) {
			t.Errorf("Redact(%q) = %q, which shows the password", text, got)
		}
	}
}

func TestRedactKeepsWhatAPersonNeeds(t *testing.T) {
	for text, want := range map[string]string{
		"postgres://bob:s3cr3t@db:5432/shop":                   "postgres://bob:xxxxx@db:5432/shop",
		"host=db password=s3cr3t dbname=shop":                  "host=db password=xxxxx dbname=shop",
		`FATAL: password authentication failed for user "bob"`: `FATAL: password authentication failed for user "bob"`,
		"dial tcp 127.0.0.1:5432: connection refused":          "dial tcp 127.0.0.1:5432: connection refused",
		"see https://example.com/docs":                         "see https://example.com/docs",
	} {
		if got := Redact(text); got != want {
			t.Errorf("Redact(%q) = %q, want %q", text, got, want)
		}
	}
}
