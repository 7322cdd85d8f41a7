package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/softdelete-exporter/softdelete_exporter/internal/exportertest"
	"github.com/softdelete-exporter/softdelete_exporter/internal/pgserver/pgtest"
)

var listening = regexp.MustCompile(`(?:msg="Listening on" address=|\{"address":")([^"\s]+)`)

// start runs the exporter until the test ends and returns its address and its log.
func start(t *testing.T, args ...string) (address string, written *exportertest.Output) {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	written = &exportertest.Output{}
	ended := make(chan int)
	go func() { ended <- run(ctx, append(args, "--web.listen-address=127.0.0.1:0"), io.Discard, written) }()
	t.Cleanup(func() {
		stop()
		if code := <-ended; code != 0 {
			t.Errorf("exit code %d:\n%s", code, written)
		}
	})
	waitFor(t, "the exporter to listen", func() bool { return listening.MatchString(written.String()) })
	return listening.FindStringSubmatch(written.String())[1], written
}

func waitFor(t *testing.T, what string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !done(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

// get requests a page and returns its status and text.
func get(t *testing.T, client *http.Client, method, url string) (status int, text string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(body)
}

// users makes a database with one watched table of 10 rows, 4 of them deleted.
func users(t *testing.T) (dsn string) {
	dsn = pgtest.NewDatabase(t, pgtest.Shared(t))
	pgtest.Exec(t, dsn,
		`CREATE TABLE users AS SELECT i AS id,
			CASE WHEN i <= 4 THEN now() - i * interval '50 days' END AS deleted_at FROM generate_series(1, 10) i`)
	return dsn
}

func TestPages(t *testing.T) {
	t.Setenv("DATA_SOURCE_NAME", users(t))
	before := goleak.IgnoreCurrent()
	t.Cleanup(func() { goleak.VerifyNone(t, before) })
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	address, _ := start(t)
	for _, test := range []struct {
		method, path string
		status       int
		says         []string
	}{
		{"GET", "/", 200, []string{"softdelete_exporter", "/metrics", "/health"}},
		{"GET", "/metrics", 200, []string{"\ndb_up 1\n", `softdelete_deleted_rows{datname=`, "go_goroutines",
			"softdelete_exporter_build_info", "\nsoftdelete_exporter_connections_evicted_total 0\n"}},
		{"GET", "/config", 200, []string{"ttl: ", "statement_timeout: 1s"}},
		{"GET", "/health", 200, []string{`"connected":true`, `"response_time_ms":`, `"status":"healthy"`, `"timestamp":"`}},
		{"GET", "/-/healthy", 200, nil},
		{"GET", "/-/ready", 200, nil},
		{"POST", "/-/reload", 403, []string{"--web.enable-lifecycle"}},
		{"GET", "/-/reload", 405, nil},
		{"GET", "/nope", 404, nil},
		{"GET", "/probe?target=127.0.0.1:1/x", 400, []string{"probe.allow"}},
		{"GET", "/debug/pprof/", 404, nil},
	} {
		status, text := get(t, client, test.method, "http://"+address+test.path)
		if status != test.status {
			t.Errorf("%s %s: status %d, want %d", test.method, test.path, status, test.status)
		}
		for _, want := range test.says {
			if !strings.Contains(text, want) {
				t.Errorf("%s %s does not say %q:\n%.2000s", test.method, test.path, want, text)
			}
		}
	}
}

func TestProfilerOnlyBehindItsFlag(t *testing.T) {
	address, _ := start(t, "--web.enable-pprof")
	if status, _ := get(t, http.DefaultClient, "GET", "http://"+address+"/debug/pprof/"); status != 200 {
		t.Errorf("status %d", status)
	}
}

func TestWithoutADatabaseMetricsShowTheExporterOnly(t *testing.T) {
	address, _ := start(t)
	_, text := get(t, http.DefaultClient, "GET", "http://"+address+"/metrics")
	if !strings.Contains(text, "softdelete_exporter_build_info") || strings.Contains(text, "db_up") {
		t.Errorf("%s", text)
	}
}

func TestWithoutADatabaseTheLandingPageHasNoLinkInVain(t *testing.T) {
	address, _ := start(t)
	_, landing := get(t, http.DefaultClient, "GET", "http://"+address+"/")
	links := regexp.MustCompile(`href="(/[^"]*)"`).FindAllStringSubmatch(landing, -1)
	if len(links) == 0 {
		t.Errorf("no links:\n%s", landing)
	}
	for _, link := range links {
		if status, text := get(t, http.DefaultClient, "GET", "http://"+address+link[1]); status != http.StatusOK {
			t.Errorf("%s: status %d: %s", link[1], status, text)
		}
	}
}

func TestMonitoringSwitchedOffLeavesTheConnectionCheck(t *testing.T) {
	t.Setenv("DATA_SOURCE_NAME", users(t))
	t.Setenv("SOFT_DELETE_ENABLE_MONITORING", "false")
	address, _ := start(t)
	_, text := get(t, http.DefaultClient, "GET", "http://"+address+"/metrics")
	if !strings.Contains(text, "\ndb_up 1\n") || strings.Contains(text, "softdelete_deleted_rows") {
		t.Errorf("%s", text)
	}
}

func TestProbeShowsAnotherServerAndNothingOfTheExporter(t *testing.T) {
	dsn := users(t)
	server := pgtest.Shared(t)
	pgtest.Exec(t, dsn, `DROP ROLE IF EXISTS prober; CREATE ROLE prober LOGIN PASSWORD 's3cr3t' IN ROLE pg_read_all_data`)
	t.Cleanup(func() { pgtest.Exec(t, server.DSN("postgres", "postgres"), "DROP ROLE prober") })
	if err := server.AppendHBA(t.Context(), "host all prober 127.0.0.1/32 scram-sha-256"); err != nil {
		t.Fatal(err)
	}
	database := dsn[strings.LastIndex(dsn, "/")+1:]
	database, _, _ = strings.Cut(database, "?")
	address, written := start(t, "--config.file="+configFile(t, `
probe: {allow: ['127\.0\.0\.1:\d+/.*']}
auth_modules:
  good: {user: prober, password: s3cr3t}
  bad: {user: prober, password: wr0ng}
`))
	probe := func(module string) string {
		status, text := get(t, http.DefaultClient, "GET",
			fmt.Sprintf("http://%s/probe?target=127.0.0.1:%d/%s&auth_module=%s", address, server.Port, database, module))
		if status != 200 {
			t.Errorf("%s: status %d: %s", module, status, text)
		}
		return text
	}
	good := probe("good")
	if !strings.Contains(good, "\ndb_up 1\n") || !strings.Contains(good, `relname="users"`) ||
		strings.Contains(good, "go_goroutines") {
		t.Errorf("good: %s", good)
	}
	if bad := probe("bad"); !strings.Contains(bad, "\ndb_up 0\n") ||
		!strings.Contains(bad, `softdelete_exporter_check_success{check="connect",datname="`+database+`"} 0`) {
		t.Errorf("bad: %s", bad)
	}
	for _, secret := range []string{"s3cr3t", "wr0ng"} {
		if strings.Contains(written.String(), secret) {
			t.Errorf("the log shows a password:\n%s", written)
		}
	}
}

// A module's password is sent only to the server that the target names and that a pattern allows.
func TestATargetThatIsNotOneServerIsNeverConnectedTo(t *testing.T) {
	stranger, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var called sync.WaitGroup
	called.Go(func() {
		for {
			conn, err := stranger.Accept()
			if err != nil {
				return
			}
			t.Error("the listener was connected to")
			conn.Close()
		}
	})
	t.Cleanup(func() {
		stranger.Close()
		called.Wait()
	})
	_, port, err := net.SplitHostPort(stranger.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	address, _ := start(t, "--config.file="+configFile(t, `
probe: {allow: ['.*\.example\.test:\d+/.*', '.*,.*', '.*\?.*', '/.*']}
ping: {timeout: 1s}
auth_modules: {m: {user: bob, password: s3cr3t}}`))
	for _, target := range []string{
		"127.0.0.1,db.example.test:" + port + "/web",
		"db.example.test," + "127.0.0.1:" + port + "/web",
		"127.0.0.1:" + port + ",db.example.test:" + port + "/web",
		"db.example.test:" + port + "/web?host=127.0.0.1",
		"db.example.test:" + port + "/web?host=127.0.0.1&hostaddr=127.0.0.1",
		"x@127.0.0.1:" + port + "/.example.test:1/web",
		"127.0.0.1:" + port + "/a.example.test:1/web",
		"127.0.0.1:" + port + "/web\x00.example.test:1/web",
		"127.0.0.1%2Cdb.example.test:" + port + "/web",
		"/tmp/.example.test:" + port + "/web",
		"caf\xe9.example.test:" + port + "/web",
	} {
		status, text := get(t, http.DefaultClient, "GET",
			"http://"+address+"/probe?auth_module=m&target="+url.QueryEscape(target))
		if status != http.StatusBadRequest || !strings.HasPrefix(text, "target: ") {
			t.Errorf("%q: status %d: %s", target, status, text)
		}
	}
}

// Reloads and scrapes together send the server no more queries than the scrapes alone.
func TestReloadsAskTheServerNothing(t *testing.T) {
	front := pgtest.NewFront(t, users(t))
	t.Setenv("DATA_SOURCE_NAME", front.DSN)
	address, _ := start(t, "--web.enable-lifecycle",
		"--config.file="+configFile(t, "tables: [{table: users, column: deleted_at}]"))
	asked := func() (queries int) {
		_, text := get(t, http.DefaultClient, "GET", "http://"+address+"/metrics")
		for _, m := range regexp.MustCompile(`(?m)^softdelete_exporter_queries_total\{.*\} (\d+)$`).FindAllStringSubmatch(
			text, -1) {
			n, err := strconv.Atoi(m[1])
			if err != nil {
				t.Fatal(err)
			}
			queries += n
		}
		return queries
	}
	var before int
	waitFor(t, "the first refresh to end", func() (ended bool) { // usually within the first scrape
		last := before
		before = asked()
		return before == last+1
	})
	connections := front.Accepted()
	const times = 30
	for range times {
		if status, text := get(t, http.DefaultClient, "POST", "http://"+address+"/-/reload"); status != http.StatusOK {
			t.Fatalf("status %d: %s", status, text)
		}
		asked()
	}
	if got := asked() - before; got != times+1 {
		t.Errorf("%d queries at %d scrapes; want a ping at each", got, times+1)
	}
	if got := front.Accepted() - connections; got != 0 {
		t.Errorf("%d connections were opened", got)
	}
}

// A table that does not exist does not prevent the start, or the effect of another change.
func TestATableThatIsNotThereIsAProblemOfItsOwn(t *testing.T) {
	t.Setenv("DATA_SOURCE_NAME", users(t))
	const faults = "tables: [{table: nosuch}, {table: users, column: nosuch_at}]"
	for _, how := range []string{"start", "reload"} {
		t.Run(how, func(t *testing.T) {
			first := ""
			if how == "start" {
				first = faults
			}
			file := configFile(t, first)
			address, written := start(t, "--web.enable-lifecycle", "--config.file="+file)
			if how == "reload" {
				if err := os.WriteFile(file, []byte(faults), 0o600); err != nil {
					t.Fatal(err)
				}
				if status, text := get(t, http.DefaultClient, "POST", "http://"+address+"/-/reload"); status != http.StatusOK {
					t.Fatalf("status %d: %s", status, text)
				}
			}
			for _, table := range []string{"nosuch", "users"} {
				problem := regexp.MustCompile(`(?m)^softdelete_table_problem\{.*reason="marker_missing",relname="` + table +
					`".*\} 1$`)
				waitFor(t, table+" to have a problem", func() bool {
					_, text := get(t, http.DefaultClient, "GET", "http://"+address+"/metrics")
					return problem.MatchString(text)
				})
			}
			for _, want := range []string{"level=warn", "nosuch", "nosuch_at"} {
				if log := written.String(); !strings.Contains(log, want) {
					t.Errorf("the log does not say %s:\n%s", want, log)
				}
			}
		})
	}
}

func TestReloadKeepsTheOldConfigurationOnError(t *testing.T) {
	t.Setenv("DATA_SOURCE_NAME", users(t))
	file := configFile(t, "defaults: {retention: 80d}")
	address, _ := start(t, "--web.enable-lifecycle", "--config.file="+file)
	scrape := func() string {
		_, text := get(t, http.DefaultClient, "GET", "http://"+address+"/metrics")
		return text
	}
	old := func(text string) string {
		return regexp.MustCompile(`softdelete_old_deleted_rows\{[^}]*\} (\S+)`).FindString(text)
	}
	if text := scrape(); !strings.HasSuffix(old(text), "} 3") || !strings.Contains(text, "reload_successful 1") {
		t.Fatalf("before: %s", text)
	}
	reload := func(text string) int {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		status, _ := get(t, http.DefaultClient, "POST", "http://"+address+"/-/reload")
		return status
	}
	for _, bad := range []string{"nope: 1", "tables: [{table: ''}]", "limits: {connections: 30}"} {
		if status := reload("defaults: {retention: 180d}\n" + bad); status != 500 {
			t.Errorf("%s: status %d", bad, status)
		}
	}
	if text := scrape(); !strings.HasSuffix(old(text), "} 3") || !strings.Contains(text, "reload_successful 0") {
		t.Errorf("after a bad reload: %s", text)
	}
	if status := reload("defaults: {retention: 180d}"); status != 200 {
		t.Errorf("a good configuration: status %d", status)
	}
	waitFor(t, "the new retention to be counted by", func() bool { return strings.HasSuffix(old(scrape()), "} 1") })

	// SIGHUP does the same.
	if err := os.WriteFile(file, []byte("defaults: {retention: 140d}"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(os.Getpid(), syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	waitFor(t, "the signal to reload", func() bool { return strings.HasSuffix(old(scrape()), "} 2") })
}

// bcryptOfSecret is a hash of "secret", of the lowest cost.
const bcryptOfSecret = "$2a$04$JlnQGPlIgXPZLIyIA6UlbehdBwSsIht5AgPYCQJALuGDw2KC9VYLa"
