package pgtest

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// Connect opens another session, which ends with the test.
func Connect(t testing.TB, dsn string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close(context.Background()) })
	return conn
}

// Sessions returns how many connections the exporter has to the database.
func Sessions(t testing.TB, dsn string) int {
	t.Helper()
	return Value[int](t, dsn, OurSessions)
}

// WaitFor waits until a condition holds.
func WaitFor(t testing.TB, what string, happened func() bool) {
	t.Helper()
	for deadline := time.Now().Add(3 * time.Minute); !happened(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

// The exporter's connections to one database, and to the whole server, which must then belong to the test.
const (
	AllOurSessions = `SELECT count(*) FROM pg_stat_activity WHERE application_name = 'softdelete_exporter'`
	OurSessions    = AllOurSessions + ` AND datname = current_database()`
)

// Terminate ends every session of the exporter in the database.
func Terminate(t testing.TB, dsn string) {
	t.Helper()
	Exec(t, dsn,
		`SELECT pg_terminate_backend(pid,
			5000) FROM pg_stat_activity WHERE application_name = 'softdelete_exporter' AND datname = current_database()`)
}
