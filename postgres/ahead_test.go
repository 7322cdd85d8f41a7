package postgres

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/softdelete-exporter/softdelete_exporter/internal/pgserver/pgtest"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// number is the answer of most questions here.
type number struct{ N int }

// The questions between a lock and a failure are answered, in whatever order their answers are wanted, and so is one
// that was not asked ahead.
func TestAnErrorConcernsOnlyTheQuestionItself(t *testing.T) {
	t.Parallel()
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	pgtest.Exec(t, dsn, "CREATE TABLE locked (id int)")
	holder := pgtest.Connect(t, dsn)
	if _, err := holder.Exec(t.Context(), "BEGIN; LOCK TABLE locked IN ACCESS EXCLUSIVE MODE"); err != nil {
		t.Fatal(err)
	}
	s := newSession(t, dsn, usual)
	backend := value[int](t, s, "SELECT pg_backend_pid() AS value")
	questions := []string{"SELECT 1 AS n", "SELECT count(*) AS n FROM public.locked", "SELECT 2 AS n", "SELECT 1 / 0 AS n",
		"SELECT", "SELECT no_column AS n", "SELECT 'x' AS n", "an error", "SELECT 3 AS n"}
	codes := []string{"", "55P03", "", "22012", "", "42703", "", "42601", ""}
	for _, q := range questions {
		s.Ask(q, nil)
	}
	if got := value[int](t, s, "SELECT pg_backend_pid() AS value"); got != backend {
		t.Errorf("backend %d became %d", backend, got)
	}
	for i := len(questions) - 1; i >= 0; i-- {
		rows, err := Query[number](t.Context(), s, questions[i])
		if Code(err) != codes[i] {
			t.Errorf("%s: %v, want %q", questions[i], err, codes[i])
		}
		if want, found := strings.CutPrefix(questions[i], "SELECT "); found && len(want) == len("1 AS n") &&
			(len(rows) != 1 || fmt.Sprint(rows[0].N) != want[:1]) {
			t.Errorf("%s: %v, %v", questions[i], rows, err)
		}
	}
	if status := s.conn.PgConn().TxStatus(); status != 'I' || s.Broken() {
		t.Errorf("the transaction is in state %c, the connection broken: %t", status, s.Broken())
	}
	// An answer is for one question.
	pgtest.Exec(t, dsn, "CREATE TABLE growing (id int)")
	const size = "SELECT count(*) AS n FROM public.growing"
	s.Ask(size, nil)
	s.receiveAll(t.Context())
	pgtest.Exec(t, dsn, "INSERT INTO growing VALUES (1)")
	for want := range 2 {
		if rows, err := Query[number](t.Context(), s, size); err != nil || rows[0].N != want {
			t.Errorf("asked again: %v, %v", rows, err)
		}
	}
}

// Each question is a transaction of its own: it keeps no lock while the next one runs, and leaves no
// setting behind.
func TestQuestionsThatAreAskedAheadShareNothing(t *testing.T) {
	t.Parallel()
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	pgtest.Exec(t, dsn, "CREATE TABLE a (id int)")
	s := newSession(t, dsn, usual)
	const locks = "SELECT count(*) AS n FROM pg_locks WHERE pid = pg_backend_pid() AND relation = 'public.a'::regclass"
	s.Ask("SELECT count(*) AS n FROM public.a", nil)
	s.Ask(locks, nil)
	if rows, err := Query[number](t.Context(), s, locks); err != nil || rows[0].N != 0 {
		t.Errorf("locks of the question before: %v, %v", rows, err)
	}
	var timeout string
	if err := s.conn.QueryRow(t.Context(), "SHOW statement_timeout").Scan(&timeout); err != nil || timeout != "0" {
		t.Errorf("statement_timeout is still %s, %v", timeout, err)
	}
	if status := s.conn.PgConn().TxStatus(); status != 'I' {
		t.Errorf("the transaction is in state %c", status)
	}
}

