package postgres

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/softdelete-exporter/softdelete_exporter/internal/pgserver/pgtest"
	"github.com/softdelete-exporter/softdelete_exporter/queries"
	"github.com/softdelete-exporter/softdelete_exporter/rescue"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// ways are the two ways in which a query is asked: when its answer is needed, and ahead.
var ways = map[string]func(*Session, string){
	"alone": func(*Session, string) {},
	"ahead": func(s *Session, sql string) { s.Ask(sql, nil) },
}

// value runs a query that returns one value.
func value[T any](t *testing.T, s *Session, sql string) T {
	t.Helper()
	rows, err := Query[struct{ Value T }](t.Context(), s, sql)
	if err != nil {
		t.Fatal(err)
	}
	return rows[0].Value
}

func TestNothingCanBeWritten(t *testing.T) {
	t.Parallel()
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	pgtest.Exec(t, dsn,
		"CREATE TABLE users AS SELECT i AS id, CASE WHEN i <= 4 THEN now() END AS deleted_at FROM generate_series(1, 10) i")
	s := newSession(t, dsn, usual)
	for _, statement := range []string{
		"DELETE FROM public.users RETURNING id AS value",
		"UPDATE public.users SET deleted_at = NULL RETURNING id AS value",
		"INSERT INTO public.users VALUES (0) RETURNING id AS value",
		"TRUNCATE public.users",
		"DROP TABLE public.users",
		"CREATE TABLE public.others (id int)",
	} {
		for way, ask := range ways {
			ask(s, statement)
			if _, err := Query[struct{ Value int }](t.Context(), s, statement); Code(err) != "25006" {
				t.Errorf("%s, %s: %v, want an error that the transaction is read-only", statement, way, err)
			}
		}
	}
	if got := pgtest.Value[int](t, dsn, "SELECT count(*) FROM users WHERE deleted_at IS NOT NULL"); got != 4 {
		t.Errorf("%d rows are deleted", got)
	}
}

// Our settings hold whatever the database's own settings are, and they are gone afterwards.
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
		pgtest.Exec(t, dsn, `ALTER DATABASE "`+pgtest.Value[string](t, dsn, "SELECT current_database()")+`" SET `+name+
			` = '`+setting+`'`)
	}
	s := newSession(t, dsn, Limits{LockTimeout: 150 * time.Millisecond, StatementTimeout: 2 * time.Second})
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
	for way, ask := range ways {
		ours := settings(func(name string) string {
			question := "SELECT current_setting('" + name + "') AS value"
			ask(s, question)
			return value[string](t, s, question)
		})
		if diff := cmp.Diff(want, ours); diff != "" {
			t.Errorf("in our transaction, asked %s (-want +got):\n%s", way, diff)
		}
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
	s := newSession(t, pgtest.NewDatabase(t, pgtest.Shared(t)), usual)
	const backend = "SELECT pg_backend_pid() AS value"
	before := value[int](t, s, backend)
	if _, err := Query[struct{ Value int }](t.Context(), s, "SELECT 1 / 0 AS value"); Code(err) != "22012" {
		t.Fatalf("err = %v", err)
	}
	if status := s.conn.PgConn().TxStatus(); status != 'I' {
		t.Errorf("after the error the transaction is in state %c", status)
	}
	if after := value[int](t, s, backend); after != before {
		t.Errorf("backend %d became %d", before, after)
	}
}

// If somebody else creates operators and sets the search path, we do not run those operators.
func TestNoOperatorOfAStrangerIsRun(t *testing.T) {
	t.Parallel()
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	pgtest.Exec(t, dsn, `CREATE SCHEMA stranger;
		CREATE FUNCTION stranger.same(text, text) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE 'a stranger''s code';
			END $$;
		CREATE OPERATOR stranger.= (LEFTARG = text, RIGHTARG = text, FUNCTION = stranger.same);
		ALTER DATABASE "`+pgtest.Value[string](t, dsn, "SELECT current_database()")+
		`" SET search_path = stranger, pg_catalog`)
	s := newSession(t, dsn, usual)
	if got := value[bool](t, s, "SELECT text 'a' = text 'a' AS value"); !got {
		t.Error("a is not a")
	}
}

