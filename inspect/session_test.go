package inspect

import (
	"context"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/softdelete-exporter/softdelete_exporter/internal/pgserver"
	"github.com/softdelete-exporter/softdelete_exporter/internal/pgserver/pgtest"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// newSession opens a session to the database of a connection string.
func newSession(t *testing.T, dsn, text string) *session {
	t.Helper()
	s, err := inspector(t, dsn, text).newPass(&softdelete.Snapshot{}, nil).open(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.close)
	return s
}

// value asks one question with one answer.
func value[T any](t *testing.T, s *session, sql string) T {
	t.Helper()
	rows, err := query[struct{ Value T }](t.Context(), s, sql)
	if err != nil {
		t.Fatal(err)
	}
	return rows[0].Value
}

func TestNothingCanBeWritten(t *testing.T) {
	t.Parallel()
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	pgtest.Exec(t, dsn, deletedAt("users"))
	s := newSession(t, dsn, "")
	for _, statement := range []string{
		"DELETE FROM public.users RETURNING id AS value",
		"UPDATE public.users SET deleted_at = NULL RETURNING id AS value",
		"INSERT INTO public.users VALUES (0) RETURNING id AS value",
		"TRUNCATE public.users",
		"DROP TABLE public.users",
		"CREATE TABLE public.others (id int)",
	} {
		if _, err := query[struct{ Value int }](t.Context(), s, statement); code(err) != "25006" {
			t.Errorf("%s: %v, want an error that the transaction is read-only", statement, err)
		}
	}
	if got := pgtest.Value[int](t, dsn, "SELECT count(*) FROM users WHERE deleted_at IS NOT NULL"); got != 4 {
		t.Errorf("%d rows are deleted", got)
	}
}

// Whatever the database's own settings are, ours hold, and they are gone afterwards.
func TestEveryQuestionIsGuarded(t *testing.T) {
	t.Parallel()
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	others := map[string]string{
		"default_transaction_isolation":       "serializable",
		"lock_timeout":                        "7s",
		"statement_timeout":                   "8s",
		"idle_in_transaction_session_timeout": "9s",
		"jit":                                 "on",
		"max_parallel_workers_per_gather":     "3",
		"enable_tidscan":                      "off",
		"row_security":                        "on",
		"search_path":                         "$user",
		"enable_seqscan":                      "off",
		"enable_indexonlyscan":                "off",
		"standard_conforming_strings":         "off",
		"quote_all_identifiers":               "on",
		"DateStyle":                           "SQL, DMY",
		"IntervalStyle":                       "iso_8601",
		"TimeZone":                            "America/St_Johns",
		"extra_float_digits":                  "-15",
		"bytea_output":                        "escape",
	}
	for name, setting := range others {
		pgtest.Exec(t, dsn, `ALTER DATABASE "`+database(t, dsn)+`" SET `+name+` = '`+setting+`'`)
	}
	s := newSession(t, dsn, "limits: {lock_timeout: 150ms, statement_timeout: 2s}")
	settings := func(ask func(name string) string) map[string]string {
		all := map[string]string{}
		for name := range others {
			all[strings.TrimPrefix(name, "default_")] = ask(strings.TrimPrefix(name, "default_"))
		}
		return all
	}
	want := map[string]string{
		"transaction_isolation":               "read committed",
		"lock_timeout":                        "150ms",
		"statement_timeout":                   "2s",
		"idle_in_transaction_session_timeout": "5s",
		"jit":                                 "off",
		"max_parallel_workers_per_gather":     "0",
		"enable_tidscan":                      "on",
		"row_security":                        "off",
		"search_path":                         "pg_catalog",
		"enable_seqscan":                      "on",
		"enable_indexonlyscan":                "on",
		"standard_conforming_strings":         "on",
		"quote_all_identifiers":               "off",
		"DateStyle":                           "ISO, MDY",
		"IntervalStyle":                       "postgres",
		"TimeZone":                            "UTC",
		"extra_float_digits":                  "1",
		"bytea_output":                        "hex",
	}
	ours := settings(func(name string) string {
		return value[string](t, s, "SELECT current_setting('"+name+"') AS value")
	})
	if diff := cmp.Diff(want, ours); diff != "" {
		t.Errorf("in our transaction (-want +got):\n%s", diff)
	}
	after := settings(func(name string) (setting string) {
		if err := s.conn.QueryRow(t.Context(), "SHOW "+name).Scan(&setting); err != nil {
			t.Fatal(err)
		}
		return setting
	})
	others["transaction_isolation"] = others["default_transaction_isolation"]
	delete(others, "default_transaction_isolation")
	others["search_path"] = `"$user"`
	if diff := cmp.Diff(others, after); diff != "" {
		t.Errorf("after our transaction (-want +got):\n%s", diff)
	}
}

func TestAnErrorDoesNotCostTheConnection(t *testing.T) {
	t.Parallel()
	s := newSession(t, pgtest.NewDatabase(t, pgtest.Shared(t)), "")
	const backend = "SELECT pg_backend_pid() AS value"
	before := value[int](t, s, backend)
	if _, err := query[struct{ Value int }](t.Context(), s, "SELECT 1 / 0 AS value"); code(err) != "22012" {
		t.Fatalf("err = %v", err)
	}
	if status := s.conn.PgConn().TxStatus(); status != 'I' {
		t.Errorf("after the error the transaction is in state %c", status)
	}
	if after := value[int](t, s, backend); after != before {
		t.Errorf("backend %d became %d", before, after)
	}
}

func TestAQuestionEndsByTheServersTimeout(t *testing.T) {
	t.Parallel()
	s := newSession(t, pgtest.NewDatabase(t, pgtest.Shared(t)), "limits: {lock_timeout: 50ms, statement_timeout: 100ms}")
	_, err := query[struct{ Value string }](t.Context(), s, "SELECT pg_sleep(9)::text AS value")
	if got := problem(err).Reason; got != softdelete.TimedOut {
		t.Errorf("reason = %s: %v", got, err)
	}
	if s.broken() {
		t.Error("the connection is gone")
	}
}

func TestAQuestionEndsWhenTheNetworkIsLost(t *testing.T) {
	t.Parallel()
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	front := pgtest.NewFront(t, dsn)
	s := newSession(t, front.DSN, "limits: {lock_timeout: 50ms, statement_timeout: 100ms}")
	front.Behave(pgtest.Silent)
	began := time.Now()
	_, err := query[struct{ Value int }](t.Context(), s, "SELECT 1 AS value")
	if got := problem(err).Reason; got != softdelete.TimedOut {
		t.Errorf("reason = %s: %v", got, err)
	}
	if took := time.Since(began); took < time.Second || took > 30*time.Second {
		t.Errorf("took %s, want the statement's timeout and a second", took)
	}
	front.Behave(pgtest.Forwarding) // which also lets the driver clean up
}

// A statement that outlives its asker would go on in the server.
func TestAQuestionThatIsGivenUpIsCancelled(t *testing.T) {
	t.Parallel()
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	s := newSession(t, dsn, "limits: {statement_timeout: 60s}")
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(100*time.Millisecond, cancel)
	if _, err := query[struct{ Value string }](ctx, s, "SELECT pg_sleep(60)::text AS value"); err == nil {
		t.Fatal("it was not given up")
	}
	waitFor(t, "the statement to end", func() bool { return sessions(t, dsn) == 0 })
}

// Else there would be a connection more for a moment, and CREATE DATABASE TEMPLATE
// would have to wait.
func TestAClosedSessionIsGoneAtOnce(t *testing.T) {
	t.Parallel()
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	i := inspector(t, dsn, "")
	observer := connected(t, dsn)
	for range 20 {
		s, err := i.newPass(&softdelete.Snapshot{}, nil).open(t.Context(), "")
		if err != nil {
			t.Fatal(err)
		}
		s.close()
		var left int
		if err := observer.QueryRow(t.Context(), ourSessions).Scan(&left); err != nil {
			t.Fatal(err)
		}
		if left != 0 {
			t.Fatal("the session is still there")
		}
	}
}

// A DBA who sees a statement must know whose it is.
func TestEveryStatementSaysWhoseItIs(t *testing.T) {
	t.Parallel()
	server := pgtest.Start(t, pgserver.Options{Settings: map[string]string{"log_statement": "all", "log_line_prefix": "%a|"}})
	dsn := server.DSN("postgres", superuser)
	pgtest.Exec(t, dsn, deletedAt("users")+"CREATE ROLE watcher;"+distributed+likeCitus+likeTimescale+parted(superuser)+deletedAt("locked"))
	i := inspector(t, dsn+"&application_name=other", "databases: {all: true}")
	if p := i.Ping(t.Context()); !p.Up {
		t.Fatal(p.Err)
	}
	m := newMigration(t, dsn)
	m.do("BEGIN; LOCK TABLE locked IN ACCESS EXCLUSIVE MODE")
	if got := told(first(t, i))["public.locked"]; got != "locked" {
		t.Errorf("locked is %q", got)
	}
	if _, err := i.Grants(t.Context(), "watcher"); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(server.LogPath)
	if err != nil {
		t.Fatal(err)
	}
	statements := 0
	for line := range strings.Lines(string(text)) {
		application, rest, _ := strings.Cut(line, "|LOG:  ")
		_, statement, found := strings.Cut(rest, ": ")
		if !found || !strings.HasPrefix(rest, "statement: ") && !strings.HasPrefix(rest, "execute ") {
			continue
		}
		if application == "other" {
			t.Errorf("without our name: %s", statement)
		}
		if application == "softdelete_exporter" {
			statements++
			if !strings.HasPrefix(statement, "/* softdelete_exporter */ ") {
				t.Errorf("without our comment: %s", statement)
			}
		}
	}
	if statements < 30 {
		t.Errorf("%d statements were logged", statements)
	}
}
