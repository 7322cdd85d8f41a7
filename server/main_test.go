package server_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/softdelete-exporter/softdelete_exporter/internal/exportertest"
	"github.com/softdelete-exporter/softdelete_exporter/internal/pgserver"
	"github.com/softdelete-exporter/softdelete_exporter/internal/pgserver/pgtest"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

// exporter is a whole exporter, except for the process and its listener.
type exporter struct{ *exportertest.Exporter }

func newExporter(t *testing.T, dsn, configuration string) *exporter {
	t.Helper()
	return &exporter{exportertest.New(t, dsn, configuration)}
}

// scraped are the values of a scrape, by series.
type scraped map[string]float64

var series = regexp.MustCompile(`(?m)^([a-z_]+(?:\{.*\})?) (\S+)$`)

// scrape asks like Prometheus, which sends its timeout, and expects the answer within it.
func (e *exporter) scrape(t *testing.T, timeout time.Duration) scraped {
	t.Helper()
	request := httptest.NewRequestWithContext(t.Context(), "GET", "/metrics", nil)
	request.Header.Set("X-Prometheus-Scrape-Timeout-Seconds", fmt.Sprint(timeout.Seconds()))
	answer := httptest.NewRecorder()
	began := time.Now()
	e.ServeHTTP(answer, request)
	if took := time.Since(began); took > timeout {
		t.Errorf("the scrape took %s, its timeout is %s", took, timeout)
	}
	if answer.Code != http.StatusOK {
		t.Errorf("status %d: %s", answer.Code, answer.Body)
	}
	found := scraped{}
	for _, m := range series.FindAllStringSubmatch(answer.Body.String(), -1) {
		value, err := strconv.ParseFloat(m[2], 64)
		if err != nil {
			t.Fatal(err)
		}
		found[m[1]] = value
	}
	return found
}

// per returns the values of a metric by the value of one label.
func (s scraped) per(metric, label string) map[string]float64 {
	found := map[string]float64{}
	of := regexp.MustCompile(`^` + metric + `\{.*\b` + label + `="([^"]*)"`)
	for name, value := range s {
		if m := of.FindStringSubmatch(name); m != nil {
			found[m[1]] = value
		}
	}
	return found
}

// is reports whether a metric without labels has this value.
func (s scraped) is(metric string, value float64) bool {
	got, present := s[metric]
	return present && got == value
}

// down reports whether the scrape shows the server as down, with every check present. The checks are those of the
// last refresh; none has ever succeeded.
func (s scraped) down() bool {
	_, timed := s["db_response_ms"]
	checks := s.per("softdelete_exporter_check_success", "check")
	return s.is("db_up", 0) && !timed && len(checks) >= 3 && checks["connect"]+checks["discovery"]+checks["counting"] == 0
}

// healthy reports whether the server is up and the table users is counted: 10 rows, 4 of them deleted.
func (s scraped) healthy() bool {
	checks := s.per("softdelete_exporter_check_success", "check")
	return s.is("db_up", 1) && s["db_response_ms"] > 0 && checks["connect"]+checks["discovery"]+checks["counting"] == 3 &&
		s.per("softdelete_total_rows", "relname")["users"] == 10 &&
		s.per("softdelete_deleted_rows", "relname")["users"] == 4 &&
		len(s.per("softdelete_table_problem", "relname")) == 0
}

// users creates a database with one watched table.
func users(t *testing.T, s *pgserver.Server) (dsn string) {
	t.Helper()
	dsn = pgtest.NewDatabase(t, s)
	pgtest.Exec(t, dsn, usersTable)
	t.Cleanup(func() {
		if n := pgtest.Sessions(t, dsn); n != 0 {
			t.Errorf("%d connections are left after the test", n)
		}
	})
	return dsn
}

const usersTable = `CREATE TABLE users AS SELECT i AS id,
	CASE WHEN i <= 4 THEN now() END AS deleted_at FROM generate_series(1, 10) i`

// database returns the database of a connection string.
func database(dsn string) string {
	name, _, _ := strings.Cut(dsn[strings.LastIndex(dsn, "/")+1:], "?")
	return name
}

// hold runs a statement in a transaction and keeps that open until end is closed.
func hold(t *testing.T, dsn, sql string, held chan<- struct{}, end <-chan struct{}) {
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Error(err)
		close(held)
		return
	}
	defer conn.Close(context.Background())
	if _, err := conn.Exec(t.Context(), "BEGIN; "+sql); err != nil {
		t.Error(err)
	}
	close(held)
	<-end
}