// PostgreSQL splits a message into statements before it runs the first.
func TestStringsAreReadInWhateverWayTheRoleReadsThem(t *testing.T) {
	t.Parallel()
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	pgtest.Exec(t, dsn, `CREATE TABLE guarded (id int); ALTER TABLE guarded ENABLE ROW LEVEL SECURITY;
		CREATE POLICY everybody ON guarded USING (true); INSERT INTO guarded VALUES (1)`)
	name := pgtest.Value[string](t, dsn, "SELECT current_database()")
	pgtest.Exec(t, dsn, fmt.Sprintf(`CREATE ROLE %q LOGIN; GRANT SELECT ON guarded TO %[1]q;
		ALTER ROLE %[1]q SET standard_conforming_strings = off; ALTER ROLE %[1]q SET backslash_quote = off`, name))
	t.Cleanup(func() { pgtest.Exec(t, dsn, fmt.Sprintf(`DROP OWNED BY %[1]q; DROP ROLE %[1]q`, name)) })
	s := newSession(t, strings.Replace(dsn, "postgres@", name+"@", 1), usual)
	oid := pgtest.Value[uint32](t, dsn, "SELECT 'guarded'::regclass::oid")
	const question = "SELECT count(*) AS n FROM public.guarded"
	s.Ask(question, []uint32{oid})
	s.receiveAll(t.Context())
	s.Guarded = []uint32{oid}
	if rows, err := Query[number](t.Context(), s, question); err != nil || rows[0].N != 1 {
		t.Errorf("behind a policy that hides nothing: %v, %v", rows, err)
	}
	pgtest.Exec(t, dsn, "ALTER POLICY everybody ON guarded USING (id > 1)")
	s.Ask(question, []uint32{oid})
	if rows, err := Query[number](t.Context(), s, question); err == nil || err.Error() != errHidden.Error() {
		t.Errorf("behind a policy that hides rows: %v, %v", rows, err)
	}
	s.Guarded = nil
	s.Ask(question, nil)
	if _, err := Query[number](t.Context(), s, question); Problem(err).Reason != softdelete.RowSecurity {
		t.Errorf("with row_security off: %v", err)
	}
}

// Neither side waits for the other: the server cannot send its first answer while nobody reads, and we could not send
// the next question while it does not read.
func TestLongQuestionsAndLongAnswersPassEachOther(t *testing.T) {
	t.Parallel()
	s := newSession(t, pgtest.NewDatabase(t, pgtest.Shared(t)),
		Limits{LockTimeout: time.Second, StatementTimeout: 20 * time.Minute})
	const size = 8 << 20
	questions := make([]string, 6)
	for i := range questions {
		questions[i] = fmt.Sprintf("SELECT repeat('%d', %d) AS value /* %s */", i, size, strings.Repeat("x", size))
	}
	for _, q := range questions {
		s.Ask(q, nil)
	}
	for i, q := range questions {
		rows, err := Query[struct{ Value string }](t.Context(), s, q)
		if err != nil || len(rows[0].Value) != size || rows[0].Value[0] != byte('0'+i) {
			t.Fatalf("question %d: %v", i, err)
		}
	}
}

// What is under way when the caller leaves would otherwise run on, one question after another.
func TestQuestionsThatAreGivenUpAreCancelled(t *testing.T) {
	t.Parallel()
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	s := newSession(t, dsn, Limits{LockTimeout: time.Second, StatementTimeout: 20 * time.Minute})
	ctx, cancel := context.WithCancel(t.Context())
	for n := range 10 {
		s.Ask(fmt.Sprintf("SELECT pg_sleep(600)::text AS value, %d AS n", n), nil)
	}
	pgtest.WaitFor(t, "the first to run", func() bool {
		return pgtest.Value[int](t, dsn, `SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'
			AND application_name = 'softdelete_exporter' AND datname = current_database()`) == 1
	})
	cancel()
	if _, err := Query[struct {
		Value string
		N     int
	}](ctx, s, "SELECT pg_sleep(600)::text AS value, 0 AS n"); err == nil || !s.Broken() {
		t.Fatalf("it was not given up: %v", err)
	}
	pgtest.WaitFor(t, "the statements to end", func() bool { return pgtest.Sessions(t, dsn) == 0 })
}

