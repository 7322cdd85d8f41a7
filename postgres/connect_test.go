package postgres

import (
	"crypto/tls"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/softdelete-exporter/softdelete_exporter/conninfo"
	"github.com/softdelete-exporter/softdelete_exporter/internal/pgserver/pgtest"
)

// The driver would send a parameter of libpq that it does not know to the server as a setting, and the server would
// end the connection.
func TestEveryParameterOfLibpqConnects(t *testing.T) {
	t.Parallel()
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	for _, p := range conninfo.Parameters() {
		value := map[string]string{
			"client_encoding": "LATIN1", "options": "-c%20geqo%3Doff", "connect_timeout": "5", "hostaddr": "127.0.0.1",
			"sslmode": "disable", "require_auth": "!md5",
			"channel_binding": "prefer", "sslnegotiation": "postgres", "sslcertmode": "allow",
			"target_session_attrs": "primary", "load_balance_hosts": "random",
			"ssl_min_protocol_version": "TLSv1.2", "ssl_max_protocol_version": "TLSv1.3", "min_protocol_version": "3.0",
			"max_protocol_version": "3.0", "sslsni": "1",
		}[p.Name]
		switch {
		case p.Treatment == conninfo.Refused && len(p.Harmless) == 0, p.Name == "host", p.Name == "port", p.Name == "dbname",
			p.Name == "user", p.Name == "service",
			strings.HasPrefix(p.Name, "sslcert") && value == "", p.Name == "sslkey", p.Name == "sslrootcert":
			continue
		case p.Treatment == conninfo.Refused:
			value = p.Harmless[0]
		case value == "":
			value = "1"
		}
		i := newServer(t, dsn+"&"+p.Name+"="+value)
		if ping := i.Ping(t.Context(), inTime); !ping.Up {
			t.Errorf("%s=%s: %s", p.Name, value, ping.Err)
		}
		i.Close()
	}
}

func TestTheServerIsToldOurNameAndTheOptions(t *testing.T) {
	t.Parallel()
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t)) +
		"&options=-c%20geqo%3Doff&application_name=mine&client_encoding=LATIN1"
	type settings struct{ Name, Encoding, Geqo string }
	got, err := Query[settings](t.Context(), newSession(t, dsn, usual),
		`SELECT current_setting('application_name') AS name,
		current_setting('client_encoding') AS encoding, current_setting('geqo') AS geqo`)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]settings{{"softdelete_exporter", "UTF8", "off"}}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// The driver reads variables and services by itself, and sends what it does not know to the server unless we prevent
// it.
func TestNothingElseGoesToTheServer(t *testing.T) {
	services := filepath.Join(t.TempDir(), "services")
	if err := os.WriteFile(services, []byte("[shop]\nkeepalives=1\nhost=db\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{"PGSERVICE": "shop", "PGSERVICEFILE": services, "PGTZ": "Asia/Tokyo",
		"PGAPPNAME": "mine", "PGOPTIONS": "-c geqo=off"} {
		t.Setenv(name, value)
	}
	info, err := conninfo.Parse("user=bob")
	if err != nil {
		t.Fatal(err)
	}
	if info, err = info.WithDefaults(os.Getenv); err != nil {
		t.Fatal(err)
	}
	c, _, err := connConfig(info, info.Hosts()[0], anyServer)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"application_name": "softdelete_exporter", "client_encoding": "UTF8",
		"options": "-c geqo=off"}
	if diff := cmp.Diff(want, c.RuntimeParams); diff != "" || c.Host != "db" {
		t.Errorf("host %s (-want +got):\n%s", c.Host, diff)
	}
}

// If there is an address, the name is not looked up.
func TestHostaddrIsConnectedTo(t *testing.T) {
	t.Parallel()
	server := pgtest.Shared(t)
	i := newServer(t, fmt.Sprintf("host=nobody.invalid hostaddr=127.0.0.1 port=%d user=postgres sslmode=disable",
		server.Port))
	if p := i.Ping(t.Context(), inTime); !p.Up {
		t.Errorf("it is down: %s", p.Err)
	}
}

// The server lets everybody in without a password. A client that requires more must not get less.
func TestSecurityIsHonoured(t *testing.T) {
	t.Parallel()
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	for parameter, says := range map[string]string{
		"require_auth=scram-sha-256":   "did not complete authentication",
		"channel_binding=require":      "channel binding",
		"sslcertmode=require":          "certificate",
		"target_session_attrs=standby": "standby",
	} {
		i := newServer(t, dsn+"&"+parameter)
		if p := i.Ping(t.Context(), inTime); p.Up || !strings.Contains(p.Err, says) {
			t.Errorf("%s: up %t, %s; want it to say %q", parameter, p.Up, p.Err, says)
		}
	}
	info, err := conninfo.Parse(
		"host=db sslmode=prefer ssl_min_protocol_version=TLSv1.3 ssl_max_protocol_version=TLSv1.3")
	if err != nil {
		t.Fatal(err)
	}
	c, _, err := connConfig(info, info.Hosts()[0], anyServer)
	if err != nil {
		t.Fatal(err)
	}
	if c.TLSConfig.MinVersion != tls.VersionTLS13 || c.TLSConfig.MaxVersion != tls.VersionTLS13 {
		t.Errorf("the versions of TLS are %x to %x", c.TLSConfig.MinVersion, c.TLSConfig.MaxVersion)
	}
}

// The password is hidden in every message of the server, also after the login.
func TestAServersMessageShowsNoPasswordLater(t *testing.T) {
	t.Parallel()
	dsn := strings.Replace(pgtest.NewDatabase(t, pgtest.Shared(t)), "postgres@", "postgres:tr0ub4dor%2Fhorse@", 1)
	s := newSession(t, dsn, usual)
	_, err := Query[struct{ N int }](t.Context(), s, `SELECT 'tr0ub4dor/horse'::int AS n`)
	if err == nil || !strings.Contains(err.Error(), `"xxxxx"`) || Code(err) != "22P02" {
		t.Errorf("code %q: %v", Code(err), err)
	}
	if p := Problem(err); strings.Contains(p.Message, "horse") {
		t.Errorf("the problem says %s", p.Message)
	}
}

func TestAFileThatCannotBeReadIsToldOf(t *testing.T) {
	info, err := conninfo.Parse("host=db sslmode=verify-full sslrootcert=/no/such.pem password=S3cr3t")
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := ParseSource(info); err == nil || !strings.Contains(err.Error(), "/no/such.pem") ||
		strings.Contains(err.Error(), "S3cr3t") {
		t.Errorf("%v", err)
	}
}
