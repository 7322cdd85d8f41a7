package postgres

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/softdelete-exporter/softdelete_exporter/conninfo"
)

// oldestVersion is the first supported version of PostgreSQL, as server_version_num.
const oldestVersion = 140000

// connectTimeout bounds the connect of a refresh; the ping has its own, tighter one.
const connectTimeout = 10 * time.Second

// link is a connection, with what hides its secrets in the errors of the driver and the
// server.
type link struct {
	*pgx.Conn
	info *conninfo.Info
}

// ParseSource checks a connection, with the files that it names, and returns the addresses
// of its servers and the name of its database, without connecting.
func ParseSource(info *conninfo.Info) (servers []string, datname string, err error) {
	for _, host := range info.Hosts() {
		c, _, err := connConfig(info, host, anyServer)
		if err != nil {
			return nil, "", err
		}
		servers = append(servers, net.JoinHostPort(c.Host, strconv.Itoa(int(c.Port))))
		datname = c.Database
	}
	return servers, datname, nil
}

// The values of target_session_attrs that mean something to us.
const (
	anyServer     = "any"
	standby       = "standby"
	primary       = "primary"
	preferStandby = "prefer-standby"
)

// connConfig is what the driver needs to know of a connection to one host, to a server of
// the wanted kind. The driver finds the password in pgpass; the returned Info hides that,
// too.
func connConfig(info *conninfo.Info, host conninfo.Host, kind string) (*pgx.ConnConfig, *conninfo.Info, error) {
	c, err := pgx.ParseConfig(info.ForDriver(map[string]string{
		"host": cmp.Or(host.Name, host.Address), "port": host.Port, "target_session_attrs": kind, "connect_timeout": "0",
	}))
	if err != nil {
		// The driver's own text repeats the connection string.
		err = cmp.Or(errors.Unwrap(err), errors.New("the driver does not take these parameters"))
		return nil, nil, info.Hide(fmt.Errorf("the connection cannot be set up: %w", err))
	}
	if c.Database == "" {
		c.Database = c.User // as libpq does
	}
	// Nothing else goes to the server, as what the driver does not know would.
	c.RuntimeParams = map[string]string{"application_name": "softdelete_exporter", "client_encoding": "UTF8"}
	if options := info.Get("options"); options != "" {
		c.RuntimeParams["options"] = options
	}
	least, most := tlsVersion[info.Get("ssl_min_protocol_version")], tlsVersion[info.Get("ssl_max_protocol_version")]
	for _, t := range append([]*tls.Config{c.TLSConfig}, fallbacks(c)...) {
		if t != nil {
			t.MinVersion, t.MaxVersion = least, most
		}
	}
	if c.ValidateConnect != nil {
		c.ValidateConnect = validate(kind, c.ValidateConnect)
	}
	// The one mode that needs no named statement, which a pooler would lose.
	c.DefaultQueryExecMode = pgx.QueryExecModeExec
	c.StatementCacheCapacity = 0
	c.DescriptionCacheCapacity = 0
	return c, info.Knowing(c.Password), nil
}

// validate tells primary and standby apart by what the server says of itself. The driver
// asks in a transaction, which a standby refuses where the default isolation is serializable.
func validate(kind string, ask pgconn.ValidateConnectFunc) pgconn.ValidateConnectFunc {
	return func(ctx context.Context, pg *pgconn.PgConn) error {
		switch recovery := pg.ParameterStatus("in_hot_standby"); {
		case recovery == "" || kind != standby && kind != primary: // a pooler may not say it
			return ask(ctx, pg)
		case kind == standby && recovery == "off":
			return pgconn.ErrPrimaryConnection
		case kind == primary && recovery == "on":
			return pgconn.ErrStandbyConnection
		}
		return nil
	}
}

var tlsVersion = map[string]uint16{
	"TLSv1": tls.VersionTLS10, "TLSv1.1": tls.VersionTLS11, "TLSv1.2": tls.VersionTLS12, "TLSv1.3": tls.VersionTLS13,
}

func fallbacks(c *pgx.ConnConfig) (all []*tls.Config) {
	for _, f := range c.Fallbacks {
		all = append(all, f.TLSConfig)
	}
	return all
}