func TestQuestionsAskedAheadEndByTheTimeouts(t *testing.T) {
	t.Parallel()
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	front := pgtest.NewFront(t, dsn)
	s := newSession(t, front.DSN, Limits{LockTimeout: 50 * time.Millisecond, StatementTimeout: time.Second})
	const slow = "SELECT pg_sleep(99)::text AS value"
	s.Ask(slow, nil)
	s.Ask("SELECT 1 AS n", nil)
	if _, err := Query[struct{ Value string }](t.Context(), s, slow); Code(err) != QueryCanceled ||
		Problem(err).Reason != softdelete.TimedOut {
		t.Errorf("a slow statement: %v", err)
	}
	if _, err := Query[number](t.Context(), s, "SELECT 1 AS n"); err != nil || s.Broken() {
		t.Errorf("the one after it: %v", err)
	}
	front.Behave(pgtest.Silent)
	s.Ask("SELECT 2 AS n", nil)
	s.Ask("SELECT 3 AS n", nil)
	_, err := Query[number](t.Context(), s, "SELECT 2 AS n")
	if got := Problem(err).Reason; got != softdelete.TimedOut || !s.Broken() {
		t.Errorf("without a network: %s: %v", got, err)
	}
	if _, err := Query[number](t.Context(), s, "SELECT 3 AS n"); err == nil {
		t.Error("there is an answer to a question behind it")
	}
	front.Behave(pgtest.Forwarding) // this also lets the driver clean up
}

// Each transaction begins with the timeout of the role. That ends it only on a busy machine: here settings take long.
func TestARolesTimeoutAmidTheSettingsIsSaid(t *testing.T) {
	t.Parallel()
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	for way, ask := range ways {
		s := newSession(t, dsn, usual)
		s.limits = []string{"SELECT pg_catalog.pg_sleep(100)"}
		if _, err := s.conn.Exec(t.Context(), "SET statement_timeout = '100ms'"); err != nil {
			t.Fatal(err)
		}
		ask(s, "SELECT 1 AS n")
		if _, err := Query[number](t.Context(), s, "SELECT 1 AS n"); Remedy(err) == "" || Code(err) != QueryCanceled {
			t.Errorf("%s: the error is %v, the remedy %q", way, err, Remedy(err))
		}
	}
}

// A quick server is asked ahead more and more, a slow one less and less. From time to time nothing is under way, so
// that a pooler can give its connection to others.
func TestHowManyQuestionsAreAskedAhead(t *testing.T) {
	t.Parallel()
	s := newSession(t, pgtest.NewDatabase(t, pgtest.Shared(t)), usual)
	room := func() (n int) {
		for ; s.Room(); n++ {
			s.Ask(fmt.Sprintf("SELECT %d AS n", n), nil)
		}
		return n
	}
	if got := room(); got != fewAhead {
		t.Errorf("at first %d", got)
	}
	s.ahead.since = time.Now().Add(-time.Hour)
	if _, err := Query[number](t.Context(), s, "SELECT 0 AS n"); err != nil {
		t.Fatal(err)
	}
	if s.Room() {
		t.Error("the connection is held without end")
	}
	s.receiveAll(t.Context())
	for n := range fewAhead {
		s.take(fmt.Sprintf("SELECT %d AS n", n))
	}
	if !s.Room() {
		t.Error("nothing is under way, and nothing may be asked")
	}
	var sizes []int
	p := ahead{most: fewAhead}
	for range 100 {
		p.pace(10 * time.Millisecond)
	}
	sizes = append(sizes, p.most)
	for range 10 {
		p.pace(2 * late)
		sizes = append(sizes, p.most)
	}
	p.pace(late)
	sizes = append(sizes, p.most)
	if diff := cmp.Diff([]int{64, 32, 16, 8, 4, 2, 1, 1, 1, 1, 1, 2}, sizes); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestASessionThatClosesWithQuestionsUnderWayLeavesNothing(t *testing.T) {
	t.Parallel()
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	s := newSession(t, dsn, usual)
	for n := range 20 {
		s.Ask(fmt.Sprintf("SELECT %d AS n", n), nil)
	}
	s.Close()
	if s.ahead.send != nil {
		t.Error("the goroutine that writes still runs")
	}
	pgtest.WaitFor(t, "the session to end", func() bool { return pgtest.Sessions(t, dsn) == 0 })
}
