//go:build unix

package pgtest

import (
	"context"
	"regexp"
	"sync"

	"github.com/jackc/pgx/v5"
)

// ApplicationName is the name of the sessions that Exec and Value keep. After each statement, such a session is
// reset and its statistics are flushed.
const ApplicationName = "pgtest"

// kept maps the DSN of each database that keeps a connection to that connection, or to nil while none is free. Without
// it, tests would spend most of their time on starting a process for each statement.
var kept = struct {
	sync.Mutex
	conns map[string]*pgx.Conn
}{conns: map[string]*pgx.Conn{}}

// lasting matches statements that change how new sessions start, but not sessions that are already open.
var lasting = regexp.MustCompile(`(?i)\bALTER\s+(DATABASE|ROLE|SYSTEM)\b`)

// keep makes Exec and Value keep a connection to a database.
func keep(dsn string) {
	kept.Lock()
	defer kept.Unlock()
	kept.conns[dsn] = nil
}

// forget makes Exec and Value keep no connection to a database any more, and closes the kept one.
func forget(dsn string) {
	kept.Lock()
	conn := kept.conns[dsn]
	delete(kept.conns, dsn)
	kept.Unlock()
	if conn != nil {
		conn.Close(context.Background())
	}
}

// borrow returns a connection to a database, the kept one if it is free.
func borrow(ctx context.Context, dsn string) (*pgx.Conn, error) {
	kept.Lock()
	conn, known := kept.conns[dsn]
	if conn != nil {
		kept.conns[dsn] = nil
	}
	kept.Unlock()
	if conn != nil {
		if conn.Ping(ctx) == nil { // a test may have ended it
			return conn, nil
		}
		conn.Close(ctx)
	}
	config, err := pgx.ParseConfig(dsn)
	if err != nil {
		return nil, err
	}
	if known {
		config.RuntimeParams["application_name"] = ApplicationName
		config.DefaultQueryExecMode = pgx.QueryExecModeDescribeExec // prepared statements are discarded
	}
	return pgx.ConnectConfig(ctx, config)
}

// giveBack keeps a connection for the next statement; it returns false if the connection must be closed.
func giveBack(ctx context.Context, dsn, sql string, conn *pgx.Conn) bool {
	if conn.PgConn().TxStatus() != 'I' || lasting.MatchString(sql) {
		return false
	}
	kept.Lock()
	_, known := kept.conns[dsn]
	kept.Unlock()
	if !known {
		return false
	}
	for _, renew := range []string{"DISCARD ALL", "SELECT pg_stat_force_next_flush()"} {
		if _, err := conn.PgConn().Exec(ctx, renew).ReadAll(); err != nil {
			return false
		}
	}
	kept.Lock()
	defer kept.Unlock()
	if other, known := kept.conns[dsn]; !known || other != nil {
		return false
	}
	kept.conns[dsn] = conn
	return true
}