// dial connects to a database of the server; datname is empty for that of the
// connection string.
func (s *Server) dial(ctx context.Context, datname string) (*link, error) {
	info, err := s.Source()
	if err != nil {
		return nil, err
	}
	if datname != "" {
		info = info.In(datname)
	}
	if err := s.Connections.acquire(ctx); err != nil {
		return nil, err
	}
	var conn *link
	defer func() {
		if conn == nil {
			s.Connections.release()
		}
	}()
	conn, err = s.connect(ctx, info)
	return conn, err
}

// connectHost tries the addresses of one host in turn. Its error is one for which no other
// host need be tried; those that another may not have are added to failed.
func (s *Server) connectHost(
	ctx context.Context, info *conninfo.Info, a attempt, failed *connectError,
) (conn *link, err error) {
	c, info, err := connConfig(info, a.Host, a.kind)
	if err != nil {
		return nil, err
	}
	addresses, err := resolve(ctx, c.Host, a.Address)
	if err != nil {
		if timedOut(ctx) {
			s.silence.note(a)
		}
		failed.add(c, info, err)
		return nil, nil
	}
	silent := false
	takeTurns(ctx, last(&s.silence, addresses), func(ctx context.Context, address string) (done bool) {
		if most := info.ConnectTimeout(); most > 0 {
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeout(ctx, most)
			defer cancel()
		}
		one := c.Copy()
		one.LookupFunc = func(context.Context, string) ([]string, error) { return []string{address}, nil }
		made, fault := pgx.ConnectConfig(ctx, one)
		if fault == nil {
			conn = &link{made, info}
			return true
		}
		if timedOut(ctx) {
			silent = true
			s.silence.note(address)
		}
		failed.add(c, info, cmp.Or(errors.Unwrap(fault), fault)) // without the driver's preamble
		switch Code(fault) {
		case invalidPassword, UndefinedDatabase, InsufficientPrivilege:
			err = failed
		}
		return err != nil
	})
	if conn == nil && silent {
		s.silence.note(a)
	}
	return conn, err
}

// resolve returns the addresses of a host, of which the connection string may give one.
func resolve(ctx context.Context, name, address string) ([]string, error) {
	switch {
	case address != "":
		return []string{address}, nil
	case filepath.IsAbs(name): // the directory of a socket
		return []string{name}, nil
	default:
		return net.DefaultResolver.LookupHost(ctx, name)
	}
}

// connectError tells how each host that was tried failed.
type connectError struct {
	database, user string
	texts          []string
	errs           []error
}

// add notes how a host failed: what the server said, else the driver.
func (e *connectError) add(c *pgx.ConnConfig, info *conninfo.Info, err error) {
	where, said := fmt.Sprintf("%s, port %d: ", c.Host, c.Port), (*pgconn.PgError)(nil)
	text := info.Redact(strings.ReplaceAll(err.Error(), "\n", "; "))
	switch {
	case errors.As(err, &said):
		text = where + info.Redact(said.Error())
	case errors.Is(err, context.DeadlineExceeded):
		text = where + "no answer in time"
	}
	e.database, e.user = c.Database, info.Redact(c.User)
	e.texts, e.errs = append(e.texts, text), append(e.errs, info.Hide(err))
}

// Error implements error.
func (e *connectError) Error() string {
	return fmt.Sprintf("cannot connect to database %s: %s", e.database, strings.Join(e.texts, "; "))
}

// Unwrap returns the driver's errors.
func (e *connectError) Unwrap() []error { return e.errs }

// closeTimeout is how long the other side has to take note that we hang up.
const closeTimeout = time.Second

// closeConn closes a connection and waits, but not long, until the server has ended its
// session: only then is there one less, and does nothing of ours keep a database busy.
func (s *Server) closeConn(conn *link) {
	defer s.Connections.release()
	pg := conn.PgConn()
	if conn.IsClosed() { // the driver has given it up and is cleaning up behind it
		select {
		case <-pg.CleanupDone():
		case <-time.After(closeTimeout):
		}
		return
	}
	// Errors mean that the other side is gone already.
	_ = pg.Conn().SetDeadline(time.Now().Add(closeTimeout))
	pg.Frontend().Send(&pgproto3.Terminate{})
	if pg.Frontend().Flush() == nil {
		_, _ = io.Copy(io.Discard, pg.Conn())
	}
	_ = conn.Close(context.Background())
}
