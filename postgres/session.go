package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-kit/log/level"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/softdelete-exporter/softdelete_exporter/queries"
	"github.com/softdelete-exporter/softdelete_exporter/rescue"
)

// grace is how much longer than the server's statement_timeout the exporter waits for an answer.
const grace = time.Second

// Session is the only connection of a refresh, to one database. It runs each query in a short guarded
// transaction of its own.
type Session struct {
	ServerInfo
	postgres *Server
	conn     *link
	// limits are the statements with the settings of every transaction. ShortLimits are for queries that must
	// answer quickly, ProvingLimits for questions to the planner about contradictions.
	limits, ShortLimits, ProvingLimits []string
	statementTimeout                   time.Duration
	// Guarded are relations with row-level security that are to be read because it hides no row of them
	// from us. Each transaction checks that this still holds, behind what it read.
	Guarded []uint32
	// escaped are the texts that differ from those in the database.
	escaped map[string]bool
	// Repeated are the questions that the next session of the database will ask, too, see Open.
	Repeated []string
	// Spent is how long the queries so far took.
	Spent time.Duration
	ahead ahead
}

// ServerInfo is what the server reports about itself and the session.
type ServerInfo struct {
	Version     int
	VersionText string
	// Database and Role are the server's names of the session's database and role.
	Database, Role    string
	DeadlockTimeoutMs int64
	// Untracked is true if the role leaves its own statements out of pg_stat_statements.
	Standby, Untracked bool
	Citus, Timescale   bool
}

// Open connects to a database, refuses a server that is too old, and sets the limits of the session. An empty
// name means the database in the connection string. The questions that repeated returns for the database are
// asked ahead together with the first one. It may be nil.
func (server *Server) Open(ctx context.Context, datname string, l Limits,
	repeated func(datname string) []string) (*Session, error) {
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
	first := queries.Server(major(conn.PgConn().ParameterStatus("server_version")))
	if repeated != nil {
		for _, question := range append([]string{first}, repeated(s.Database)...) {
			s.Ask(question, nil)
		}
	}
	rows, err := Query[ServerInfo](ctx, s, first)
	switch {
	case err != nil:
		err = fmt.Errorf("reading the server's version and settings: %w", err)
	case rows[0].Version < oldestVersion:
		err = fmt.Errorf("PostgreSQL %s is too old: version 14 or newer is needed", rows[0].VersionText)
	}
	if err != nil {
		return nil, err
	}
	s.ServerInfo = rows[0]
	s.setLimits(l.LockTimeout) // some depend on the version
	// PostgreSQL resolves a deadlock by cancelling the session that detects it. If the exporter waited longer
	// than deadlock_timeout, that could be a migration.
	if half := time.Duration(s.DeadlockTimeoutMs) * time.Millisecond / 2; half > 0 && half < l.LockTimeout {
		level.Warn(server.Logger).Log("msg", "lock_timeout lowered to half of the server's deadlock_timeout", "datname",
			s.Database, "configured", l.LockTimeout, "used", half)
		s.setLimits(half)
	}
	opened = true
	return s, nil
}

// major returns the major version that a server reports when it is connected to; 0 if it is not understood.
func major(version string) int {
	end := strings.IndexFunc(version, func(r rune) bool { return r < '0' || r > '9' })
	n, err := strconv.Atoi(version[:max(end, 0)])
	if err != nil {
		return 0
	}
	return n
}

// shortTimeout limits queries that an index answers at once, or not at all.
const shortTimeout = 200 * time.Millisecond

// setLimits sets the limits of every transaction.
func (s *Session) setLimits(lockTimeout time.Duration) {
	l := queries.Limits{LockTimeout: lockTimeout, StatementTimeout: s.statementTimeout, Version: s.Version,
		Untracked: s.Untracked, Encoding: s.conn.PgConn().ParameterStatus("server_encoding")}
	s.limits = queries.Settings(l)
	l.Contradictions = true
	s.ProvingLimits = queries.Settings(l)
	l.Contradictions, l.StatementTimeout = false, min(shortTimeout, s.statementTimeout)
	s.ShortLimits = queries.Settings(l)
}

// Close ends the session.
func (s *Session) Close() {
	if s.conn != nil {
		s.postgres.closeConn(s.conn)
		s.ahead.endWriting()
		s.conn = nil
	}
}

// Broken reports whether the connection is lost, so that no further query is possible.
func (s *Session) Broken() bool { return s.conn == nil || s.conn.IsClosed() }

