package inspect

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/softdelete-exporter/softdelete_exporter/config"
)

// oldest is the first supported version of PostgreSQL, as server_version_num.
const oldest = 140000

// connectTimeout bounds the connect of a pass; the ping has its own, tighter one.
const connectTimeout = 10 * time.Second

// ParseSource checks a connection string and returns the name of its database,
// without connecting. Its error does not repeat the string.
func ParseSource(dsn string) (datname string, err error) {
	c, err := connConfig(dsn)
	if err != nil {
		return "", err
	}
	return c.Database, nil
}

// connConfig reads a connection string, libpq's variables and pgpass, and adds
// what every connection of ours needs.
func connConfig(dsn string) (*pgx.ConnConfig, error) {
	c, err := pgx.ParseConfig(dsn)
	if err != nil {
		return nil, parseFault(err)
	}
	if c.Database == "" {
		c.Database = c.User // as libpq does
	}
	c.RuntimeParams["application_name"] = "softdelete_exporter"
	c.RuntimeParams["client_encoding"] = "UTF8"
	// The one mode that needs no named statement, which a pooler would lose.
	c.DefaultQueryExecMode = pgx.QueryExecModeExec
	c.StatementCacheCapacity = 0
	c.DescriptionCacheCapacity = 0
	return c, nil
}

// parseFault says what is wrong with a connection string without quoting it: what
// a parser quotes may be a piece of the password.
func parseFault(err error) error {
	why := err.Error()
	if _, cause, found := strings.Cut(why, "`: "); found {
		why = cause
	}
	if u := (*url.Error)(nil); errors.As(err, &u) || strings.Contains(why, "parse as URL") {
		why = "it is not a URL; write special characters of the password in percent-encoding"
	}
	return fmt.Errorf("the connection string cannot be read: %s (write postgres://user@host:5432/database or host=… user=… dbname=…)", config.Redact(why))
}

// dial connects to a database of the server; datname is empty for that of the
// connection string.
func (i *Inspector) dial(ctx context.Context, datname string) (*pgx.Conn, error) {
	dsn, err := i.Source()
	if err != nil {
		return nil, err
	}
	c, err := connConfig(dsn)
	if err != nil {
		return nil, err
	}
	if datname != "" {
		c.Database = datname
	}
	if err := i.Connections.acquire(ctx); err != nil {
		return nil, err
	}
	conn, err := pgx.ConnectConfig(ctx, c)
	if err != nil {
		i.Connections.release()
		return nil, &connectError{err}
	}
	return conn, nil
}

// goodbye is how long the other side has to take note that we hang up.
const goodbye = time.Second

// hangUp closes a connection and waits, but not long, until the server has ended its
// session: only then is there one less, and does nothing of ours keep a database busy.
func (i *Inspector) hangUp(conn *pgx.Conn) {
	defer i.Connections.release()
	pg := conn.PgConn()
	if conn.IsClosed() { // the driver has given it up and is cleaning up behind it
		select {
		case <-pg.CleanupDone():
		case <-time.After(goodbye):
		}
		return
	}
	// Errors mean that the other side is gone already.
	_ = pg.Conn().SetDeadline(time.Now().Add(goodbye))
	pg.Frontend().Send(&pgproto3.Terminate{})
	if pg.Frontend().Flush() == nil {
		_, _ = io.Copy(io.Discard, pg.Conn())
	}
	_ = conn.Close(context.Background())
}

// connectError is the driver's error without the passwords that it may quote.
type connectError struct{ error }

// Error implements error.
func (e *connectError) Error() string { return config.Redact(e.error.Error()) }

// Unwrap returns the driver's error.
func (e *connectError) Unwrap() error { return e.error }
