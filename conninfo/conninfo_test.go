package conninfo

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5/pgconn"
)

func TestParseReadsWhatLibpqReads(t *testing.T) {
	for text, want := range map[string]map[string]string{
		"":            {},
		" \n":         {},
		"postgres://": {},
		"postgresql://bob:pw@db:5432/shop": {"user": "bob", "password": "pw", "host": "db", "port": "5432",
			"dbname": "shop"},
		" \ufeffpostgres://bob@db/shop\r\n": {"user": "bob", "host": "db",
			"dbname": "shop"},
		"postgres://b%40b:p%40s%3As%2F%3F%23%25@db/s%20p": {"user": "b@b",
			"password": "p@s:s/?#%", "host": "db", "dbname": "s p"},
		"postgres://bob:a:b+c@db": {"user": "bob", "password": "a:b+c",
			"host": "db"},
		"postgres://bob:p%e9%FF@db": {"user": "bob",
			"password": "p\xe9\xff", "host": "db"},
		"postgres://bob:@db": {"user": "bob", "host": "db"},
		"postgres://db1,db2:5433/shop": {"host": "db1,db2", "port": ",5433",
			"dbname": "shop"},
		"postgres://[::1]:5433,[fe80::1%25eth0]/shop": {"host": "::1,fe80::1%eth0",
			"port": "5433,", "dbname": "shop"},
		"postgres://%2Fvar%2Frun/shop": {"host": "/var/run",
			"dbname": "shop"},
		"postgres:///shop?host=/var/run&port=5433&sslmode=require": {"host": "/var/run", "port": "5433",
			"dbname": "shop", "sslmode": "require"},
		"postgres://db?ssl=true": {"host": "db", "sslmode": "require"},
		"postgres://db?options=-c%20geqo%3Doff&user=bob&password=x": {"host": "db",
			"options": "-c geqo=off", "user": "bob", "password": "x"},
		"host=db user = bob\n dbname= shop": {"host": "db", "user": "bob",
			"dbname": "shop"},
		`user='b\'o\\b' password=a\ b\'c dbname=''`: {"user": `b'o\b`,
			"password": "a b'c", "dbname": ""},
		"password=a:b@c/d?e#f user=bob": {"password": "a:b@c/d?e#f", "user": "bob"},
		"host=db keepalives=1 application_name=mine gssencmode=prefer replication=off": {"host": "db"},
	} {
		i, err := Parse(text)
		if err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		if diff := cmp.Diff(want, i.settings); diff != "" {
			t.Errorf("%q (-want +got):\n%s", text, diff)
		}
	}
}

