//go:build e2e

// Package purge tests the printed purge with a real psql, on generated databases whose rows are labelled when they
// are made.
package purge

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/softdelete-exporter/softdelete_exporter/internal/pgserver"
	"github.com/softdelete-exporter/softdelete_exporter/internal/pgserver/pgtest"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

// worlds is how many databases are generated for each version.
const worlds = 34

// The purge removes only deleted rows past their retention, and the printed script works.
func TestThePurgeRemovesWhatIsPastRetentionAndNothingElse(t *testing.T) {
	exporter := build(t)
	var tallied tally
	t.Run("versions", func(t *testing.T) {
		for v, version := range []string{"14", "15", "18"} {
			t.Run(version, func(t *testing.T) {
				server := start(t, version)
				for n := range worlds {
					w := newWorld(uint64(v*worlds+n+1), version)
					t.Run(fmt.Sprint("seed ", w.seed), func(t *testing.T) {
						t.Parallel()
						if faults := w.run(t, server, exporter, &tallied, as); len(faults) > 0 {
							t.Errorf("%s\n%s", strings.Join(faults, "\n"), w.sql.String())
						}
					})
				}
			})
		}
	})
	t.Log(tallied.String())
}

// build builds the program.
func build(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "softdelete_exporter")
	if out, err := exec.Command("go", "build", "-o", path, "../..").CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	return path
}

// start starts a server with the roles that every database needs.
func start(t *testing.T, version string) *pgserver.Server {
	t.Helper()
	server := pgtest.Start(t, pgserver.Options{Version: version,
		Settings: map[string]string{"wal_level": "logical", "log_min_messages": "fatal"}})
	pgtest.Exec(t, server.DSN("postgres", pgserver.Superuser), `
		CREATE ROLE app_owner LOGIN; CREATE ROLE stranger LOGIN;
			CREATE ROLE watcher LOGIN BYPASSRLS IN ROLE pg_read_all_data`)
	pgtest.Exec(t, server.DSN("postgres", pgserver.Superuser), "CREATE DATABASE foundation")
	pgtest.Exec(t, server.DSN("foundation", pgserver.Superuser), foundation)
	pgtest.Exec(t, server.DSN("postgres", pgserver.Superuser), "CREATE DATABASE visited TEMPLATE foundation")
	pgtest.Exec(t, server.DSN("visited", pgserver.Superuser), stranger)
	return server
}

// tally counts, for each obstacle, the tables with and without a script.
type tally struct {
	sync.Mutex
	printed, withheld map[string]int
	removed           int
}

func (y *tally) add(obstacle string, printed bool) {
	y.Lock()
	defer y.Unlock()
	if y.printed == nil {
		y.printed, y.withheld = map[string]int{}, map[string]int{}
	}
	if printed {
		y.printed[obstacle]++
	} else {
		y.withheld[obstacle]++
	}
}

func (y *tally) String() string {
	var all []string
	for o := range y.printed {
		all = append(all, o)
	}
	for o := range y.withheld {
		if y.printed[o] == 0 {
			all = append(all, o)
		}
	}
	slices.Sort(all)
	text := fmt.Sprintf("%d rows were removed. Scripts printed and withheld, per obstacle:\n", y.removed)
	for _, o := range all {
		text += fmt.Sprintf("%6d %6d  %s\n", y.printed[o], y.withheld[o], o)
	}
	return text
}

// as returns a script unchanged.
func as(script string) string { return script }

