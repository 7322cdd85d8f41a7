//go:build e2e

package e2e

import (
	"fmt"
	"net/http/httptest"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/softdelete-exporter/softdelete_exporter/internal/exportertest"
	"github.com/softdelete-exporter/softdelete_exporter/internal/pgserver/pgtest"
	"github.com/softdelete-exporter/softdelete_exporter/internal/tools"
)

// clientTables are the names of the tables that the clients read.
var clientTables = []string{"users", `"quoted"`, "new\nline", `back\slash\`, `\n`, "größe", "🐘", "\u202eleft",
	"tab\t\x1b[31m", `{a="b"} 1`, "# HELP x"}

// changing are the lines of metrics that differ from scrape to scrape.
var changing = regexp.MustCompile(`^(db_|softdelete_exporter_(time|queries|database_seconds))`)

// cached returns the sorted lines of a page, without the live metrics.
func cached(page string) []string {
	lines := slices.DeleteFunc(strings.Split(strings.TrimSpace(page), "\n"), func(line string) bool {
		return strings.HasPrefix(line, "#") || changing.MatchString(line)
	})
	slices.Sort(lines)
	return lines
}

// output returns what a program prints. It must succeed.
func output(t *testing.T, input, name string, args ...string) string {
	t.Helper()
	var said strings.Builder
	cmd := exec.Command(name, args...)
	cmd.Stdin, cmd.Stderr = strings.NewReader(input), &said
	out, err := cmd.Output()
	if err != nil {
		t.Errorf("%s %s: %v\n%s", name, strings.Join(args, " "), err, said.String())
	}
	return string(out) + said.String()
}

func TestClientsReadTheSameMetrics(t *testing.T) {
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	for i, name := range clientTables {
		pgtest.Exec(t, dsn, fmt.Sprintf(`CREATE TABLE %s AS SELECT CASE WHEN n <= %d THEN now() END AS deleted_at
			FROM generate_series(1, 100) n`, pgx.Identifier{name}.Sanitize(), i+1))
	}
	web := httptest.NewServer(exportertest.New(t, dsn, "ttl: 1h\nmax_stale: 4h\nscrape: {timeout: 1m}"))
	t.Cleanup(web.Close)
	address := web.URL + "/metrics"
	first := output(t, "", "curl", "-sSf", address) // waits until everything is counted
	var names []string
	for _, line := range strings.Split(first, "\n") {
		if name, found := strings.CutPrefix(line, "# TYPE "); found {
			names = append(names, "name[]="+strings.Fields(name)[0])
		}
	}
	// Metrics that are requested by name are gathered anew.
	plain := output(t, "", "curl", "-sSfg", address+"?"+strings.Join(names, "&"))
	want := cached(plain)
	if n := strings.Count(plain, "\nsoftdelete_deleted_rows{"); n != len(clientTables) {
		t.Fatalf("%d tables are counted:\n%s", n, plain)
	}

	tab := newTab(t)
	tab.open(address)
	if shown := ask[string](tab, "document.body.textContent"); !strings.Contains(shown, "\ndb_up 1") ||
		strings.Count(shown, "softdelete_deleted_rows{") != len(clientTables) {
		t.Errorf("Chromium shows:\n%s", shown)
	}
	for client, page := range map[string]string{
		"curl":              first,
		"curl --compressed": output(t, "", "curl", "-sSf", "--compressed", address),
		"wget":              output(t, "", "wget", "-qO-", address),
		"wget, compressed":  output(t, "", "wget", "-qO-", "--compression=gzip", address),
		"gunzip":            output(t, output(t, "", "curl", "-sSf", "-H", "Accept-Encoding: gzip", address), "gzip", "-dc"),
		"Chromium":          ask[string](tab, "fetch('/metrics').then((r) => r.text())"),
	} {
		if diff := cmp.Diff(want, cached(page)); diff != "" || !strings.Contains(page, "\ndb_up 1\n") {
			t.Errorf("%s (-plain +got):\n%s", client, diff)
		}
	}
	if head := output(t, "", "curl", "-sSfI", "--compressed", address); !strings.Contains(head, "Content-Encoding: gzip") {
		t.Errorf("curl -I:\n%s", head)
	}

	promtools, err := tools.Find("promtool")
	if err != nil {
		t.Fatal(err)
	}
	// Its users chose the name of db_response_ms, which promtool does not like.
	sound := regexp.MustCompile(`(?m)^.*db_response_ms.*\n`).ReplaceAllString(first, "")
	for _, promtool := range promtools {
		out := output(t, sound, promtool, "check", "metrics", "--extended")
		of := regexp.MustCompile(`(?m)^softdelete_deleted_rows +(\d+)`).FindStringSubmatch(out)
		if of == nil || of[1] != fmt.Sprint(len(clientTables)) {
			t.Errorf("%s:\n%s", promtool, out)
		}
	}
}
