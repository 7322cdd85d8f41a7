package inspect

import (
	"context"
	"fmt"
	"time"

	"github.com/go-kit/log/level"
	"github.com/jackc/pgx/v5"

	"github.com/softdelete-exporter/softdelete_exporter/queries"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// grace is how much longer than the server's statement_timeout we wait for it.
const grace = time.Second

// session is the one connection of a pass to one database. It asks each question
// in a short guarded transaction of its own.
type session struct {
	conn  *pgx.Conn
	costs *softdelete.Costs
	// datname is the name by which the server knows the database.
	datname string
	// guard is the statement with the settings of every transaction.
	guard            string
	statementTimeout time.Duration
}

// open connects to a database, refuses a server that is too old, and settles the
// limits of this session.
func (i *Inspector) open(ctx context.Context, datname string) (*session, error) {
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	conn, err := i.dial(ctx, datname)
	if err != nil {
		return nil, err
	}
	s := &session{conn: conn, costs: i.costs, datname: conn.Config().Database, statementTimeout: i.config.Limits.StatementTimeout.Std()}
	lockTimeout := i.config.Limits.LockTimeout.Std()
	s.guard = queries.Settings(lockTimeout, s.statementTimeout)
	server, err := s.server(ctx)
	if err != nil {
		s.close()
		return nil, err
	}
	s.datname = server.Database
	// Deadlocks are broken by killing whoever finds them: if we waited longer than
	// deadlock_timeout, that could be a migration.
	if half := time.Duration(server.DeadlockTimeoutMs) * time.Millisecond / 2; half > 0 && half < lockTimeout {
		level.Warn(i.logger).Log("msg", "lock_timeout lowered to half of the server's deadlock_timeout", "datname", s.datname, "configured", lockTimeout, "used", half)
		s.guard = queries.Settings(half, s.statementTimeout)
	}
	return s, nil
}

// server is what queries.Server answers.
type server struct {
	Version           int
	VersionText       string
	Database          string
	DeadlockTimeoutMs int64
}

func (s *session) server(ctx context.Context) (server, error) {
	rows, err := query[server](ctx, s, queries.Server())
	if err != nil {
		return server{}, err
	}
	if rows[0].Version < oldest {
		return server{}, fmt.Errorf("PostgreSQL %s is too old: version 14 or newer is needed", rows[0].VersionText)
	}
	return rows[0], nil
}

func (s *session) close() { hangUp(s.conn) }

// broken tells that the connection is gone and no further question can be asked.
func (s *session) broken() bool { return s.conn.IsClosed() }

// query asks one question in a guarded read-only transaction, in one round trip,
// and returns its rows, their columns matched to T's fields by name.
func query[T any](ctx context.Context, s *session, sql string) (rows []T, err error) {
	ctx, cancel := context.WithTimeout(ctx, s.statementTimeout+grace)
	defer cancel()
	began := time.Now()
	defer func() { s.costs.Add(s.datname, time.Since(began), err) }()

	batch := &pgx.Batch{}
	batch.Queue(queries.Begin())
	batch.Queue(s.guard)
	batch.Queue(sql).Query(func(r pgx.Rows) error {
		rows, err = pgx.CollectRows(r, pgx.RowToStructByName[T])
		return err
	})
	batch.Queue(queries.Commit())
	if err := s.conn.SendBatch(ctx, batch).Close(); err != nil {
		s.recover()
		return nil, err
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
		s.close()
	}
}
