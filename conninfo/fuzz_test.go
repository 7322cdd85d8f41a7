package conninfo

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/jackc/pgx/v5/pgconn"
)

// FuzzParse checks that the driver reads every accepted text in the same way, and that a text that is written and
// read again stays the same.
func FuzzParse(f *testing.F) {
	for _, text := range []string{
		"postgres://bob:p%40ss@db:5432/shop?sslmode=disable", "postgresql://[::1]:5433,h2/x",
		"host=db user='b\\'ob' password=a\\ b",
		"postgres://u:p@ss/w#rd@h/db", "postgres:PW@h/db?sslmode=disable", "password=abc def=x", "postgres://u:%ff@h",
		"\ufeff\"postgres://\"", "a\x00b", "",
	} {
		f.Add(text)
	}
	clearVariables(f)
	f.Fuzz(func(t *testing.T, text string) {
		i, err := Parse(text)
		if err != nil {
			return
		}
		if !utf8.ValidString(i.Get("password") + i.Get("sslpassword")) {
			return // only a URL can write it
		}
		again, err := Parse(i.KeyValue(nil))
		if err != nil {
			t.Fatalf("%q was read, but not what was written of it: %v", text, err)
		}
		if i.KeyValue(nil) != again.KeyValue(nil) {
			t.Errorf("%q: written %s, read %s", text, i.KeyValue(nil), again.KeyValue(nil))
		}
		// Texts that name files are left out: the driver would look for them.
		for _, name := range []string{"passfile", "sslcert", "sslkey", "sslrootcert", "service"} {
			if i.Get(name) != "" {
				return
			}
		}
		host := i.Hosts()[0]
		c, err := pgconn.ParseConfig(i.KeyValue(map[string]string{"host": host.Name, "port": host.Port}))
		if _, fails := i.WithDefaults(variables(nil)); fails != nil {
			return
		}
		if err != nil {
			t.Fatalf("%q: the driver refuses what was accepted: %v", text, err)
		}
		for _, pair := range [][2]string{{i.Get("user"), c.User}, {i.Get("password"), c.Password},
			{i.Get("dbname"), c.Database}, {host.Name, c.Host}} {
			if pair[0] != "" && pair[0] != pair[1] {
				t.Errorf("%q: the driver reads %q as %q", text, pair[0], pair[1])
			}
		}
	})
}

// shapes are ways in which a password gets into a connection string, or into a setting by mistake: bare, in quotes,
// after the wrong scheme.
var shapes = []string{
	"postgres://%[1]s:%[2]s@%[3]s/%[4]s", "postgresql://%[1]s:%[2]s@%[3]s:5432/%[4]s?sslmode=disable",
	"\"postgres://%[1]s:%[2]s@%[3]s/%[4]s\"",
	" \ufeffpostgres://%[1]s:%[2]s@%[3]s/%[4]s\n", "postgres:%[2]s@%[3]s/%[4]s?sslmode=disable",
	"postgresql+psycopg2://%[1]s:%[2]s@%[3]s/%[4]s",
	"%[1]s:%[2]s@%[3]s/%[4]s", "postgres://%[1]s@%[3]s/%[4]s?password=%[2]s",
	"host=%[3]s user=%[1]s password=%[2]s dbname=%[4]s",
	"password=%[2]s def=x", "host=%[3]s password='%[2]s' user=%[1]s", "host=%[3]s password=\"%[2]s\"",
	"jdbc:postgresql://%[3]s/%[4]s?user=%[1]s&password=%[2]s",
	"postgres://%[1]s:%[5]s@%[3]s/%[4]s", "postgres://%[3]s/%[4]s?user=%[1]s&password=%[5]s",
}

