package inspect

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

// session is the one connection of a pass, to one database. It asks each question
// in a short guarded transaction of its own.
type session struct {
	server
	inspector *Inspector
	conn      *link
	// guard is the statement with the settings of every transaction; brief that of those
	// for which we do not wait long, proving of those that ask for contradictions.
	guard, brief, proving string
	statementTimeout      time.Duration
	// escaped are the texts that are not as the database has them.
	escaped map[string]bool
}

// server is what queries.Server answers.
type server struct {
	Version     int
	VersionText string
	// Database and Role are the names by which the server knows where and who we are.
	Database, Role    string
	DeadlockTimeoutMs int64
	Standby           bool
	Citus, Timescale  bool
}

// open connects to a database, of which an empty name is the connection string's
// own, refuses a server that is too old, and settles the limits of the session.
func (p *pass) open(ctx context.Context, datname string) (*session, error) {
	if p.unnamed[datname] {
		return nil, errUnnamed
	}
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	conn, err := p.dial(ctx, datname)
	if err != nil {
		return nil, err
	}
	lockTimeout, statementTimeout := p.config.Limits.LockTimeout.Std(), p.config.Limits.StatementTimeout.Std()
	s := &session{inspector: p.Inspector, conn: conn, statementTimeout: statementTimeout, escaped: map[string]bool{}}
	opened := false
	defer func() {
		if !opened {
			s.close()
		}
	}()
	s.guardBy(lockTimeout)
	s.Database = conn.Config().Database
	rows, err := query[server](ctx, s, queries.Server())
	switch {
	case err != nil:
		err = fmt.Errorf("asking what server it is: %w", err)
	case rows[0].Version < oldest:
		err = fmt.Errorf("PostgreSQL %s is too old: version 14 or newer is needed", rows[0].VersionText)
	}
	if err != nil {
		return nil, err
	}
	s.server = rows[0]
	// Deadlocks are broken by killing whoever finds them: if we waited longer than
	// deadlock_timeout, that could be a migration.
	if half := time.Duration(s.DeadlockTimeoutMs) * time.Millisecond / 2; half > 0 && half < lockTimeout {
		level.Warn(p.Logger).Log("msg", "lock_timeout lowered to half of the server's deadlock_timeout", "datname", s.Database, "configured", lockTimeout, "used", half)
		s.guardBy(half)
	}
	opened = true
	return s, nil
}

// briefTimeout bounds the questions that an index answers at once, or not at all.
const briefTimeout = 200 * time.Millisecond

// guardBy settles the limits of every transaction.
func (s *session) guardBy(lockTimeout time.Duration) {
	s.guard = queries.Settings(lockTimeout, s.statementTimeout, false)
	s.brief = queries.Settings(lockTimeout, min(briefTimeout, s.statementTimeout), false)
	s.proving = queries.Settings(lockTimeout, s.statementTimeout, true)
}

// close ends the session.
func (s *session) close() {
	if s.conn != nil {
		s.inspector.hangUp(s.conn)
		s.conn = nil
	}
}

// broken tells that the connection is gone and no further question can be asked.
func (s *session) broken() bool { return s.conn == nil || s.conn.IsClosed() }

// query asks one question in a guarded read-only transaction, in one round trip,
// and returns its rows, their columns matched to T's fields by name.
func query[T any](ctx context.Context, s *session, sql string) ([]T, error) {
	return ask[T](ctx, s, s.guard, sql)
}

// errHurried tells that a statement_timeout that is not ours ended a transaction before
// it had its guard.
var errHurried = errors.New("the statement_timeout of the role ends even the shortest statement")

// ask is query under the given guard.
func ask[T any](ctx context.Context, s *session, guard, sql string) (rows []T, err error) {
	ctx, cancel := context.WithTimeout(ctx, s.statementTimeout+grace)
	defer cancel()
	began := time.Now()
	defer func() { s.inspector.Costs.Add(s.Database, time.Since(began), err) }()

	guarded := false
	batch := &pgx.Batch{}
	batch.Queue(queries.Begin())
	batch.Queue(guard).Exec(func(pgconn.CommandTag) error {
		guarded = true
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
		rescue.Log(s.inspector.Logger, err, "datname", s.Database)
		return err
	})
	batch.Queue(queries.Commit())
	if err := s.conn.SendBatch(ctx, batch).Close(); err != nil {
		s.recover()
		if !guarded && code(err) == queryCanceled {
			err = fmt.Errorf("%w: %w", errHurried, err)
		}
		return nil, s.conn.info.Hide(err)
	}
	return rows, nil
}

// recover ends the transaction that an error left open: the COMMIT behind it was
// skipped, and a pooler would throw the connection away.
func (s *session) recover() {
	if s.conn.IsClosed() || s.conn.PgConn().TxStatus() == 'I' {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), grace)
	defer cancel()
	if _, err := s.conn.Exec(ctx, queries.Rollback()); err != nil {
		_ = s.conn.Close(ctx) // it is given up either way
	}
}
