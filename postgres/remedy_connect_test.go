package postgres

import (
	"context"
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/softdelete-exporter/softdelete_exporter/internal/pgserver/pgtest"
)

// Each kind of failure has its own remedy, as a real server or the network causes it.
func TestAFailureToConnectHasTheRemedyOfItsKind(t *testing.T) {
	t.Parallel()
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	at := func(change func(*url.URL)) string {
		u, err := url.Parse(dsn)
		if err != nil {
			t.Fatal(err)
		}
		change(u)
		return u.String()
	}
	for name, test := range map[string]struct{ source, want string }{
		"no such database": {at(func(u *url.URL) { u.Path = "/nowhere" }), "psql -l"},
		"no such host":     {at(func(u *url.URL) { u.Host = "nowhere.invalid:5432" }), "getent hosts nowhere.invalid"},
		"refused":          {at(func(u *url.URL) { u.Host = "127.0.0.1:1" }), "Nothing listens there"},
		"TLS": {at(func(u *url.URL) {
			query := u.Query()
			query.Set("sslmode", "require")
			u.RawQuery = query.Encode()
		}), "TLS fails"},
	} {
		p := newServer(t, test.source).Ping(t.Context(), time.Minute)
		if p.Up || !strings.Contains(p.Remedy, test.want) {
			t.Errorf("%s: %q has the remedy %q, want %q", name, p.Err, p.Remedy, test.want)
		}
	}
	for code, want := range map[string]string{invalidPassword: "refuses the password", invalidAuthorization: "pg_hba.conf",
		tooManyConnections: "Leave two connections", cannotConnectNow: "starting up"} {
		if got := connectRemedy(&pgconn.PgError{Code: code}); !strings.Contains(got, want) {
			t.Errorf("%s: %q, want %q", code, got, want)
		}
	}
	if got := connectRemedy(context.DeadlineExceeded); !strings.Contains(got, "firewall") {
		t.Errorf("a timeout: %q", got)
	}
	if got := connectRemedy(errors.New("strange")); got != "" {
		t.Errorf("a strange error: %q", got)
	}
}
