package server_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/softdelete-exporter/softdelete_exporter/internal/pgserver/pgtest"
)

// Backslashes and other text that is hard to parse occur in indexes of ordinary tables.
func TestOddIndexesCostNothing(t *testing.T) {
	t.Parallel()
	dsn := users(t, pgtest.Shared(t))
	pgtest.Exec(t, dsn, `CREATE TABLE files (id int, path text, "it's ""C:\" text, deleted_at timestamptz);
		CREATE INDEX ON files (id) WHERE path <> 'C:\' AND deleted_at IS NULL;
		CREATE INDEX ON files ((path || '\'));
		CREATE INDEX ON files ((path || '''')) WHERE path <> E'a\nb\\''' AND deleted_at IS NOT NULL;
		CREATE UNIQUE INDEX ON files (("it's ""C:\" || '"'))
			WHERE "it's ""C:\" = ANY (ARRAY['\', '"', '''', '{', '--', '/*'])`)
	e := newExporter(t, dsn, "")
	for range 2 {
		s := e.scrape(t, scrapeTimeout)
		if counted := s.per("softdelete_total_rows", "relname"); len(counted) != 2 || !s.healthy() {
			t.Errorf("counted are %v", counted)
		}
		if checks := s.per("softdelete_exporter_check_success", "check"); checks["indexes"] != 1 {
			t.Errorf("the checks are %v", checks)
		}
	}
	for _, page := range []string{"/report?format=json", "/report?format=html"} {
		answer := httptest.NewRecorder()
		e.ServeHTTP(answer, httptest.NewRequestWithContext(t.Context(), "GET", page, nil))
		if answer.Code != http.StatusOK {
			t.Errorf("%s: %d %s", page, answer.Code, answer.Body)
		}
	}
}
