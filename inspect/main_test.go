package inspect

import (
	"cmp"
	"fmt"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/go-kit/log"
	"github.com/jackc/pgx/v5"

	"github.com/softdelete-exporter/softdelete_exporter/config"
	"github.com/softdelete-exporter/softdelete_exporter/conninfo"
	"github.com/softdelete-exporter/softdelete_exporter/internal/configtest"
	"github.com/softdelete-exporter/softdelete_exporter/internal/pgserver"
	"github.com/softdelete-exporter/softdelete_exporter/internal/pgserver/pgtest"
	"github.com/softdelete-exporter/softdelete_exporter/postgres"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

// load reads a configuration on top of the built-in one. Its limits, unless the test sets them, are so high that a
// busy machine does not look like a slow table.
func load(t testing.TB, text string) *config.Config {
	t.Helper()
	if !strings.Contains(text, "limits:") {
		text = "limits: {statement_timeout: 10s}\n" + text
	}
	return configtest.Load(t, text)
}

// inspector makes an Inspector for the server of a connection string. After the test no connection must be left.
func inspector(t *testing.T, dsn, text string) *Inspector {
	t.Helper()
	c := load(t, text)
	i := New(func() *config.Config { return c }, postgres.NewServer(postgres.Options{
		Source:      source(t, dsn),
		Connections: postgres.NewConnections(c.Limits.Connections),
		Costs:       &softdelete.Costs{},
		Logger:      log.NewNopLogger(),
	}))
	t.Cleanup(func() {
		i.Close()
		if free := i.Connections.Free(); free != c.Limits.Connections {
			t.Errorf("%d of %d connections are free after the test", free, c.Limits.Connections)
		}
	})
	return i
}

// refreshAfter makes the Snapshot after the given one. It calls at, which may be nil, after each discovery while the
// refresh waits.
func refreshAfter(t *testing.T, i *Inspector, previous *softdelete.Snapshot,
	at func(*softdelete.Snapshot)) *softdelete.Snapshot {
	t.Helper()
	var published []*softdelete.Snapshot
	i.Refresh(t.Context(), previous, func(s *softdelete.Snapshot) {
		published = append(published, s)
		if at != nil {
			at(s)
		}
	})
	if len(published) == 0 {
		t.Fatal("the refresh published nothing")
	}
	return published[len(published)-1]
}

// first makes the first Snapshot of a server.
func first(t *testing.T, i *Inspector) *softdelete.Snapshot {
	t.Helper()
	return refreshAfter(t, i, empty(t, i), nil)
}

// discovered returns the first Snapshot with tables. It is for tests in which statements time out, because on a busy
// machine those of discovery may time out, too.
func discovered(t *testing.T, i *Inspector) *softdelete.Snapshot {
	t.Helper()
	var s *softdelete.Snapshot
	pgtest.WaitFor(t, "discovery to succeed", func() bool {
		s = first(t, i)
		return s.Databases[0].Checks.Discovery
	})
	return s
}

// empty returns the Snapshot before the first refresh.
func empty(t *testing.T, i *Inspector) *softdelete.Snapshot {
	t.Helper()
	info, err := i.Source()
	if err != nil {
		t.Fatal(err)
	}
	_, name, err := postgres.ParseSource(info)
	if err != nil {
		t.Fatal(err)
	}
	return softdelete.Empty(name)
}

// told describes each table of a Snapshot: "total deleted old", with - for an unknown number, and its problem.
func told(s *softdelete.Snapshot) map[string]string {
	all := map[string]string{}
	for _, d := range s.Databases {
		for _, t := range d.Tables {
			name := t.Schema + "." + t.Name
			if len(s.Databases) > 1 {
				name = d.Name + ": " + name
			}
			var words []string
			if n := t.Numbers; n != nil {
				old := "-"
				if n.Old != nil {
					old = fmt.Sprint(n.Old.Value)
				}
				words = append(words, fmt.Sprintf("%g %g %s", n.Total.Value, n.Deleted.Value, old))
			}
			if t.Problem != nil {
				words = append(words, string(t.Problem.Reason))
			}
			all[name] = cmp.Or(strings.Join(words, " "), "pending")
		}
	}
	return all
}

// spent returns the costs of an Inspector so far.
func spent(i *Inspector) (sum softdelete.Cost) {
	for _, c := range i.Costs.All() {
		sum.Queries += c.Queries
		sum.Database += c.Database
	}
	return sum
}

// tableNamed returns a table of a Snapshot by its name.
func tableNamed(t *testing.T, s *softdelete.Snapshot, name string) softdelete.Table {
	t.Helper()
	for _, d := range s.Databases {
		for _, table := range d.Tables {
			if table.Name == name {
				return table
			}
		}
	}
	t.Fatalf("the snapshot has no table %s: %v", name, told(s))
	return softdelete.Table{}
}

// database returns the database of a connection string.
func database(t *testing.T, dsn string) string {
	t.Helper()
	info, err := conninfo.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	_, name, err := postgres.ParseSource(info)
	if err != nil {
		t.Fatal(err)
	}
	return name
}

// source returns a function that returns how to connect to the server of a connection string.
func source(t testing.TB, dsn string) func() (*conninfo.Info, error) {
	t.Helper()
	info, err := conninfo.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	return func() (*conninfo.Info, error) { return info, nil }
}

// role creates a role without privileges, named after the database. It returns its name and its connection string,
// and drops it after the test.
func role(t *testing.T, dsn string) (name, its string) {
	t.Helper()
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	name = strings.TrimPrefix(u.Path, "/")
	u.User = url.User(name)
	pgtest.Exec(t, dsn, fmt.Sprintf(`CREATE ROLE %q LOGIN`, name))
	t.Cleanup(func() { pgtest.Exec(t, dsn, fmt.Sprintf(`DROP OWNED BY %[1]q; DROP ROLE %[1]q`, name)) })
	return name, u.String()
}

// asRole replaces the role watcher in statements.
func asRole(sql, role string) string {
	return strings.ReplaceAll(sql, "watcher", pgx.Identifier{role}.Sanitize())
}

// try runs one statement and returns its error.
func try(t *testing.T, dsn, sql string) error {
	t.Helper()
	_, err := pgtest.Connect(t, dsn).Exec(t.Context(), sql)
	return err
}

// waitForLock waits until a session of the exporter waits for a lock in the database. It checks often, because the
// exporter does not wait long.
func waitForLock(t *testing.T, dsn string) {
	t.Helper()
	conn := pgtest.Connect(t, dsn)
	defer conn.Close(t.Context())
	pgtest.WaitFor(t, "the count to wait for a lock", func() (waits bool) {
		if err := conn.QueryRow(t.Context(), `SELECT EXISTS (SELECT FROM pg_stat_activity
			WHERE application_name = 'softdelete_exporter' AND datname = current_database()
				AND wait_event_type = 'Lock')`).Scan(&waits); err != nil {
			t.Fatal(err)
		}
		return waits
	})
}

// deletedAt creates a table of 10 rows, 4 of them deleted, 3 of these past the default retention.
func deletedAt(name string) string {
	return "CREATE TABLE " + name + " AS " + tenRows
}

// tenRows are the rows of deletedAt: 4 of them deleted, 3 past retention.
const tenRows = `SELECT i AS id,
	CASE WHEN i <= 4 THEN now() - i * interval '50 days' END AS deleted_at FROM generate_series(1, 10) i;`

// superuser prepares the tests' databases.
const superuser = pgserver.Superuser
