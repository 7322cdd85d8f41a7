//go:build unix

package mixin

import (
	"context"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/softdelete-exporter/softdelete_exporter/internal/pgserver/pgtest"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

// runbookSchema makes the tables of the runbook's examples. Two of four orders are past their retention, and one was
// deleted within the five minutes that the restore names.
const runbookSchema = `
	CREATE TABLE orders (id int PRIMARY KEY, deleted_at timestamptz);
	INSERT INTO orders VALUES (1, NULL), (2, now() - interval '100 days'), (3, now() - interval '100 days'), (4,
		'2026-01-01 10:01Z');
	CREATE TABLE users (email text, deleted_at timestamptz)`

// runbookSQL returns the statements in the section of an alert; without a name, all statements. A transaction, from
// BEGIN to COMMIT, is one statement.
func runbookSQL(t *testing.T, alert string) []string {
	t.Helper()
	runbook, err := os.ReadFile("runbook.md")
	if err != nil {
		t.Fatal(err)
	}
	text := string(runbook)
	if alert != "" {
		_, text, _ = strings.Cut(text, "\n## "+alert+"\n")
		text, _, _ = strings.Cut(text, "\n## ")
	}
	var statements []string
	for _, block := range regexp.MustCompile("(?s)```sql\n(.*?)```").FindAllStringSubmatch(text, -1) {
		// Comments may contain a semicolon.
		sql := regexp.MustCompile(`--.*`).ReplaceAllString(block[1], "")
		if strings.Contains(sql, "BEGIN;") {
			statements = append(statements, sql)
			continue
		}
		for _, statement := range strings.SplitAfter(sql, ";") {
			if strings.TrimSpace(statement) != "" {
				statements = append(statements, statement)
			}
		}
	}
	if len(statements) == 0 {
		t.Fatalf("runbook.md: no SQL in the section %q", alert)
	}
	return statements
}

// one returns the statement in the section of an alert that contains a text.
func one(t *testing.T, alert, text string) string {
	t.Helper()
	for _, statement := range runbookSQL(t, alert) {
		if strings.Contains(statement, text) {
			return statement
		}
	}
	t.Fatalf("runbook.md: the section %q has no statement with %s", alert, text)
	return ""
}

// connect opens a session in a database with the runbook's tables, and returns a function that opens more.
func connect(t *testing.T) (conn *pgx.Conn, another func() *pgx.Conn) {
	t.Helper()
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	pgtest.Exec(t, dsn, runbookSchema)
	another = func() *pgx.Conn {
		t.Helper()
		conn, err := pgx.Connect(t.Context(), dsn)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close(context.WithoutCancel(t.Context())) })
		return conn
	}
	return another(), another
}