// Each string contains the password S3cr3t, or pieces of it, where something else is expected.
func TestWhatIsNotPlainIsRefusedWithoutShowingIt(t *testing.T) {
	for _, test := range []struct{ text, says string }{
		{"postgres://u:S3cr3t@S3cr3t/w#S3cr3t@h/db", "# as %23"},
		{"postgres://u:S3cr3t@S3cr3t@h/db", "@ as %40"},
		{"postgres://u:1234/S3cr3t@h/db", "/ as %2F"},
		{"postgres://u:1234?S3cr3t@h/db", "? as %3F"},
		{"postgres://h?user=u&password=S3cr3t@x", "@ as %40"},
		{"postgres://u:S3cr3t#S3cr3t@h/db", "# as %23"},
		{"postgres://u:S3cr3t S3cr3t@h/db", "a space as %20"},
		{"postgres://u:S3cr3t\nS3cr3t@h/db", "a space as %20"},
		{"postgres://u:S3cr3t%zz@h/db", "% as %25"},
		{"postgres://u:S3cr3t%4@h/db", "% as %25"},
		{"postgres://u:S3cr3t%00@h/db", "NUL"},
		{"postgres://u%ff:S3cr3t@h/db", "UTF-8"},
		{"postgres://u@h/S3cr3t%ff", "UTF-8"},
		{"postgres://u@h/db?S3cr3t%ff=x", "UTF-8"},
		{"postgres://u:S3cr3t", "port must be a number"},
		{"postgres://u:123456/db", "port must be a number"},
		{"postgres://u%3AS3cr3t@h/db", "colon"},
		{"postgres://u@h/a/S3cr3t", "/ as %2F"},
		{"postgres://u@h/S3cr3t\"", "quote"},
		{"postgres://u@[::1/S3cr3t", "["},
		{"postgres://u@[::1]S3cr3t/db", "["},
		{"postgres://a%2CS3cr3t/db", "comma"},
		{"postgres://u@h/db?S3cr3t", "parameter 1"},
		{"postgres://u@h/db?sslmode=require&password=a=S3cr3t", "parameter 2"},
		{"postgres://u@h/db?password=a&S3cr3t=x", "parameter 2 is unknown"},
		{"postgres://u@h/db?sslmod=S3cr3t", "did you mean sslmode?"},
		{"postgres://u@h/db?ssl=S3cr3t", "did you mean sslmode?"},
		{"postgres://u@h/db?search_path=S3cr3t", "options"},
		{"postgres://u:S3cr3t@h/db,postgres://u:S3cr3t@h/db", "more than one URL"},
		{`"postgres://u:S3cr3t@h/db"`, "in quotes; remove them"},
		{`'host=h password=S3cr3t'`, "in quotes; remove them"},
		{"“postgres://u:S3cr3t@h/db”", "in quotes; remove them"},
		{"postgresql+psycopg2://u:S3cr3t@h/db", "unknown scheme"},
		{"mysql://u:S3cr3t@h/db", "unknown scheme"},
		{"POSTGRES://u:S3cr3t@h/db", "unknown scheme"},
		{"jdbc:postgresql://h/db?user=u&password=S3cr3t", "remove the text before"},
		{"DATA_SOURCE_NAME=postgres://u:S3cr3t@h/db", "remove the text before"},
		{"psql postgres://u:S3cr3t@h/db", "remove the text before"},
		{"postgres:S3cr3t@h/db?sslmode=disable", "lacks the //"},
		{"u:S3cr3t@h/db?sslmode=disable", "neither"},
		{"u:S3cr3t@h:5432/db", "neither"},
		{"S3cr3t", "neither"},
		{"password=abc S3cr3t=x", "single quotes"},
		{"password=abc S3cr3t", "single quotes"},
		{"password='abc'S3cr3t=x", "single quotes"},
		{"password='S3cr3t", "single quotes"},
		{`password="abc S3cr3t"`, "single quotes"},
		{`user=u password=S3cr3t\`, `ends with a \`},
		{"pasword=S3cr3t", "did you mean password?"},
		{"PASSWORD=S3cr3t", "did you mean password?"},
		{"database=S3cr3t", "did you mean dbname?"},
		{"host=h statement_timeout=S3cr3t", "options"},
		{"host=S3cr3t:5432", "port=5432"},
		{"host=S3cr3t@h", "host contains a character"},
		{"host=h dbname=postgres://u:S3cr3t@h/db", "remove the text before"},
		{"dbname='host=h password=S3cr3t'", "only the name of the database"},
		{"dbname='a\nS3cr3t'", "control character"},
		{"user='a\x1bS3cr3t'", "control character"},
		{"port=S3cr3t", "port must be a number"},
		{"port=0", "port must be a number"},
		{"hostaddr=S3cr3t", "hostaddr must be an IP address"},
		{"sslmode=S3cr3t", "sslmode must be one of disable, allow"},
		{"connect_timeout=S3cr3t", "connect_timeout must be"},
		{"require_auth=S3cr3t", "require_auth must be"},
		{"require_auth=md5,!none", "require_auth must be"},
		{"requirepeer=S3cr3t", "requirepeer is not supported"},
		{"sslcrl=S3cr3t", "sslcrl is not supported"},
		{"gssencmode=require", "gssencmode is not supported"},
		{"replication=database", "replication is not supported"},
		{"oauth_client_secret=S3cr3t", "oauth_client_secret is not supported"},
		{"password=S3cr3t\x00", "NUL"},
		{"password=S3cr3t\xff", "UTF-8"},
		{"\xff\xfep\x00o\x00", "UTF-8"},
	} {
		i, err := Parse(test.text)
		if err == nil {
			t.Errorf("%q was read as %s", test.text, i)
			continue
		}
		if !strings.Contains(err.Error(), test.says) {
			t.Errorf("%q: %v; want it to say %q", test.text, err, test.says)
		}
		if strings.Contains(err.Error(), "S3cr") {
			t.Errorf("%q: the error shows the password: %v", test.text, err)
		}
		if redacted := Redact(err.Error()); redacted != err.Error() {
			t.Errorf("%q: its own error is taken for a secret: %s", test.text, redacted)
		}
	}
}

// The driver reads what was written as what was read before.
func TestTheDriverReadsWhatWasWritten(t *testing.T) {
	clearVariables(t)
	for _, password := range []string{"pw", `a b'c\d"`, "ü@/:?#%", "a\nb\t", " ", `\`} {
		i, err := New(map[string]string{"host": "db1", "port": "5433", "user": `b'o\b`, "password": password,
			"dbname": "s h", "sslmode": "disable", "options": "-c geqo=off"})
		if err != nil {
			t.Fatal(err)
		}
		c, err := pgconn.ParseConfig(i.KeyValue(map[string]string{"host": "db2"}))
		if err != nil {
			t.Fatal(err)
		}
		got := []string{c.Host, fmt.Sprint(c.Port), c.User, c.Password, c.Database, c.RuntimeParams["options"]}
		if diff := cmp.Diff([]string{"db2", "5433", `b'o\b`, password, "s h", "-c geqo=off"}, got); diff != "" {
			t.Errorf("%q (-want +got):\n%s", password, diff)
		}
	}
}

// The driver would send a parameter that it does not know to the server as a setting, and the server would end the
// connection.
func TestTheDriverKnowsWhatItIsGiven(t *testing.T) {
	clearVariables(t)
	for _, p := range Parameters() {
		value := map[string]string{"host": "db", "port": "5432", "require_auth": "md5", "sslcert": "", "sslkey": "",
			"sslrootcert": ""}[p.Name]
		if len(p.values) > 0 {
			value = p.values[0]
		}
		text := fmt.Sprintf("%s=%s", p.Name, quote(value))
		if p.Treatment == Refused || p.ours || strings.HasPrefix(p.Name, "service") {
			continue
		}
		i, err := Parse(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		c, err := pgconn.ParseConfig(i.KeyValue(nil))
		if err != nil {
			t.Errorf("%s: the driver says %v", text, err)
			continue
		}
		for name := range c.RuntimeParams {
			if name != "options" {
				t.Errorf("%s: the driver would send %s to the server", text, name)
			}
		}
	}
}

// These are the parameters of PQconndefaults() in PostgreSQL 15, and later ones from the release notes.
func TestEveryParameterOfLibpqIsKnown(t *testing.T) {
	for _, name := range strings.Fields(`
		service user password passfile channel_binding connect_timeout dbname host hostaddr port client_encoding options
		application_name fallback_application_name keepalives keepalives_idle keepalives_interval keepalives_count
		tcp_user_timeout sslmode sslcompression sslcert sslkey sslpassword sslrootcert sslcrl sslcrldir sslsni requirepeer
		ssl_min_protocol_version ssl_max_protocol_version gssencmode krbsrvname gsslib replication target_session_attrs
		load_balance_hosts require_auth sslcertmode gssdelegation sslnegotiation
		sslkeylogfile min_protocol_version max_protocol_version scram_client_key scram_server_key
		oauth_issuer oauth_client_id oauth_client_secret oauth_scope servicefile`) {
		p, known := find(name)
		if !known {
			t.Errorf("%s is not known", name)
		}
		if p.Treatment != Honoured && p.Note == "" {
			t.Errorf("%s is %s, and nobody says why", name, p.Treatment)
		}
		if p.Treatment == Honoured && len(p.Harmless) > 0 {
			t.Errorf("%s is honoured, so no value of it is dropped", name)
		}
	}
}

// A parameter that requests security is honoured or refused, never dropped.
func TestSecurityIsNeverDropped(t *testing.T) {
	for _, text := range []string{"requirepeer=root", "sslcrl=a", "sslcrldir=a", "gssencmode=require",
		"scram_client_key=a", "scram_server_key=a"} {
		if _, err := Parse(text); err == nil {
			t.Errorf("%s was accepted", text)
		}
	}
	for _, text := range []string{"require_auth=scram-sha-256", "channel_binding=require", "sslmode=verify-full",
		"sslcertmode=require", "ssl_min_protocol_version=TLSv1.3", "sslnegotiation=direct", "min_protocol_version=3.2"} {
		name, value, _ := strings.Cut(text, "=")
		if i, err := Parse(text); err != nil || i.Get(name) != value {
			t.Errorf("%s: %v, %v", text, i, err)
		}
	}
}

// The driver reads variables, services and files by itself. It must find nothing that the string does not contain.
func TestWhatTheDriverFindsByItselfHasNoEffect(t *testing.T) {
	clearVariables(t)
	dir := t.TempDir()
	services, unread := filepath.Join(dir, "services"), filepath.Join(dir, "nothing")
	write(t, services, "[s]\nhost=other\nport=1\ndbname=other\nuser=eve\npassword=S3cr3t\npassfile="+unread+
		"\nsslmode=verify-full\nsslcert="+unread+"\nsslkey="+unread+
		"\nsslrootcert="+unread+
		"\nrequire_auth=none\nchannel_binding=require\nsslnegotiation=direct\nsslcertmode=require\n"+
		"sslsni=0\nmin_protocol_version=3.2\nconnect_timeout=7\ntarget_session_attrs=standby\n")
	info, err := New(map[string]string{"host": "db", "port": "5432", "dbname": "shop", "user": "bob", "password": "",
		"sslmode": "disable"})
	if err != nil {
		t.Fatal(err)
	}
	read := func() string {
		t.Helper()
		c, err := pgconn.ParseConfig(info.ForDriver(map[string]string{"connect_timeout": "0",
			"target_session_attrs": "any"}))
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprint(c.Host, c.Port, c.Database, c.User, c.Password, c.RequireAuth, c.ChannelBinding, c.SSLNegotiation,
			c.SSLCertMode, c.MinProtocolVersion,
			c.MaxProtocolVersion, c.ConnectTimeout, c.ValidateConnect == nil, c.TLSConfig == nil)
	}
	clean := read()
	for name, value := range map[string]string{
		"PGHOST": "other", "PGPORT": "1", "PGDATABASE": "other", "PGUSER": "eve", "PGPASSWORD": "S3cr3t",
		"PGPASSFILE": unread, "PGSSLMODE": "verify-full", "PGSSLCERT": unread, "PGSSLKEY": unread,
		"PGSSLROOTCERT": unread, "PGREQUIREAUTH": "none", "PGCHANNELBINDING": "require", "PGSSLNEGOTIATION": "direct",
		"PGSSLCERTMODE": "require", "PGSSLSNI": "0", "PGMINPROTOCOLVERSION": "3.2",
		"PGCONNECT_TIMEOUT": "7", "PGTARGETSESSIONATTRS": "standby",
	} {
		t.Setenv(name, value)
	}
	if got := read(); got != clean {
		t.Errorf("with variables: %s, want %s", got, clean)
	}
	t.Setenv("PGSERVICE", "s")
	t.Setenv("PGSERVICEFILE", services)
	if got := read(); got != clean {
		t.Errorf("with a service: %s, want %s", got, clean)
	}
	// As in libpq, the system's file is read, too.
	t.Setenv("PGSERVICEFILE", unread)
	t.Setenv("PGSYSCONFDIR", dir)
	write(t, filepath.Join(dir, "pg_service.conf"), "[s]\nhost=other\n")
	if got := read(); got != clean {
		t.Errorf("with a service of the system: %s, want %s", got, clean)
	}
}

func TestNoVerbPrintsASecret(t *testing.T) {
	i, err := Parse("postgres://bob:S3cr3t@db/shop?sslpassword=S3cr3t")
	if err != nil {
		t.Fatal(err)
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		if text := fmt.Sprintf(verb, i); strings.Contains(text, "S3cr3t") || !strings.Contains(text, "user='bob'") {
			t.Errorf("%s: %s", verb, text)
		}
	}
}

func TestHostsPairUp(t *testing.T) {
	for text, want := range map[string][]Host{
		"":                                      {{}},
		"host=a":                                {{Name: "a"}},
		"host=a,b port=1":                       {{Name: "a", Port: "1"}, {Name: "b", Port: "1"}},
		"host=a,b port=,2":                      {{Name: "a"}, {Name: "b", Port: "2"}},
		"hostaddr=::1,127.0.0.1 port=1,2":       {{Address: "::1", Port: "1"}, {Address: "127.0.0.1", Port: "2"}},
		"host=a,b hostaddr=127.0.0.1,127.0.0.2": {{Name: "a", Address: "127.0.0.1"}, {Name: "b", Address: "127.0.0.2"}},
	} {
		i, err := Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, i.Hosts()); diff != "" {
			t.Errorf("%q (-want +got):\n%s", text, diff)
		}
	}
}

func TestContradictionsAreRefused(t *testing.T) {
	for text, says := range map[string]string{
		"host=a,b hostaddr=127.0.0.1":         "2 host and 1 hostaddr",
		"host=a,b port=1,2,3":                 "3 ports for 2 hosts",
		"port=1,2":                            "2 ports for 1 hosts",
		"sslcert=a":                           "sslcert and sslkey",
		"sslnegotiation=direct sslmode=allow": "sslnegotiation=direct",
		"ssl_min_protocol_version=TLSv1.3 ssl_max_protocol_version=TLSv1.2": "ssl_max_protocol_version",
		"min_protocol_version=3.2 max_protocol_version=3.0":                 "max_protocol_version",
	} {
		i, err := Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := i.WithDefaults(variables(nil)); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: %v; want it to say %q", text, err, says)
		}
	}
}

func TestConnectTimeout(t *testing.T) {
	for text, want := range map[string]string{"": "0s", "connect_timeout=3": "3s", "connect_timeout=-1": "0s"} {
		i, err := Parse(text)
		if err != nil || i.ConnectTimeout().String() != want {
			t.Errorf("%q: %v, %v", text, i.ConnectTimeout(), err)
		}
	}
}

// variables stands for os.Getenv, without the home of this machine.
func variables(set map[string]string) func(string) string {
	return func(name string) string { return set[name] }
}

// clearVariables unsets what the driver would read in addition to the string.
func clearVariables(t testing.TB) {
	t.Helper()
	t.Setenv("HOME", t.TempDir())
	for _, p := range Parameters() {
		if p.Variable != "" && os.Getenv(p.Variable) != "" {
			t.Setenv(p.Variable, "")
		}
	}
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
