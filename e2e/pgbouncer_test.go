//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/softdelete-exporter/softdelete_exporter/inspect"
	"github.com/softdelete-exporter/softdelete_exporter/internal/exportertest"
	"github.com/softdelete-exporter/softdelete_exporter/internal/pgserver"
	"github.com/softdelete-exporter/softdelete_exporter/internal/pgserver/pgtest"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// pgbouncer starts a pooler in transaction mode with few connections per database. It returns a function that makes
// connection strings through it.
func pgbouncer(t *testing.T, server *pgserver.Server, connections int) func(database string) (dsn string) {
	t.Helper()
	// PgBouncer does not run as root, and must be able to read its files as another user.
	dir, err := os.MkdirTemp("", "pgbouncer-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := free.Addr().(*net.TCPAddr).Port
	free.Close()
	settings := filepath.Join(dir, "pgbouncer.ini")
	for file, text := range map[string]string{
		filepath.Join(dir, "users.txt"): `"postgres" ""`,
		settings: fmt.Sprintf(`[databases]
* = host=127.0.0.1 port=%d
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = %d
unix_socket_dir =
auth_type = trust
auth_file = %s/users.txt
pool_mode = transaction
default_pool_size = %d
`, server.Port, port, dir, connections),
	} {
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command("pgbouncer", "--quiet", settings)
	if os.Getuid() == 0 {
		cmd.Args = append(cmd.Args, "--user", "nobody")
	}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatalf("%v; scripts/tools.sh e2e installs it", err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt) // an error means that it has ended
		_ = cmd.Wait()
	})
	address := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
		if conn, err := net.Dial("tcp", address); err == nil {
			conn.Close()
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("PgBouncer does not listen")
		}
	}
	return func(database string) string {
		return fmt.Sprintf("postgres://postgres@%s/%s?sslmode=disable", address, database)
	}
}

// deleted runs a refresh and returns the deleted rows of each table, or its problem.
func deleted(ctx context.Context, i *inspect.Inspector, datname string) map[string]string {
	var last *softdelete.Snapshot
	i.Refresh(ctx, softdelete.Empty(datname), func(s *softdelete.Snapshot) { last = s })
	found := map[string]string{}
	for _, d := range last.Databases {
		for _, t := range d.Tables {
			switch name := d.Name + "." + t.Name; {
			case t.Problem != nil:
				found[name] = string(t.Problem.Reason)
			case t.Numbers != nil:
				found[name] = fmt.Sprint(t.Numbers.Deleted.Value)
			}
		}
	}
	return found
}