// If a lost connection could not be reopened, further queries fail, and nothing else happens.
func TestAClosedSessionAnswersWithAnError(t *testing.T) {
	t.Parallel()
	s := newSession(t, pgtest.NewDatabase(t, pgtest.Shared(t)), usual)
	s.Close()
	if _, err := Query[struct{ Value int }](t.Context(), s, "SELECT 1 AS value"); !errors.Is(err, errClosed) {
		t.Errorf("it answers with %v", err)
	}
}

func TestAQuestionEndsByTheServersTimeout(t *testing.T) {
	t.Parallel()
	s := newSession(t, pgtest.NewDatabase(t, pgtest.Shared(t)),
		Limits{LockTimeout: 50 * time.Millisecond, StatementTimeout: 100 * time.Millisecond})
	_, err := Query[struct{ Value string }](t.Context(), s, "SELECT pg_sleep(9)::text AS value")
	if got := Problem(err).Reason; got != softdelete.TimedOut {
		t.Errorf("reason = %s: %v", got, err)
	}
	if s.Broken() {
		t.Error("the connection is gone")
	}
}

func TestAQuestionEndsWhenTheNetworkIsLost(t *testing.T) {
	t.Parallel()
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	front := pgtest.NewFront(t, dsn)
	s := newSession(t, front.DSN, Limits{LockTimeout: 50 * time.Millisecond, StatementTimeout: 100 * time.Millisecond})
	front.Behave(pgtest.Silent)
	began := time.Now()
	_, err := Query[struct{ Value int }](t.Context(), s, "SELECT 1 AS value")
	if got := Problem(err).Reason; got != softdelete.TimedOut {
		t.Errorf("reason = %s: %v", got, err)
	}
	if took := time.Since(began); took < time.Second || took > 30*time.Second {
		t.Errorf("took %s, want the statement's timeout and a second", took)
	}
	front.Behave(pgtest.Forwarding) // this also lets the driver clean up
}

// Otherwise the statement would continue on the server.
func TestAQuestionThatIsGivenUpIsCancelled(t *testing.T) {
	t.Parallel()
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	s := newSession(t, dsn, Limits{LockTimeout: time.Second, StatementTimeout: time.Minute})
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(100*time.Millisecond, cancel)
	if _, err := Query[struct{ Value string }](ctx, s, "SELECT pg_sleep(60)::text AS value"); err == nil {
		t.Fatal("it was not given up")
	}
	pgtest.WaitFor(t, "the statement to end", func() bool { return pgtest.Sessions(t, dsn) == 0 })
}

// Otherwise there would be one more connection for a moment, and CREATE DATABASE TEMPLATE would have to wait.
func TestAClosedSessionIsGoneAtOnce(t *testing.T) {
	t.Parallel()
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	i := newServer(t, dsn)
	observer := pgtest.Connect(t, dsn)
	for range 20 {
		s, err := i.Open(t.Context(), "", usual, nil)
		if err != nil {
			t.Fatal(err)
		}
		s.Close()
		var left int
		if err := observer.QueryRow(t.Context(), pgtest.OurSessions).Scan(&left); err != nil {
			t.Fatal(err)
		}
		if left != 0 {
			t.Fatal("the session is still there")
		}
	}
}

// bomb panics when it is read.
type bomb struct{}

// Scan implements sql.Scanner.
func (*bomb) Scan(any) error { panic("while a row is read") }

func TestAPanicAmidAnAnswerLeavesTheConnectionUsable(t *testing.T) {
	t.Parallel()
	s := newSession(t, pgtest.NewDatabase(t, pgtest.Shared(t)), usual)
	if _, err := Query[struct{ X bomb }](t.Context(), s,
		"SELECT i AS x FROM generate_series(1, 1000) i"); !rescue.Is(err) {
		t.Fatalf("the error is %v", err)
	}
	if _, err := Query[struct{ N int }](t.Context(), s, "SELECT 1 AS n"); err != nil {
		t.Error(err)
	}
	// This is in the middle of a transaction, and of an answer.
	if _, err := s.conn.Exec(t.Context(), queries.Begin()); err != nil {
		t.Fatal(err)
	}
	s.Calm()
	if s.Broken() || s.conn.PgConn().TxStatus() != 'I' {
		t.Error("the transaction goes on")
	}
	if _, err := s.conn.Query(t.Context(), "SELECT 1"); err != nil {
		t.Fatal(err)
	}
	s.Calm()
	if !s.Broken() {
		t.Error("the connection is not given up")
	}
}
