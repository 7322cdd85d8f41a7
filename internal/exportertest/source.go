package exportertest

import (
	"testing"

	"github.com/softdelete-exporter/softdelete_exporter/conninfo"
	"github.com/softdelete-exporter/softdelete_exporter/postgres"
)

// Source returns a function that returns how to connect to the server of a connection string.
func Source(tb testing.TB, dsn string) func() (*conninfo.Info, error) {
	tb.Helper()
	info, err := conninfo.Parse(dsn)
	if err != nil {
		tb.Fatal(err)
	}
	return func() (*conninfo.Info, error) { return info, nil }
}

// Database returns the database of a connection string.
func Database(tb testing.TB, dsn string) string {
	tb.Helper()
	info, err := Source(tb, dsn)()
	if err != nil {
		tb.Fatal(err)
	}
	_, name, err := postgres.ParseSource(info)
	if err != nil {
		tb.Fatal(err)
	}
	return name
}