// Query runs one query in a guarded read-only transaction, in one round trip. It returns the rows, with columns
// matched to T's fields by name. If the query was asked ahead, it returns that answer, once.
func Query[T any](ctx context.Context, s *Session, sql string) ([]T, error) {
	if q := s.take(sql); q != nil && s.conn != nil {
		return collect[T](func(add scanner) error { return s.answerTo(ctx, q, add) })
	}
	return QueryUnder[T](ctx, s, s.limits, sql)
}

// scanner reads one row.
type scanner func(pgx.CollectableRow) error

// collect returns the rows that read hands to its scanner. Only this much is compiled again for each kind of row.
func collect[T any](read func(scanner) error) ([]T, error) {
	rows := []T{}
	err := read(func(r pgx.CollectableRow) error {
		row, err := pgx.RowToStructByName[T](r)
		rows = append(rows, row)
		return err
	})
	if err != nil {
		return nil, err
	}
	return rows, nil
}

// Repeat is Query for a question that the next session of the database will ask, too.
func Repeat[T any](ctx context.Context, s *Session, sql string) ([]T, error) {
	if !slices.Contains(s.Repeated, sql) {
		s.Repeated = append(s.Repeated, sql)
	}
	return Query[T](ctx, s, sql)
}

// errRoleTimeout is the error if the role's statement_timeout ends a transaction before the exporter's limits
// are set.
var errRoleTimeout = errors.New("the statement_timeout of the role ends even the shortest statement")

// errHidden is the error of a query of which a policy hid rows: it changed since discovery.
var errHidden = errors.New("row-level security hides rows since a moment ago; will try again")

// errClosed is the error of a query after the connection was lost and could not be reopened.
var errClosed = errors.New("the connection was lost")

// QueryUnder is Query under the given limits.
func QueryUnder[T any](ctx context.Context, s *Session, limits []string, sql string) ([]T, error) {
	return collect[T](func(add scanner) error { return s.query(ctx, limits, sql, add) })
}

// query is QueryUnder for any rows.
func (s *Session) query(ctx context.Context, limits []string, sql string, add scanner) (err error) {
	if s.conn == nil {
		return errClosed
	}
	s.receiveAll(ctx)
	ctx, cancel := context.WithTimeout(ctx, s.statementTimeout+grace)
	defer cancel()
	began := time.Now()
	defer func() {
		took := time.Since(began)
		s.Spent += took
		s.postgres.Costs.Add(s.Database, took, err)
	}()

	limited := false
	batch := &pgx.Batch{}
	batch.Queue(queries.Begin())
	for _, setting := range limits {
		batch.Queue(setting)
	}
	batch.QueuedQueries[len(limits)].Exec(func(pgconn.CommandTag) error {
		limited = true
		return nil
	})
	if len(s.Guarded) > 0 {
		batch.Queue(queries.RowSecurity())
	}
	batch.Queue(sql).Query(func(r pgx.Rows) error {
		// A panic here would leave the connection in the middle of an answer.
		err = rescue.Catch(func() error {
			_, err := pgx.CollectRows(r, func(row pgx.CollectableRow) (none struct{}, err error) {
				return none, add(legible{row, s})
			})
			return err
		})
		rescue.Log(s.postgres.Logger, err, "datname", s.Database)
		return err
	})
	hidden := false
	if len(s.Guarded) > 0 {
		batch.Queue(queries.Visible(s.Guarded)).Query(func(r pgx.Rows) error {
			visible, err := pgx.CollectRows(r, pgx.RowTo[int64])
			hidden = len(visible) < len(s.Guarded)
			return err
		})
	}
	batch.Queue(queries.Commit())
	if err := s.conn.SendBatch(ctx, batch).Close(); err != nil {
		s.recover()
		if !limited && Code(err) == QueryCanceled {
			err = fmt.Errorf("%w: %w", errRoleTimeout, err)
		}
		return s.conn.info.Hide(err)
	}
	if hidden {
		return errHidden
	}
	return nil
}

// recover ends the transaction that an error left open: its COMMIT was skipped, and a pooler would discard the
// connection.
func (s *Session) recover() {
	if s.conn.IsClosed() || s.conn.PgConn().TxStatus() == 'I' {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), grace)
	defer cancel()
	if _, err := s.conn.Exec(ctx, queries.Rollback()); err != nil {
		_ = s.conn.Close(ctx) // it is discarded either way
	}
}

// Calm makes the connection usable again. If it is in the middle of an answer, that is impossible: it is
// closed, as if it had been lost.
func (s *Session) Calm() {
	if s.Broken() {
		return
	}
	if s.ahead.reading {
		s.ahead.reading = false
		s.abandon()
		return
	}
	if !s.conn.PgConn().IsBusy() {
		s.recover()
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), grace)
	defer cancel()
	_ = s.conn.Close(ctx) // it is discarded either way
}
