//go:build unix

package pgtest

import (
	"context"
	"regexp"
	"sync"

	"github.com/jackc/pgx/v5"
)

// ApplicationName is that of the sessions that Exec and Value keep. One is as good as
// new before each statement, and has handed over its counters after it.
const ApplicationName = "pgtest"

// kept are the databases to which a connection is kept, each with it while nobody uses
// it: to start a process for every statement is what tests would spend most on.
var kept = struct {
	sync.Mutex
	conns map[string]*pgx.Conn
}{conns: map[string]*pgx.Conn{}}

// lasting finds statements after which a session that began before them is not as good as
// a new one.
var lasting = regexp.MustCompile(`(?i)\bALTER\s+(DATABASE|ROLE|SYSTEM)\b`)

// keep lets a connection to a database be kept.
func keep(dsn string) {
	kept.Lock()
	defer kept.Unlock()
	kept.conns[dsn] = nil
}

// forget ends that.
func forget(dsn string) {
	kept.Lock()
	conn := kept.conns[dsn]
	delete(kept.conns, dsn)
	kept.Unlock()
	if conn != nil {
		conn.Close(context.Background())
	}
}

// borrow is a connection to a database, the kept one if it is free.
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
		config.DefaultQueryExecMode = pgx.QueryExecModeDescribeExec // what is prepared is discarded
	}
	return pgx.ConnectConfig(ctx, config)
}

// giveBack keeps a connection for the next statement; false if it is to be closed.
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