// run makes the database, prints the script, rehearses it and runs it, and returns everything that is wrong. change
// breaks the script on purpose.
func (w *world) run(t *testing.T, server *pgserver.Server, exporter string, tallied *tally,
	change func(string) string) (faults []string) {
	fault := func(format string, args ...any) { faults = append(faults, fmt.Sprintf(format, args...)) }
	create := "CREATE DATABASE " + ident(w.database) + " TEMPLATE " + w.template()
	if server.Major >= 15 {
		create += " STRATEGY file_copy" // through WAL it takes longer
	}
	pgtest.Exec(t, server.DSN("postgres", pgserver.Superuser), create)
	pgtest.Exec(t, server.DSN(w.database, pgserver.Superuser), w.sql.String())

	script, faults := w.print(t, server, exporter, tallied)
	if w.byIndex {
		script = strings.ReplaceAll(script, "by_index constant boolean := false", "by_index constant boolean := true")
	}
	script = change(script)
	before := w.state(t, server)
	user := "app_owner"
	if w.superuser {
		user = pgserver.Superuser
		// A table whose script fails must not prevent the other tables' scripts.
		script = strings.Replace(script, `\set ON_ERROR_STOP on`, `\set ON_ERROR_STOP off`, 1)
	}
	dsn := server.DSN("postgres", user)
	said, err := psql(t, dsn, strings.ReplaceAll(script, "rehearsal constant boolean := false",
		"rehearsal constant boolean := true"))
	if err != nil {
		fault("the rehearsal: %v\n%s", err, said)
	}
	if diff := cmp.Diff(before, w.state(t, server)); diff != "" {
		fault("a rehearsal has changed something (-before +after):\n%s\n%s", diff, said)
	}
	removed := 0
	for runs := 1; ; runs++ {
		said, err = psql(t, dsn, script)
		if err != nil {
			fault("the purge: %v\n%s", err, said)
		}
		done := strings.Count(said, ": removed ") == strings.Count(said, ": removed 0 rows.")
		if runs > 1 && (done || !w.circular() || runs == 12) { // tables that reference each other need several runs
			if !done || removed == 0 && before.going() > 0 {
				fault("after %d runs that removed something, the last one says %s", removed, said)
			}
			break
		}
		if !done {
			removed++
		}
	}
	want := before.purged()
	want["app.record"] = fmt.Sprint(w.recorded())
	if diff := cmp.Diff(want, w.state(t, server)); diff != "" {
		fault("after the purge (-want +got):\n%s\n%s", diff, said)
	}
	tallied.Lock()
	tallied.removed += before.going()
	tallied.Unlock()
	return faults
}

// template is the database to copy: foundation, or visited if a stranger was there.
func (w *world) template() string {
	if w.hostile {
		return "visited"
	}
	return "foundation"
}

// recorded returns how many rows the trigger should record.
func (w *world) recorded() (n int) {
	for _, t := range w.tables {
		for _, r := range t.rows {
			if t.audited && r.goes {
				n++
			}
		}
	}
	return n
}

// circular reports whether several tables reference each other.
func (w *world) circular() bool {
	for i, t := range w.tables {
		for _, k := range t.keys {
			if slices.Index(w.tables, k.parent) > i {
				return true
			}
		}
	}
	return false
}

// print prints the script with the exporter. It returns a fault for each table that has no script although it has no
// obstacle, or has a script despite one.
func (w *world) print(t *testing.T, server *pgserver.Server, exporter string, tallied *tally) (script string,
	faults []string) {
	t.Helper()
	script, err := print(t, exporter, server.DSN(w.database, "watcher"), w.entries.String(), w.flags...)
	printed := 0
	for _, table := range w.tables {
		if table.shape.name == "no marker" {
			continue
		}
		withheld := strings.Contains(script, "No script for "+commented(table.schema+"."+table.name)+":")
		tallied.add(or(strings.Join(table.obstacles, ", "), "none"), !withheld)
		if !withheld {
			printed++
		}
		if want := len(table.obstacles) > 0 && table.obstacles[0] != ownersCode; withheld != want {
			faults = append(faults, fmt.Sprintf("for %s (%s, %s; obstacles: %q) withheld is %v", table, table.shape.name,
				table.key.name, table.obstacles, withheld))
		}
	}
	if n := strings.Count(script, "\nDO $"); n != printed {
		faults = append(faults, fmt.Sprintf("%d scripts are printed, want %d", n, printed))
	}
	if err != nil && printed > 0 {
		faults = append(faults, err.Error())
	}
	if len(faults) > 0 {
		faults = append(faults, nothing(script))
	}
	return script, faults
}

