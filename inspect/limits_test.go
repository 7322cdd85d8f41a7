package inspect

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/go-kit/log"
	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/softdelete-exporter/softdelete_exporter/internal/pgserver"
	"github.com/softdelete-exporter/softdelete_exporter/internal/pgserver/pgtest"
	"github.com/softdelete-exporter/softdelete_exporter/postgres"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// saysWhy looks at a server that does not give the exporter what it needs: the problem of the database and the log
// must say why, and what to do.
func saysWhy(t *testing.T, i *Inspector, why, remedy string) {
	t.Helper()
	written := &bytes.Buffer{}
	i.Logger = log.NewLogfmtLogger(log.NewSyncWriter(written))
	if p := i.Ping(t.Context()); !p.Up {
		t.Errorf("ping: %s", p.Err)
	}
	d := first(t, i).Databases[0]
	if d.Problem == nil || !strings.Contains(d.Problem.Message, why) || !strings.Contains(d.Problem.Remedy, remedy) {
		t.Errorf("the problem is %+v, want %q and %q", d.Problem, why, remedy)
	}
	text := strings.ReplaceAll(written.String(), `\"`, `"`)
	if !strings.Contains(text, why) || !strings.Contains(text, "remedy=") || !strings.Contains(text, remedy) {
		t.Errorf("the log says\n%s", text)
	}
}

func TestALimitOfTheRoleIsSaidWithItsRemedy(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, set, why, remedy string
	}{
		{"one connection", `ALTER ROLE watcher CONNECTION LIMIT 1`, "too many connections for role",
			`ALTER ROLE watcher CONNECTION LIMIT 2;`},
		{"one connection to the database", `ALTER DATABASE watcher CONNECTION LIMIT 1`, "too many connections for database",
			"raise the connection limit of database"},
		{"no temporary file", `ALTER ROLE watcher SET temp_file_limit = 0; ALTER ROLE watcher SET work_mem = '64kB'`,
			"temporary file size exceeds temp_file_limit", "work_mem = '16MB'"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
			name, its := role(t, dsn)
			// So many names that a query of discovery does not fit into so little memory.
			var wide strings.Builder
			for n := range 1500 {
				fmt.Fprintf(&wide, ", %q int", fmt.Sprintf("a column of which the name is rather long: number %d", n))
			}
			pgtest.Exec(t, dsn, asRole(deletedAt("users")+"GRANT SELECT ON users TO watcher; CREATE TABLE wide (id int"+
				wide.String()+");"+test.set, name))
			i := inspector(t, its, "")
			saysWhy(t, i, test.why, asRole(test.remedy, name))
			pgtest.Exec(t, dsn,
				asRole(`ALTER ROLE watcher CONNECTION LIMIT 2; ALTER DATABASE watcher CONNECTION LIMIT -1;
					ALTER ROLE watcher SET work_mem = '16MB'`, name))
			if diff := cmp.Diff(map[string]string{"public.users": "10 4 3"}, told(first(t, i))); diff != "" {
				t.Errorf("with the remedy (-want +got):\n%s", diff)
			}
		})
	}
}

// The last connections of a server are reserved for superusers.
func TestAServerWithoutRoomIsSaid(t *testing.T) {
	t.Parallel()
	server := pgtest.Start(t, pgserver.Options{Settings: map[string]string{"shared_buffers": "2MB",
		"max_connections": "6", "superuser_reserved_connections": "3", "max_wal_senders": "0"}})
	pgtest.Exec(t, server.DSN("postgres", superuser),
		"CREATE ROLE watcher LOGIN IN ROLE pg_read_all_data;"+deletedAt("users"))
	its := server.DSN("postgres", "watcher")
	for range 2 {
		conn, err := pgx.Connect(t.Context(), its)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close(t.Context())
	}
	saysWhy(t, inspector(t, its, ""), "connection slots are reserved", "raise max_connections")
}

func TestWhatTheServerLacksIsSaid(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		err  pgconn.PgError
		want string
	}{
		{pgconn.PgError{Code: "53200", Message: "out of shared memory",
			Hint: "You might need to increase max_locks_per_transaction."},
			"You might need to increase max_locks_per_transaction"},
		{pgconn.PgError{Code: "53200", Message: "out of memory"}, "memory"},
		{pgconn.PgError{Code: "53100", Message: "could not extend file"}, "free disk space"},
		{pgconn.PgError{Code: "53300", Message: "sorry, too many clients already"}, "max_connections"},
		{pgconn.PgError{Code: "42883", Message: "operator does not exist",
			Hint: "You might need to add explicit type casts."}, ""},
	} {
		if got := postgres.Problem(fmt.Errorf("counting: %w", &test.err)); got.Reason != softdelete.OtherError ||
			!strings.Contains(got.Remedy, test.want) || (got.Remedy == "") != (test.want == "") {
			t.Errorf("%s: %+v, want the remedy %q", test.err.Message, got, test.want)
		}
	}
}
