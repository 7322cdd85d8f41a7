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
	"slices"
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

// connectTimeout limits connecting for a refresh; the ping has its own, shorter timeout.
const connectTimeout = 10 * time.Second

// link is a connection, and the Info that hides its secrets in errors of the driver and the server.
type link struct {
	*pgx.Conn
	info *conninfo.Info
}

// ParseSource checks a connection string and the files that it names. It returns the addresses of its servers
// and the name of its database, without connecting.
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

// The values of target_session_attrs that the exporter distinguishes.
const (
	anyServer     = "any"
	standby       = "standby"
	primary       = "primary"
	preferStandby = "prefer-standby"
)

// connConfig returns the driver's configuration for a connection to one host, to a server of the wanted kind.
// The driver may find the password in pgpass; the returned Info hides that, too.
func connConfig(info *conninfo.Info, host conninfo.Host, kind string) (*pgx.ConnConfig, *conninfo.Info, error) {
	c, err := pgx.ParseConfig(info.ForDriver(map[string]string{
		"host": cmp.Or(host.Name, host.Address), "port": host.Port, "target_session_attrs": kind, "connect_timeout": "0",
	}))
	if err != nil {
		// The driver's own error repeats the connection string.
		err = cmp.Or(errors.Unwrap(err), errors.New("the driver rejects these parameters"))
		return nil, nil, info.Hide(fmt.Errorf("the connection cannot be set up: %w", err))
	}
	if c.Database == "" {
		c.Database = c.User // as libpq does
	}
	// Send nothing else: the driver would send unknown parameters to the server.
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
	// The only mode without named statements, which a pooler would lose.
	c.DefaultQueryExecMode = pgx.QueryExecModeExec
	c.StatementCacheCapacity = 0
	c.DescriptionCacheCapacity = 0
	return c, info.Knowing(c.Password), nil
}

// validate distinguishes primary and standby by a parameter that the server reports. The driver would ask in a
// transaction, which a standby rejects if the default isolation is serializable.
func validate(kind string, ask pgconn.ValidateConnectFunc) pgconn.ValidateConnectFunc {
	return func(ctx context.Context, pg *pgconn.PgConn) error {
		switch recovery := pg.ParameterStatus("in_hot_standby"); {
		case recovery == "" || kind != standby && kind != primary: // a pooler may not report it
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

// dial connects to a database of the server; an empty datname means the one in the connection string.
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

// connectHost tries the addresses of one host in order. It returns an error only if no other host needs to be
// tried; other errors are added to failed.
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

// resolve returns the addresses of a host, or the address that the connection string gives.
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

// connectError lists how each host failed.
type connectError struct {
	database, user string
	texts          []string
	errs           []error
}

// add records how a host failed: the message of the server, or else of the driver.
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
	e.errs = append(e.errs, info.Hide(err))
	if !slices.Contains(e.texts, text) { // two addresses of a host fail in the same way
		e.texts = append(e.texts, text)
	}
}

// Error implements error.
func (e *connectError) Error() string {
	return fmt.Sprintf("cannot connect to database %s: %s", e.database, strings.Join(e.texts, "; "))
}

// Unwrap returns the driver's errors.
func (e *connectError) Unwrap() []error { return e.errs }

// closeTimeout is how long the server has to notice that the connection is closed.
const closeTimeout = time.Second

// closeConn closes a connection and waits for a short time until the server has ended its session. Only then
// does the session no longer count, or keep a database in use.
func (s *Server) closeConn(conn *link) {
	defer s.Connections.release()
	pg := conn.PgConn()
	if conn.IsClosed() { // the driver has closed it and is still cleaning up
		select {
		case <-pg.CleanupDone():
		case <-time.After(closeTimeout):
		}
		return
	}
	// An error means that the server has closed it already.
	_ = pg.Conn().SetDeadline(time.Now().Add(closeTimeout))
	pg.Frontend().Send(&pgproto3.Terminate{})
	if pg.Frontend().Flush() == nil {
		_, _ = io.Copy(io.Discard, pg.Conn())
	}
	_ = conn.Close(context.Background())
}
