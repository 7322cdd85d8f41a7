package inspect

import (
	"os"
	"strings"
	"testing"

	"github.com/softdelete-exporter/softdelete_exporter/internal/pgserver"
	"github.com/softdelete-exporter/softdelete_exporter/internal/pgserver/pgtest"
	"github.com/softdelete-exporter/softdelete_exporter/postgres"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// newSession opens a session to the database of a connection string.
func newSession(t *testing.T, dsn, text string) *postgres.Session {
	t.Helper()
	s, err := inspector(t, dsn, text).newRefresh(&softdelete.Snapshot{}, nil).open(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// A DBA who sees a statement must be able to recognize the exporter.
func TestEveryStatementSaysWhoseItIs(t *testing.T) {
	t.Parallel()
	server := pgtest.Start(t,
		pgserver.Options{Settings: map[string]string{"log_statement": "all", "log_line_prefix": "%a|"}})
	dsn := server.DSN("postgres", superuser)
	pgtest.Exec(t, dsn, deletedAt("users")+"CREATE ROLE watcher;"+distributed+likeCitus+likeTimescale+parted(superuser)+
		deletedAt("locked"))
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
