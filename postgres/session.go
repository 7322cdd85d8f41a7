package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/go-kit/log/level"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/softdelete-exporter/softdelete_exporter/queries"
	"github.com/softdelete-exporter/softdelete_exporter/rescue"
)

// grace is how much longer than the server's statement_timeout we wait for it.
const grace = time.Second

// Session is the one connection of a refresh, to one database. It asks each question
// in a short guarded transaction of its own.
type Session struct {
	ServerInfo
	postgres *Server
	conn     *link
	// limits is the statement with the settings of every transaction; ShortLimits that of
	// those for which we do not wait long, ProvingLimits of those that ask for contradictions.
	limits, ShortLimits, ProvingLimits string
	statementTimeout                   time.Duration
	// escaped are the texts that are not as the database has them.
	escaped map[string]bool
}

// ServerInfo is what the server says of itself, and of who asks.
type ServerInfo struct {
	Version     int
	VersionText string
	// Database and Role are the names by which the server knows where and who we are.
	Database, Role    string
	DeadlockTimeoutMs int64
	Standby           bool
	Citus, Timescale  bool
}

// Open connects to a database, of which an empty name is the connection string's
// own, refuses a server that is too old, and settles the limits of the session.
func (server *Server) Open(ctx context.Context, datname string, l Limits) (*Session, error) {
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	conn, err := server.dial(ctx, datname)
	if err != nil {
		return nil, err
	}
	s := &Session{postgres: server, conn: conn, statementTimeout: l.StatementTimeout, escaped: map[string]bool{}}
	opened := false
	defer func() {
		if !opened {
			s.Close()
		}
	}()
	s.setLimits(l.LockTimeout)
	s.Database = conn.Config().Database
	rows, err := Query[ServerInfo](ctx, s, queries.Server())
	switch {
	case err != nil:
		err = fmt.Errorf("asking what server it is: %w", err)
	case rows[0].Version < oldestVersion:
		err = fmt.Errorf("PostgreSQL %s is too old: version 14 or newer is needed", rows[0].VersionText)
	}
	if err != nil {
		return nil, err
	}
	s.ServerInfo = rows[0]
	// Deadlocks are broken by killing whoever finds them: if we waited longer than
	// deadlock_timeout, that could be a migration.
	if half := time.Duration(s.DeadlockTimeoutMs) * time.Millisecond / 2; half > 0 && half < l.LockTimeout {
		level.Warn(server.Logger).Log("msg", "lock_timeout lowered to half of the server's deadlock_timeout", "datname",
			s.Database, "configured", l.LockTimeout, "used", half)
		s.setLimits(half)
	}
	opened = true
	return s, nil
}

// shortTimeout bounds the questions that an index answers at once, or not at all.
const shortTimeout = 200 * time.Millisecond

// setLimits settles the limits of every transaction.
func (s *Session) setLimits(lockTimeout time.Duration) {
	s.limits = queries.Settings(lockTimeout, s.statementTimeout, false)
	s.ShortLimits = queries.Settings(lockTimeout, min(shortTimeout, s.statementTimeout), false)
	s.ProvingLimits = queries.Settings(lockTimeout, s.statementTimeout, true)
}

// Close ends the session.
func (s *Session) Close() {
	if s.conn != nil {
		s.postgres.closeConn(s.conn)
		s.conn = nil
	}
}

// Broken tells that the connection is gone and no further question can be asked.
func (s *Session) Broken() bool { return s.conn == nil || s.conn.IsClosed() }

// Query asks one question in a guarded read-only transaction, in one round trip,
// and returns its rows, their columns matched to T's fields by name.
func Query[T any](ctx context.Context, s *Session, sql string) ([]T, error) {
	return QueryUnder[T](ctx, s, s.limits, sql)
}

// errRoleTimeout tells that a statement_timeout that is not ours ended a transaction before
// it had its limits.
var errRoleTimeout = errors.New("the statement_timeout of the role ends even the shortest statement")

// errClosed is what a question gets after the connection was lost and could not be opened
// anew.
var errClosed = errors.New("the connection was lost")

// QueryUnder is Query under the given limits.
func QueryUnder[T any](ctx context.Context, s *Session, limits, sql string) (rows []T, err error) {
	if s.conn == nil {
		return nil, errClosed
	}
	ctx, cancel := context.WithTimeout(ctx, s.statementTimeout+grace)
	defer cancel()
	began := time.Now()
	defer func() { s.postgres.Costs.Add(s.Database, time.Since(began), err) }()

	limited := false
	batch := &pgx.Batch{}
	batch.Queue(queries.Begin())
	batch.Queue(limits).Exec(func(pgconn.CommandTag) error {
		limited = true
		return nil
	})
	batch.Queue(sql).Query(func(r pgx.Rows) error {
		// A panic in here would leave the connection in the middle of an answer.
		err = rescue.Catch(func() (err error) {
			rows, err = pgx.CollectRows(r, func(row pgx.CollectableRow) (T, error) {
				return pgx.RowToStructByName[T](legible{row, s})
			})
			return err
		})
		rescue.Log(s.postgres.Logger, err, "datname", s.Database)
		return err
	})
	batch.Queue(queries.Commit())
	if err := s.conn.SendBatch(ctx, batch).Close(); err != nil {
		s.recover()
		if !limited && Code(err) == QueryCanceled {
			err = fmt.Errorf("%w: %w", errRoleTimeout, err)
		}
		return nil, s.conn.info.Hide(err)
	}
	return rows, nil
}

// recover ends the transaction that an error left open: the COMMIT behind it was
// skipped, and a pooler would throw the connection away.
func (s *Session) recover() {
	if s.conn.IsClosed() || s.conn.PgConn().TxStatus() == 'I' {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), grace)
	defer cancel()
	if _, err := s.conn.Exec(ctx, queries.Rollback()); err != nil {
		_ = s.conn.Close(ctx) // it is given up either way
	}
}

// Calm brings the connection into a state in which it can be asked again. One that is in
// the middle of an answer cannot: it is given up, as if it had been lost.
func (s *Session) Calm() {
	if s.Broken() {
		return
	}
	if !s.conn.PgConn().IsBusy() {
		s.recover()
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), grace)
	defer cancel()
	_ = s.conn.Close(ctx) // it is given up either way
}
