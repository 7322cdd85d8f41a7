package main

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"github.com/softdelete-exporter/softdelete_exporter/internal/pgserver/pgtest"
)

// broken is an output that panics when something writes to it.
type broken struct{}

func (broken) Write([]byte) (int, error) { panic("while writing") }

func TestACommandThatPanicsFailsAndSaysWhy(t *testing.T) {
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	pgtest.Exec(t, dsn, `CREATE TABLE users (id int, deleted_at timestamptz)`)
	t.Setenv("DATA_SOURCE_NAME", dsn)
	for _, args := range [][]string{{"check-config"}, {"check-config", "--connect", "--log.format=json"}, {"grants"},
		{"report"}} {
		var stderr bytes.Buffer
		code := run(context.Background(), args, broken{}, &stderr)
		if said := stderr.String(); code != exitFailure || !strings.Contains(said, "fault of the exporter") ||
			!strings.Contains(said, "while writing") {
			t.Errorf("%v ends with %d: %s", args, code, said)
		}
	}
}