// print runs purge-script on all tables of a database.
func print(t *testing.T, exporter, dsn, entries string, flags ...string) (string, error) {
	t.Helper()
	config := filepath.Join(t.TempDir(), "config.yaml")
	if err := os.WriteFile(config, []byte("limits: {statement_timeout: 20s}\ntables:\n"+entries), 0o600); err != nil {
		t.Fatal(err)
	}
	command := exec.Command(exporter, append([]string{"purge-script", "--all", "--rest=0", "--config.file=" + config},
		flags...)...)
	command.Env = append(os.Environ(), "DATA_SOURCE_NAME="+dsn)
	var stderr strings.Builder
	command.Stderr = &stderr
	out, err := command.Output()
	if err != nil {
		err = fmt.Errorf("%w: %s", err, stderr.String())
	}
	return string(out), err
}

// nothing returns the lines that say why a table has no script.
func nothing(script string) string {
	var lines []string
	for line := range strings.Lines(script) {
		if strings.HasPrefix(line, "--   ") || strings.HasPrefix(line, "-- Nothing") {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "")
}

// commented returns a name as written in a comment of the script.
func commented(name string) string {
	var text strings.Builder
	for _, r := range name {
		if unicode.IsPrint(r) {
			text.WriteRune(r)
		} else {
			fmt.Fprintf(&text, `\%04X`, r)
		}
	}
	return text.String()
}

// psql runs a script and returns its output.
func psql(t *testing.T, dsn, script string) (string, error) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "script.sql")
	if err := os.WriteFile(file, []byte(script), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("psql", "-X", "-q", "-d", dsn, "-f", file).CombinedOutput()
	return string(out), err
}

// state describes what a purge may change and what it must not change: rows by table and label, and the server's
// roles.
type state map[string]string

// state reads the database as a role that runs no other user's code with a superuser's rights.
func (w *world) state(t *testing.T, server *pgserver.Server) state {
	t.Helper()
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, server.DSN(w.database, "watcher"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(ctx)
	if _, err := conn.Exec(ctx,
		"SET search_path = pg_catalog; SET TimeZone = 'UTC'; SET DateStyle = 'ISO'; SET extra_float_digits = 1; SET "+
			"row_security = on"); err != nil {
		t.Fatal(err)
	}
	var ask string
	if err := conn.QueryRow(ctx, `
		SELECT string_agg(format('SELECT %L || '' '' || COALESCE(x.label, ''keep''), count(*) || '' '' ||
				COALESCE(md5(string_agg(x::text, '';'' ORDER BY x::text COLLATE "C")), '''')
				FROM %I.%I x GROUP BY x.label',
			n.nspname || '.' || c.relname, n.nspname, c.relname), ' UNION ALL ') || $$
			UNION ALL SELECT 'role ' || rolname, rolsuper::text || rolcreaterole FROM pg_roles
			UNION ALL SELECT 'evidence', is_called::text FROM public.evidence
			UNION ALL SELECT 'app.record', count(*)::text FROM app.record WHERE label = 'go'
			UNION ALL SELECT 'relations', count(*)::text FROM pg_class$$
		FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
		WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND n.nspname IN ('public', 'app',
			'Odd "schema"') AND c.relname <> 'record'`).Scan(&ask); err != nil {
		t.Fatal(err)
	}
	rows, err := conn.Query(ctx, ask)
	if err != nil {
		t.Fatal(err)
	}
	found := state{}
	var name, value string
	if _, err := pgx.ForEachRow(rows, []any{&name, &value},
		func() error { found[name] = value; return nil }); err != nil {
		t.Fatalf("%v\n%s", err, ask)
	}
	return found
}

// purged returns the state after everything that should go has gone.
func (s state) purged() state {
	left := state{}
	for name, value := range s {
		if !strings.HasSuffix(name, " go") && !strings.HasSuffix(name, " along") {
			left[name] = value
		}
	}
	left["evidence"] = "false" // no stranger's code has run
	return left
}

// going counts the rows that should go.
func (s state) going() (n int) {
	for name, value := range s {
		if strings.HasSuffix(name, " go") {
			count, _, _ := strings.Cut(value, " ")
			rows, err := strconv.Atoi(count)
			if err != nil {
				panic(err)
			}
			n += rows
		}
	}
	return n
}

func or(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}