// FuzzPassword checks that no piece of a password appears in an error, or in any text about a connection, however the
// password got into the string.
func FuzzPassword(f *testing.F) {
	for _, password := range []string{"p@ss/w#rd", "1234/ss", "abc def=x", "PW`: x", "it's", "ü€@x\\", "a%40bcd",
		"longer words, and a@sign"} {
		for shape := range shapes {
			f.Add(shape, "bob", password, "db.example.test", "shop")
		}
	}
	f.Fuzz(func(t *testing.T, shape int, user, password, host, database string) {
		if shape < 0 || shape >= len(shapes) {
			return
		}
		text := fmt.Sprintf(shapes[shape], user, password, host, database, url.QueryEscape(password))
		i, err := Parse(text)
		if err != nil {
			none(t, text, err.Error(), password, ownWords)
			return
		}
		names := strings.Join([]string{i.Get("user"), i.Get("dbname"), i.Get("host"), ownWords}, "\n")
		if i.Get("password") != password {
			// The string was split at another place, so only its own password is a secret.
			password = i.Get("password")
		}
		none(t, text, i.String(), password, names+"\n"+i.settingsWithoutSecrets())
		for _, form := range []string{password, url.QueryEscape(password), url.PathEscape(password),
			fmt.Sprintf("%q", password), quote(password)} {
			none(t, text, i.Redact("lookup "+form+": no such host"), password, names+"\nlookup no such host\n")
		}
		for _, piece := range piecesOf(password) {
			none(t, text, i.Redact(fmt.Sprintf("database %q does not exist", piece)), password,
				names+"\ndatabase does not exist\n")
		}
		if name := i.Get("user"); name != "" && isPlain(name) && !strings.Contains(i.Redact("for user <"+name+">"), name) {
			t.Errorf("%q hides the user: %s", text, i.Redact("for user <"+name+">"))
		}
	})
}

// settingsWithoutSecrets returns what may be shown.
func (i *Info) settingsWithoutSecrets() string {
	var all []string
	for _, p := range parameters {
		all = append(all, p.Name+"=")
		if !p.secret {
			all = append(all, quote(i.settings[p.Name]))
		}
	}
	return strings.Join(all, " ")
}

// ownWords are the words of the exporter's own errors, which may also be in a password by chance.
var ownWords = func() string {
	var all strings.Builder
	for _, p := range parameters {
		fmt.Fprintln(&all, p.Name, p.Note, p.values, p.check("\x00"))
	}
	for _, text := range []string{
		"'", "a\x00", "postgres:a", "x=", "mysql://", "postgres://#", "postgres://@@", "postgres://h/a b",
		"postgres://u%3A@h", "postgres://h/a/b", "postgres://[", "postgres://a%2C", "postgres://h?a",
		"postgres://h?a=b", "postgres://h?host=%zz", "postgres://h?host=%00", "postgres://postgres://", "postgres://h'",
		"postgres://h:x", "jdbc:postgresql://", "user=a b", "user=a b=c", "user=\"", `user=\`, "user='",
		"user='a'b=c", "\xff",
		"host=a:b", "host=a@b", "port=x", "hostaddr=x", "dbname='a=b'", "connect_timeout=x", "require_auth=x", "user='\n'",
		"requirepeer=a", "sslmode=x", "postgres://h?sslmod=x", "pasword=x",
	} {
		_, err := Parse(text)
		fmt.Fprintln(&all, err)
	}
	return all.String() + mask
}()

var cut = regexp.MustCompile(`[@/:?#\s]+`)

// piecesOf returns the pieces of a password that have four characters or more.
func piecesOf(password string) []string {
	return slices.DeleteFunc(append(cut.Split(password, -1), password),
		func(piece string) bool { return utf8.RuneCountInString(piece) < shortest })
}

// none fails the test if a text shows a piece of the password. A piece that is also in others, which may be shown,
// proves nothing.
func none(t *testing.T, text, shown, password, others string) {
	t.Helper()
	for _, piece := range piecesOf(password) {
		if strings.Contains(shown, piece) && !strings.Contains(others, piece) {
			t.Errorf("%q: %q shows %q", text, shown, piece)
		}
	}
}

func isPlain(name string) bool {
	return !strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsLetter(r) })
}

// FuzzRedact redacts any text with any secret: it terminates, and the whole secret is gone.
func FuzzRedact(f *testing.F) {
	f.Add("p@ss/w#rd", `lookup "ss": p@ss/w#rd`)
	f.Add("xxxxx", "xxxxx xxxxx")
	f.Fuzz(func(t *testing.T, password, text string) {
		i, err := New(map[string]string{"password": password})
		if err != nil {
			return
		}
		if utf8.RuneCountInString(password) < shortest {
			return // only whole words of it are hidden
		}
		for _, shown := range strings.Split(i.Redact(text), mask) {
			if strings.Contains(shown, password) {
				t.Errorf("%q shows %q", shown, password)
			}
		}
	})
}
