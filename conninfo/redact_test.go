package conninfo

import (
	"errors"
	"fmt"
	"io"
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
		"postgres://bob:s3cr3t@db:5432/shop":                      "postgres://bob:xxxxx@db:5432/shop",
		"host=db password=s3cr3t dbname=shop":                     "host=db password=xxxxx dbname=shop",
		`FATAL: password authentication failed for user "bob"`:    `FATAL: password authentication failed for user "bob"`,
		"dial tcp 127.0.0.1:5432: connection refused":             "dial tcp 127.0.0.1:5432: connection refused",
		"see https://example.com/docs":                            "see https://example.com/docs",
		"public.password: permission denied for table password":   "public.password: permission denied for table password",
		`public.users: column "password": json cannot mark a row`: `public.users: column "password": json cannot mark a row`,
		`GRANT SELECT ("password", "id") ON "shop"."password";`:   `GRANT SELECT ("password", "id") ON "shop"."password";`,
	} {
		if got := Redact(text); got != want {
			t.Errorf("Redact(%q) = %q, want %q", text, got, want)
		}
	}
}

// What a parser, a driver or a server may make of a password that it splits.
func TestAConnectionHidesItsSecretsInEveryForm(t *testing.T) {
	i, err := New(map[string]string{"host": "db.example.test", "user": "bob", "dbname": "shop",
		"password": `p@ss/w#rd:l'st x"yz`})
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{
		`whole p@ss/w#rd:l'st x"yz!`:                        "whole xxxxx!",
		"encoded p%40ss%2Fw%23rd%3Al%27st%20x%22yz":         "encoded xxxxx",
		"in lower case p%40ss%2fw%23rd%3al%27st%20x%22yz":   "in lower case xxxxx",
		"in a form p%40ss%2Fw%23rd%3Al%27st+x%22yz":         "in a form xxxxx",
		`in Go "p@ss/w#rd:l'st x\"yz"`:                      `in Go "xxxxx"`,
		`in key=value 'p@ss/w#rd:l\'st x"yz'`:               `in key=value 'xxxxx'`,
		`in SQL 'p@ss/w#rd:l''st x"yz'`:                     `in SQL 'xxxxx'`,
		`lookup ss/w#rd: no such host`:                      "lookup xxxxx: no such host",
		`database "w#rd:l'st x"yz" does not exist`:          `database "xxxxx" does not exist`,
		`invalid port "l'st"`:                               `invalid port "xxxxx"`,
		`user "bob", database "shop", host db.example.test`: `user "bob", database "shop", host db.example.test`,
	} {
		if got := i.Redact(text); got != want {
			t.Errorf("Redact(%q) = %q, want %q", text, got, want)
		}
	}
	if got := i.Hide(fmt.Errorf("lookup ss/w#rd: %w", io.EOF)); got.Error() != "lookup xxxxx: EOF" ||
		!errors.Is(got, io.EOF) {
		t.Errorf("Hide: %v", got)
	}
	if i.Hide(nil) != nil {
		t.Error("no error became one")
	}
}

func TestTheNamesStayThatThePasswordHoldsToo(t *testing.T) {
	for _, test := range []struct{ user, password, text, want string }{
		{"bobby", "bobby", `password authentication failed for user "bobby"`,
			`password authentication failed for user "bobby"`},
		{"bobby", "bobby/shop", `user "bobby" of database "shop" at db: bobby/shop`,
			`user "bobby" of database "shop" at db: xxxxx`},
		{"bobby", "bobb", `user "bobby" said bobb`, `user "bobby" said xxxxx`},
		{"bob", "failed", `it failed for "bob"`, `it xxxxx for "bob"`},
		{"bob", "1", `FATAL 1 at 127.0.0.1:5432 (SQLSTATE 28P01)`, `FATAL xxxxx at 127.0.0.1:5432 (SQLSTATE 28P01)`},
		{"bob", "", `FATAL for user "bob"`, `FATAL for user "bob"`},
	} {
		i, err := New(map[string]string{"host": "db,127.0.0.1", "user": test.user, "dbname": "shop",
			"password": test.password})
		if err != nil {
			t.Fatal(err)
		}
		if got := i.Redact(test.text); got != test.want {
			t.Errorf("%s, %s: %q, want %q", test.user, test.password, got, test.want)
		}
	}
}

// A password that consists of separators must not make the redactor slow.
func TestPiecesAreFew(t *testing.T) {
	if n := len(pieces(strings.Repeat("abcd/", 1000))); n > 4000 {
		t.Errorf("%d pieces", n)
	}
	if n := len(pieces("a/bcde/fghi/j")); n != 10 {
		t.Errorf("%d pieces, want every run", n)
	}
}
