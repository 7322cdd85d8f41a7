//go:build e2e

package monitoring

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"go.yaml.in/yaml/v3"

	"github.com/softdelete-exporter/softdelete_exporter/internal/pgserver"
	"github.com/softdelete-exporter/softdelete_exporter/internal/pgserver/pgtest"
)

// files returns the files that match a pattern. There must be at least one.
func files(t *testing.T, pattern string) []string {
	t.Helper()
	found, err := filepath.Glob(pattern)
	if err != nil || len(found) == 0 {
		t.Fatalf("no %s: %v", pattern, err)
	}
	return found
}

func TestPrometheusAcceptsTheExamples(t *testing.T) {
	for _, promtool := range find(t, "promtool") {
		for _, file := range files(t, "../../examples/prometheus/*.yml") {
			if out, err := exec.Command(promtool, "check", "config", "--lint-fatal", file).CombinedOutput(); err != nil {
				t.Errorf("%s: %v\n%s", promtool, err, out)
			}
		}
	}
}

func TestAlertmanagerAcceptsTheExample(t *testing.T) {
	const file = "../../examples/alertmanager/alertmanager.yml"
	run(t, "amtool", "check-config", file)
	for alert, want := range map[string]string{
		"alertname=SoftDeleteRatioHigh severity=warning service=accounts":  "accounts",
		"alertname=SoftDeleteIndexMissing severity=info service=catalogue": "shop",
		"alertname=SoftDeleteRatioHigh severity=warning service=other":     "databases",
		"alertname=SoftDeleteDatabaseDown severity=critical":               "on-call",
		"alertname=SoftDeleteDatabaseSlow severity=warning":                "databases",
		"alertname=NodeFilesystemFull severity=critical":                   "everything-else",
	} {
		args := append([]string{"config", "routes", "test", "--config.file=" + file}, strings.Fields(alert)...)
		if got := strings.TrimSpace(run(t, "amtool", args...)); got != want {
			t.Errorf("%s goes to %s, want %s", alert, got, want)
		}
	}
}

// systemd ignores settings that it does not know, and logs that.
func TestSystemdAcceptsTheExamples(t *testing.T) {
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("../../examples/systemd")); err != nil {
		t.Fatal(err)
	}
	const installed = "/usr/local/bin/softdelete_exporter"
	units := files(t, filepath.Join(dir, "*.s*t")) // the socket
	units = append(units, files(t, filepath.Join(dir, "*.service"))...)
	for _, file := range append(files(t, filepath.Join(dir, "*", "*.conf")),
		files(t, filepath.Join(dir, "*.service"))...) {
		text := edit(t, read(t, file), installed, "/bin/true")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	verifyUnits(t, dir, units)
	const purge = "../../examples/purge/"
	verifyUnits(t, purge, append(files(t, purge+"*.service"), files(t, purge+"*.timer")...))
}

// verifyUnits fails the test if systemd has anything to say about the units of a directory.
func verifyUnits(t *testing.T, dir string, units []string) {
	t.Helper()
	cmd := exec.Command("systemd-analyze", append([]string{"verify", "--man=no"}, units...)...)
	cmd.Env = append(os.Environ(), "SYSTEMD_UNIT_PATH="+dir+":")
	if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("systemd-analyze: %v\n%s", err, out)
	}
}

// execStart matches the command lines of a unit.
var execStart = regexp.MustCompile(`(?m)^ExecStart=/usr/local/bin/softdelete_exporter (.+)$`)

