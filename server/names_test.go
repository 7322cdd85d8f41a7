package server_test

import (
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/softdelete-exporter/softdelete_exporter/internal/pgserver"
	"github.com/softdelete-exporter/softdelete_exporter/internal/pgserver/pgtest"
)

// Every page shows a name that is not UTF-8 with its bytes escaped. Only that table lacks numbers, even if another
// table has exactly the escaped name.
func TestANameThatIsNoUTF8CostsItsTableOnly(t *testing.T) {
	server := pgtest.Shared(t)
	admin := server.DSN("postgres", pgserver.Superuser)
	pgtest.Exec(t, admin, `CREATE DATABASE bytes ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0`)
	t.Cleanup(func() { pgtest.Exec(t, admin, `DROP DATABASE bytes WITH (FORCE)`) })
	dsn := server.DSN("bytes", pgserver.Superuser)
	for _, name := range []string{"users", "größe", "\"caf\xe9\"", `"caf\xe9"`} {
		pgtest.Exec(t, dsn,
			fmt.Sprintf(`CREATE TABLE %s AS SELECT CASE WHEN i <= 4 THEN now() END AS deleted_at FROM generate_series(1, 10) i`,
				name))
	}
	e := newExporter(t, dsn, "")
	s := e.scrape(t, 20*time.Second)
	if got := s.per("softdelete_deleted_rows", "relname"); len(got) != 2 || got["users"] != 4 || got["größe"] != 4 {
		t.Errorf("deleted rows: %v", got)
	}
	if got := s.per("softdelete_table_problem", "relname"); len(got) != 1 || got[`caf\\xe9`] != 1 {
		t.Errorf("problems: %v", got)
	}
	for path, want := range map[string]string{
		"/report?format=json": `the name of public.caf\\xe9 is not valid UTF-8`,
		"/report?format=html": `caf\xe9`,
	} {
		if page := text(t, e.get(t, path)); !utf8.ValidString(page) || strings.Contains(page, "\ufffd") ||
			!strings.Contains(page, want) || !strings.Contains(page, "RENAME TO new_name") {
			t.Errorf("%s does not say %q:\n%s", path, want, page)
		}
	}
}