func execute(t *testing.T, conn *pgx.Conn, sql string) {
	t.Helper()
	if _, err := conn.PgConn().Exec(t.Context(), sql).ReadAll(); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

// count returns how many rows a query returns.
func count(t *testing.T, conn *pgx.Conn, query string) int {
	t.Helper()
	rows, err := conn.Query(t.Context(), query)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	defer rows.Close()
	n := 0
	for rows.Next() {
		n++
	}
	if err := rows.Err(); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return n
}

// await repeats a query for up to ten seconds, until it returns true.
func await(t *testing.T, what string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !done(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

func withRole(t *testing.T, conn *pgx.Conn) {
	t.Helper()
	execute(t, conn, "CREATE ROLE softdelete_exporter")
	t.Cleanup(func() {
		_, err := conn.PgConn().Exec(context.WithoutCancel(t.Context()),
			"DROP OWNED BY softdelete_exporter; DROP ROLE softdelete_exporter").ReadAll()
		if err != nil {
			t.Error(err)
		}
	})
}

func TestEveryStatementOfTheRunbookRuns(t *testing.T) {
	conn, _ := connect(t)
	withRole(t, conn)
	for _, statement := range runbookSQL(t, "") {
		execute(t, conn, statement)
	}
}

// If a superuser ran them without a safe search path, they would run any function that a stranger put there.
func TestTheRunbookSaysWhoseFunctionsAreMeant(t *testing.T) {
	runbook, err := os.ReadFile("runbook.md")
	if err != nil {
		t.Fatal(err)
	}
	const begins = "```sql\nSET search_path = pg_catalog, pg_temp;\n"
	if all, safe := strings.Count(string(runbook), "```sql\n"), strings.Count(string(runbook),
		begins); all == 0 || safe != all {
		t.Errorf("of %d blocks of SQL %d begin with the search path", all, safe)
	}
}

// BYPASSRLS lets a role read every table, a policy one.
func TestTheRunbookOffersAPolicyFirst(t *testing.T) {
	runbook, err := os.ReadFile("runbook.md")
	if err != nil {
		t.Fatal(err)
	}
	_, line, _ := strings.Cut(string(runbook), "\n| row_security | ")
	line, _, _ = strings.Cut(line, "\n")
	policy, bypass := strings.Index(line, "policy"), strings.Index(line, "BYPASSRLS")
	if policy < 0 || bypass < policy {
		t.Errorf("the remedy is %q", line)
	}
}

// A DELETE by hand does not check which rows reference the deleted ones. purge-script does.
func TestNoStatementOfTheRunbookDeletes(t *testing.T) {
	for _, statement := range runbookSQL(t, "") {
		if strings.Contains(statement, "DELETE") {
			t.Errorf("the runbook has %s", statement)
		}
	}
}

func TestRunbookShowsWhoBlocksAPurge(t *testing.T) {
	conn, another := connect(t)
	query := one(t, "SoftDeletePurgeOverdue", "pg_blocking_pids")
	if n := count(t, conn, query); n != 0 {
		t.Errorf("%d rows while no purge runs", n)
	}
	holder, purge := another(), another()
	execute(t, holder, "BEGIN; LOCK TABLE orders")
	ended := make(chan error, 1)
	go func() {
		_, err := purge.Exec(context.WithoutCancel(t.Context()), "DELETE FROM orders WHERE id = 2")
		ended <- err
	}()
	want := fmt.Sprintf("WHERE purge = %d AND blocked_by = %d", purge.PgConn().PID(), holder.PgConn().PID())
	await(t, "the blocked purge", func() bool {
		return count(t, conn, "SELECT FROM ("+strings.TrimSuffix(strings.TrimSpace(query), ";")+") q "+want) == 1
	})
	execute(t, holder, "ROLLBACK")
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestRunbookTellsARestoreFromARead(t *testing.T) {
	conn, another := connect(t)
	query := one(t, "SoftDeleteBulkRestore", "pg_stat_activity")
	for sql, restores := range map[string]bool{
		"SELECT * FROM orders WHERE deleted_at IS NULL":               false,
		"UPDATE orders SET id = id WHERE deleted_at IS NULL":          false,
		"UPDATE orders SET deleted_at = now() WHERE id = 4":           false,
		"UPDATE orders\nSET id = id,\n  deleted_at = NULL":            true,
		`update public.orders set "deleted_at"=null where id = 4`:     true,
		"UPDATE orders SET deleted_at = $1::timestamptz WHERE id = 4": true,
	} {
		session := another()
		args := []any{}
		if strings.Contains(sql, "$1") {
			args = append(args, nil)
		}
		if _, err := session.Exec(t.Context(), sql, args...); err != nil {
			t.Fatal(err)
		}
		if shown := count(t, conn, query) == 1; shown != restores {
			t.Errorf("%s: shown %v, want %v", sql, shown, restores)
		}
		if err := session.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		await(t, "the end of a session", func() bool {
			return count(t, conn, fmt.Sprintf("SELECT FROM pg_stat_activity WHERE pid = %d", session.PgConn().PID())) == 0
		})
	}
}

func TestRunbookAsksForTheMarkersGrant(t *testing.T) {
	conn, _ := connect(t)
	withRole(t, conn)
	for grant, want := range map[string]bool{"id": false, "deleted_at, ctid": true} {
		execute(t, conn, "REVOKE ALL ON orders FROM softdelete_exporter; GRANT SELECT ("+grant+
			") ON orders TO softdelete_exporter")
		var usage, marker, blocks bool
		if err := conn.QueryRow(t.Context(), one(t, "SoftDeleteTableUnreadable", "has_column_privilege")).Scan(&usage,
			&marker, &blocks); err != nil {
			t.Fatal(err)
		}
		if marker != want || blocks != want {
			t.Errorf("granted %s: marker %v, blocks %v", grant, marker, blocks)
		}
	}
}