// The exporter understands the flags and variables of the units and of the Deployment: it starts with them and answers
// the probes.
func TestExporterStartsAsTheExamplesSay(t *testing.T) {
	binary := build(t)
	dir := t.TempDir()
	var d struct {
		Spec struct {
			Template struct {
				Spec struct {
					Containers []struct {
						Args                          []string
						Env                           []struct{ Name, Value string }
						LivenessProbe, ReadinessProbe struct {
							HTTPGet struct{ Path string } `yaml:"httpGet"`
						}
					}
				}
			}
		}
	}
	if err := yaml.Unmarshal([]byte(read(t, "../../examples/kubernetes/deployment.yaml")), &d); err != nil {
		t.Fatal(err)
	}
	container := d.Spec.Template.Spec.Containers[0]
	var m struct{ Data map[string]string }
	if err := yaml.Unmarshal([]byte(read(t, "../../examples/kubernetes/configmap.yaml")), &m); err != nil {
		t.Fatal(err)
	}
	for path, text := range map[string]string{
		"config/config.yaml": m.Data["config.yaml"],
		"config.yaml":        read(t, "../../examples/exporter/config.yaml"),
		"secret/dsn":         "postgres://nobody@127.0.0.1:1/shop",
		"dsn":                "postgres://nobody@127.0.0.1:1/shop",
	} {
		file := filepath.Join(dir, path)
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	here := func(text string) string { return strings.ReplaceAll(text, "/etc/softdelete_exporter", dir) }
	begin := func(args, env []string, ready string) {
		address := freeAddress(t)
		p := start(t, "http://"+address+ready, env, binary, append(args, "--web.listen-address="+address)...)
		if page := get(t, "http://"+address+"/metrics"); !strings.Contains(page, "\ndb_up 0\n") {
			t.Errorf("it does not know its database:\n%s", page)
		}
		p.stop(t)
	}

	var args, env []string
	for _, arg := range container.Args {
		args = append(args, here(arg))
	}
	for _, v := range container.Env {
		env = append(env, v.Name+"="+here(v.Value))
	}
	for _, path := range []string{"/-/healthy", "/-/ready"} {
		begin(slices.Clone(args), env, path)
	}

	unit := read(t, "../../examples/systemd/softdelete_exporter.service")
	command := execStart.FindStringSubmatch(unit)
	if command == nil || !strings.Contains(unit, "\nEnvironment=DATA_SOURCE_NAME_FILE=%d/dsn\n") ||
		!strings.Contains(unit, "\nLoadCredential=dsn:/etc/softdelete_exporter/dsn\n") {
		t.Fatalf("the unit starts %q", command)
	}
	begin(strings.Fields(here(command[1])), []string{"DATA_SOURCE_NAME_FILE=" + dir + "/dsn"}, "/-/ready")
}

// Prometheus itself reports its targets and their labels.
func TestServersAreSharedOutAmongPrometheusAndExporters(t *testing.T) {
	text := read(t, "../../examples/prometheus/sharded.yml")
	text = edit(t, text, "rules/*.yaml", filepath.Join(compile(t, "compressed.jsonnet"), "*.yaml"),
		"alertmanager.example.com:9093", freeAddress(t))
	type targets struct {
		ActiveTargets []struct {
			Labels, DiscoveredLabels map[string]string
			ScrapeURL                string
		}
		DroppedTargets []any
	}
	all := regexp.MustCompile(`(?m)^ +- (db-\d\.example\.com\S+)$`).FindAllStringSubmatch(text, -1)
	if len(all) < 4 {
		t.Fatalf("the example has the servers %v", all)
	}
	exporter := regexp.MustCompile(
		`^http://exporter-[012]\.example\.com:10862/probe\?auth_module=monitoring&target=(.+)$`)
	for _, binary := range find(t, "prometheus") {
		asked := map[string]int{}
		for number := range 2 {
			p := startPrometheus(t, binary, edit(t, text, "regex: '0'", fmt.Sprintf("regex: '%d'", number)))
			var found targets
			await(t, "all targets to be known", func() bool {
				found = ask[targets](t, p, "targets", url.Values{})
				return len(found.ActiveTargets)+len(found.DroppedTargets) == len(all)
			})
			if len(found.ActiveTargets) == 0 {
				t.Errorf("number %d has nothing to do", number)
			}
			for _, target := range found.ActiveTargets {
				instance := target.Labels["instance"]
				asked[instance]++
				page := exporter.FindStringSubmatch(target.ScrapeURL)
				if page == nil || page[1] != url.QueryEscape(instance) {
					t.Errorf("%s is asked for by %s", instance, target.ScrapeURL)
				}
			}
		}
		for _, server := range all {
			if asked[server[1]] != 1 {
				t.Errorf("%s is asked for by %d of the Prometheus servers, want 1", server[1], asked[server[1]])
			}
		}
	}
}

// Two exporters with the same configuration share the servers: each server is always read by the same one.
// PostgreSQL's sessions show that.
func TestReplicasShareTheServersOut(t *testing.T) {
	pg := pgtest.Start(t, pgserver.Options{})
	dsn := pg.DSN("postgres", pgserver.Superuser)
	text := read(t, "../../examples/prometheus/sharded.yml")
	text = edit(t, text, "_interval: 30s", "_interval: 1s", "scrape_timeout: 15s", "scrape_timeout: 1s",
		"rules/*.yaml", filepath.Join(compile(t, "compressed.jsonnet"), "*.yaml"), "alertmanager.example.com:9093",
		freeAddress(t),
		"regex: '0'", "regex: '[01]'", "modulus: 3", "modulus: 2")
	var databases []string
	text = regexp.MustCompile(`(?m)^( +- )db-\d\.example\.com:5432/(\w+)\n`).ReplaceAllStringFunc(text,
		func(line string) string {
			indent, name, _ := strings.Cut(line, "- ")
			var lines strings.Builder
			for i := range 3 {
				database := fmt.Sprintf("%s_%d", strings.TrimSpace(name[strings.LastIndex(name, "/")+1:]), i)
				databases = append(databases, database)
				fmt.Fprintf(&lines, "%s- 127.0.0.1:%d/%s\n", indent, pg.Port, database)
			}
			return lines.String()
		})
	if len(databases) < 12 {
		t.Fatalf("the example has the databases %v", databases)
	}
	for _, database := range databases {
		pgtest.Exec(t, dsn, "CREATE DATABASE "+database)
	}

	// The replicas listen on two addresses of this machine, and each has its own role.
	_, port, err := net.SplitHostPort(freeAddress(t))
	if err != nil {
		t.Fatal(err)
	}
	text = edit(t, text, "exporter-$1.example.com:10862", "127.0.0.1$1:"+port)
	binary := build(t)
	for replica := range 2 {
		user := fmt.Sprintf("replica_%d", replica)
		pgtest.Exec(t, dsn, "CREATE ROLE "+user+" LOGIN")
		config := "ttl: 1s\nmax_stale: 1m\nscrape: {offset: 100ms}\nlimits: {connections: 40}\n" +
			"probe: {allow: ['127\\.0\\.0\\.1:\\d+/\\w+']}\n" +
			"auth_modules:\n  monitoring: {user: " + user + ", sslmode: disable}\n"
		address := fmt.Sprintf("127.0.0.1%d:%s", replica, port)
		start(t, "http://"+address+"/-/ready", nil, binary, "--config.file="+write(t, "config.yaml", config),
			"--web.listen-address="+address)
	}

	for _, binary := range find(t, "prometheus") {
		p := startPrometheus(t, binary, text)
		await(t, "three scrapes of every server", func() bool {
			return len(p.query(t, `db_up == 1 and on (instance) count_over_time(db_up[1m]) >= 3`)) == len(databases)
		})
	}
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.WithoutCancel(t.Context()))
	rows, err := conn.Query(t.Context(),
		"SELECT datname, usename FROM pg_stat_activity WHERE usename LIKE 'replica%' GROUP BY 1, 2")
	if err != nil {
		t.Fatal(err)
	}
	type asked struct{ Datname, Usename string }
	all, err := pgx.CollectRows(rows, pgx.RowToStructByPos[asked])
	if err != nil {
		t.Fatal(err)
	}
	by, share := map[string][]string{}, map[string]int{}
	for _, a := range all {
		by[a.Datname] = append(by[a.Datname], a.Usename)
		share[a.Usename]++
	}
	for _, database := range databases {
		if len(by[database]) != 1 {
			t.Errorf("%s is asked by %v, want one", database, by[database])
		}
	}
	if len(share) != 2 {
		t.Errorf("the servers are shared out as %v, want two to have some", share)
	}
}
