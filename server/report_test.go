package server_test

import (
	"compress/gzip"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/softdelete-exporter/softdelete_exporter/internal/pgserver/pgtest"
	"github.com/softdelete-exporter/softdelete_exporter/report"
)

// get requests a page.
func (e *exporter) get(t *testing.T, path string, headers ...string) *http.Response {
	t.Helper()
	request := httptest.NewRequestWithContext(t.Context(), "GET", path, nil)
	for i := 0; i < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	answer := httptest.NewRecorder()
	e.ServeHTTP(answer, request)
	return answer.Result()
}

// text returns the body of a response.
func text(t *testing.T, r *http.Response) string {
	t.Helper()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// document is the part of the report that these tests check.
type document struct {
	Health     string `json:"overall_health"`
	Connection struct {
		Connected bool
		Status    string
		Pings     []struct{}
	}
	Tables []struct {
		Table   string
		Active  float64 `json:"active_records"`
		Deleted float64 `json:"deleted_records"`
		Health  string  `json:"health_status"`
	}
	Alerts []struct{ Condition string }
}

func (e *exporter) report(t *testing.T) (d document) {
	t.Helper()
	answer := e.get(t, "/report", "Accept", "application/json")
	if err := json.NewDecoder(answer.Body).Decode(&d); err != nil || answer.StatusCode != http.StatusOK {
		t.Fatalf("status %d: %v", answer.StatusCode, err)
	}
	return d
}

func TestHoweverManyLookAtTheReportTheServerIsAskedOnce(t *testing.T) {
	dsn := users(t, pgtest.Shared(t))
	e := newExporter(t, dsn, "")
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			d := e.report(t)
			if len(d.Tables) != 1 || d.Tables[0].Table != "users" || d.Tables[0].Active != 6 || d.Tables[0].Deleted != 4 {
				t.Errorf("the report says %+v", d)
			}
		})
	}
	all.Wait()
	if n := e.Refreshes.Load(); n != 1 {
		t.Errorf("%d refreshes, want 1", n)
	}
	if d := e.report(t); len(d.Connection.Pings) != 1 || d.Health != "fair" ||
		d.Tables[0].Health != "fair - cleanup recommended" {
		t.Errorf("after 51 looks: %+v", d)
	}
}

func TestTheReportIsAPageOrJSON(t *testing.T) {
	e := newExporter(t, users(t, pgtest.Shared(t)), "")
	page := e.get(t, "/report")
	for header, want := range map[string]string{
		"Content-Type": "text/html; charset=utf-8", "Content-Security-Policy": report.Policy(),
		"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store", "Vary": "Accept, Accept-Encoding",
	} {
		if got := page.Header.Get(header); got != want {
			t.Errorf("%s is %q, want %q", header, got, want)
		}
	}
	plain := text(t, page)
	if !strings.Contains(plain, "users") || !strings.Contains(plain, `<a href="?format=json">`) {
		t.Errorf("the page says\n%s", plain)
	}
	compressed := e.get(t, "/report?format=html", "Accept-Encoding", "gzip, br", "Accept", "application/json")
	z, err := gzip.NewReader(compressed.Body)
	if err != nil {
		t.Fatal(err)
	}
	if unpacked, err := io.ReadAll(z); err != nil || !strings.Contains(string(unpacked), "users") {
		t.Errorf("compressed: %v", err)
	}
	if got := e.get(t, "/report?format=json").Header.Get("Content-Type"); got != "application/json" {
		t.Errorf("format=json answers with %s", got)
	}
	if bad := e.get(t, "/report?format=pdf"); bad.StatusCode != http.StatusBadRequest ||
		!strings.Contains(text(t, bad), "html or json") {
		t.Errorf("format=pdf gets status %d", bad.StatusCode)
	}
	if landing := text(t, e.get(t, "/")); !strings.Contains(landing, "/report") {
		t.Error("the landing page does not lead to the report")
	}
}

func TestTheReportReadsWellWithTheDatabaseDown(t *testing.T) {
	e := newExporter(t, "postgres://nobody@127.0.0.1:1/shop?sslmode=disable", "")
	if d := e.report(t); d.Health != "poor" || d.Connection.Connected || d.Connection.Status != "unhealthy" ||
		len(d.Alerts) != 1 {
		t.Errorf("the report says %+v", d)
	}
	if page := text(t, e.get(t, "/report")); !strings.Contains(page, "Cannot connect") {
		t.Errorf("the page says\n%s", page)
	}
}

func TestHealthNamesNeitherUserNorHost(t *testing.T) {
	e := newExporter(t, "postgres://nobody@127.0.0.1:1/shop?sslmode=disable", "")
	answer := e.get(t, "/health")
	got := text(t, answer)
	if answer.StatusCode != http.StatusServiceUnavailable || !strings.Contains(got, `"connected":false`) ||
		!strings.Contains(got, `"error":"the server does not answer`) {
		t.Errorf("status %d: %s", answer.StatusCode, got)
	}
	for _, name := range []string{"nobody", "127.0.0.1", "shop"} {
		if strings.Contains(got, name) {
			t.Errorf("it names %s: %s", name, got)
		}
	}
	if page := text(t, e.get(t, "/report?format=json")); !strings.Contains(page, "127.0.0.1:1") {
		t.Errorf("the report does not say more:\n%s", page)
	}
}

func TestThresholdsDecideWhatIsSlow(t *testing.T) {
	dsn := users(t, pgtest.Shared(t))
	file := filepath.Join(t.TempDir(), "limits.json")
	if err := os.WriteFile(file, []byte(`{"response_ms": {"slow": 0}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	e := newExporter(t, dsn, "thresholds_file: "+file)
	if answer := e.get(t, "/health"); answer.StatusCode != http.StatusOK ||
		!strings.Contains(text(t, answer), `"status":"slow"`) {
		t.Errorf("/health has status %d, and does not say slow", answer.StatusCode)
	}
	if d := e.report(t); d.Connection.Status != "slow" || d.Health != "fair" {
		t.Errorf("the report says %+v", d)
	}
}

func TestWithoutMonitoringTheReportIsOfTheConnectionAlone(t *testing.T) {
	t.Setenv("SOFT_DELETE_ENABLE_MONITORING", "false")
	e := newExporter(t, users(t, pgtest.Shared(t)), "")
	if d := e.report(t); d.Health != "good" || len(d.Tables) != 0 || e.Refreshes.Load() != 0 {
		t.Errorf("the report says %+v, after %d refreshes", d, e.Refreshes.Load())
	}
	if page := text(t, e.get(t, "/report")); !strings.Contains(page, "SOFT_DELETE_ENABLE_MONITORING") {
		t.Error("the page does not say why")
	}
}
