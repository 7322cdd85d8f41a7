//go:build unix

package main

import (
	"context"
	_ "embed"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

//go:embed workload.sql
var workload string

// pace is the time from one step of the workload to the next.
const pace = 250 * time.Millisecond

// step is one statement of the workload and what it stands for.
type step struct{ name, sql string }

// steps are the sections of workload.sql.
func steps() []step {
	var all []step
	for _, section := range strings.Split(workload, "-- step: ")[1:] {
		name, sql, _ := strings.Cut(section, "\n")
		all = append(all, step{name, sql})
	}
	return all
}

// work runs the workload until the context ends. It reports a step that fails and skips it: a user of the demo may
// lock a table or end a session to see how the exporter reacts.
func work(ctx context.Context, dsn string, tell func(error)) {
	var conn *pgx.Conn
	defer func() {
		if conn != nil {
			conn.Close(context.WithoutCancel(ctx))
		}
	}()
	tick := time.NewTicker(pace)
	defer tick.Stop()
	all := steps()
	for i := 0; ; i = (i + 1) % len(all) {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		var err error
		if conn == nil || conn.IsClosed() {
			conn, err = connect(ctx, dsn)
		}
		if err == nil {
			_, err = conn.Exec(ctx, all[i].sql, pgx.QueryExecModeSimpleProtocol)
		}
		if err != nil && ctx.Err() == nil {
			tell(fmt.Errorf("the workload skipped %q: %w", all[i].name, err))
		}
	}
}

// connect opens the workload's session, which never waits long for a lock.
func connect(ctx context.Context, dsn string) (*pgx.Conn, error) {
	config, err := pgx.ParseConfig(dsn)
	if err != nil {
		return nil, err
	}
	config.RuntimeParams["application_name"] = "demo workload"
	config.RuntimeParams["lock_timeout"] = "1s"
	config.ConnectTimeout = 5 * time.Second
	return pgx.ConnectConfig(ctx, config)
}