// The exporter shares one connection to the server with an application. It must neither break the connection nor
// leave anything behind in it.
func TestPgBouncerInTransactionMode(t *testing.T) {
	server := pgtest.Start(t, pgserver.Options{})
	direct := func(database string) string { return server.DSN(database, pgserver.Superuser) }
	pgtest.Exec(t, direct("postgres"), "CREATE DATABASE shop")
	for _, database := range []string{"postgres", "shop"} {
		pgtest.Exec(t, direct(database), `
			CREATE TABLE users AS SELECT CASE WHEN i <= 4 THEN now() END AS deleted_at FROM generate_series(1, 10) i;
			CREATE TABLE locked AS TABLE users; CREATE TABLE orders AS TABLE users`)
	}
	through := pgbouncer(t, server, 1)
	i := exportertest.NewInspector(t, through("postgres"), "databases: {all: true}")
	if p := i.Ping(t.Context()); !p.Up {
		t.Fatalf("ping: %s", p.Err)
	}
	const backend = "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' AND datname = " +
		"current_database() AND pid <> pg_backend_pid() AND query !~ 'LOCK TABLE'"
	before := pgtest.Value[int](t, direct("postgres"), backend)

	holder, err := pgx.Connect(t.Context(), direct("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	defer holder.Close(context.Background())
	if _, err := holder.Exec(t.Context(), "BEGIN; LOCK TABLE locked IN ACCESS EXCLUSIVE MODE"); err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"postgres.users": "4", "postgres.locked": "locked", "postgres.orders": "4",
		"shop.users": "4", "shop.locked": "4", "shop.orders": "4"}
	if diff := cmp.Diff(want, deleted(t.Context(), i, "postgres")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if p := i.Ping(t.Context()); !p.Up {
		t.Errorf("ping: %s", p.Err)
	}
	if after := pgtest.Value[int](t, direct("postgres"), backend); after != before {
		t.Errorf("the pool's connection %d became %d: an error cost it", before, after)
	}

	application, err := pgx.Connect(t.Context(), through("postgres")+"&default_query_exec_mode=simple_protocol")
	if err != nil {
		t.Fatal(err)
	}
	defer application.Close(context.Background())
	for setting, want := range map[string]string{"lock_timeout": "0", "statement_timeout": "0", "row_security": "on",
		"search_path": `"$user", public`, "transaction_read_only": "off"} {
		var got string
		if err := application.QueryRow(t.Context(), "SHOW "+setting).Scan(&got); err != nil || got != want {
			t.Errorf("the application meets %s = %q, %v", setting, got, err)
		}
	}
}

// Parameters that libpq handles itself, or that the exporter does not need, are not sent: the pooler would refuse
// them.
func TestPgBouncerIsSentNoParameterThatItRefuses(t *testing.T) {
	server := pgtest.Shared(t)
	dsn := pgtest.NewDatabase(t, server)
	through := pgbouncer(t, server, 3)(exportertest.Database(t, dsn))
	i := exportertest.NewInspector(t, through+
		"&keepalives=1&tcp_user_timeout=1&gssencmode=prefer&fallback_application_name=x"+
		"&client_encoding=LATIN1&krbsrvname=x&load_balance_hosts=random", "ping: {timeout: 10s}")
	if p := i.Ping(t.Context()); !p.Up {
		t.Errorf("ping: %s", p.Err)
	}
	// A requested parameter is sent, and the pooler's answer is shown.
	i = exportertest.NewInspector(t, through+"&options=-c%20geqo%3Doff", "ping: {timeout: 10s}")
	if p := i.Ping(t.Context()); p.Up || !strings.Contains(p.Err, "options") {
		t.Errorf("up %t: %s", p.Up, p.Err)
	}
}

// Without care, a named statement would be looked up in another connection.
func TestPgBouncerUnderLoad(t *testing.T) {
	server := pgtest.Shared(t)
	dsn := pgtest.NewDatabase(t, server)
	pgtest.Exec(t, dsn,
		`CREATE TABLE users AS SELECT CASE WHEN i <= 4 THEN now() END AS deleted_at FROM generate_series(1, 10) i;
			CREATE TABLE orders AS TABLE users`)
	datname := exportertest.Database(t, dsn)
	through := pgbouncer(t, server, 3)(datname)
	want := map[string]string{datname + ".users": "4", datname + ".orders": "4"}
	var running sync.WaitGroup
	for range 8 {
		i := exportertest.NewInspector(t, through, "ping: {timeout: 1m}\nlimits: {statement_timeout: 10s}")
		running.Go(func() {
			for range 10 {
				if diff := cmp.Diff(want, deleted(t.Context(), i, datname)); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
				if p := i.Ping(t.Context()); !p.Up {
					t.Errorf("ping: %s", p.Err)
				}
			}
		})
	}
	running.Wait()
}

// Many counts are under way at once over the pool's only connection. An application gets its turns all the same, and
// meets nothing of ours.
func TestPgBouncerGivesOthersTheirTurns(t *testing.T) {
	server := pgtest.Start(t, pgserver.Options{Settings: map[string]string{"max_locks_per_transaction": "256"}})
	dsn := server.DSN("postgres", pgserver.Superuser)
	const tables, locked = 500, 40
	pgtest.Exec(t, dsn, fmt.Sprintf(`DO $$ BEGIN FOR n IN 1..%d LOOP EXECUTE format('CREATE TABLE t%%s AS
		SELECT CASE WHEN i <= 4 THEN now() END AS deleted_at FROM generate_series(1, 10) i', n); END LOOP; END $$`, tables))
	holder, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer holder.Close(context.Background())
	want := map[string]string{}
	for n := range tables {
		want[fmt.Sprintf("postgres.t%d", n+1)] = "4"
	}
	lock := "BEGIN"
	for n := range locked {
		lock += fmt.Sprintf("; LOCK TABLE t%d IN ACCESS EXCLUSIVE MODE", 2*n+1)
		want[fmt.Sprintf("postgres.t%d", 2*n+1)] = "locked"
	}
	if _, err := holder.PgConn().Exec(t.Context(), lock).ReadAll(); err != nil {
		t.Fatal(err)
	}
	through := pgbouncer(t, server, 1)("postgres")
	i := exportertest.NewInspector(t, through, "ping: {timeout: 1m}\nlimits: {statement_timeout: 20s}")
	ctx, stop := context.WithCancel(t.Context())
	var running sync.WaitGroup
	var mu sync.Mutex
	var longest time.Duration
	for range 3 {
		application, err := pgx.Connect(t.Context(), through+"&default_query_exec_mode=simple_protocol")
		if err != nil {
			t.Fatal(err)
		}
		running.Go(func() {
			defer application.Close(context.Background())
			for ctx.Err() == nil {
				began := time.Now()
				var got string
				if err := application.QueryRow(context.Background(), `SELECT concat_ws(' ', current_setting('lock_timeout'),
					current_setting('statement_timeout'), current_setting('row_security'), current_setting('search_path'),
					current_setting('transaction_read_only'))`).Scan(&got); err != nil || got != `0 0 on "$user", public off` {
					t.Errorf("the application meets %s, %v", got, err)
					return
				}
				mu.Lock()
				longest = max(longest, time.Since(began))
				mu.Unlock()
			}
		})
	}
	if diff := cmp.Diff(want, deleted(t.Context(), i, "postgres")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	stop()
	running.Wait()
	t.Logf("the application waited at most %s", longest)
	if longest > locked*100*time.Millisecond*3/4 {
		t.Errorf("the application waited %s for its turn", longest)
	}
}
