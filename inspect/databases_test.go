package inspect

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/softdelete-exporter/softdelete_exporter/internal/pgserver"
	"github.com/softdelete-exporter/softdelete_exporter/internal/pgserver/pgtest"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// with creates databases with one table each, until the test ends.
func with(t *testing.T, server *pgserver.Server, names ...string) {
	t.Helper()
	admin := server.DSN("postgres", superuser)
	for _, name := range names {
		pgtest.CreateDatabase(t, server, name)
		pgtest.Exec(t, server.DSN(name, superuser), deletedAt("users"))
		t.Cleanup(func() { pgtest.Exec(t, admin, "DROP DATABASE IF EXISTS "+name) })
	}
}

// checks returns the checks of every database of a Snapshot.
func checks(s *softdelete.Snapshot) map[string]softdelete.Checks {
	all := map[string]softdelete.Checks{}
	for _, d := range s.Databases {
		all[d.Name] = d.Checks
	}
	return all
}

var passed = softdelete.Checks{Connect: true, Discovery: true, Counting: true, Indexes: true}

func TestManyDatabases(t *testing.T) {
	t.Parallel()
	server := pgtest.Start(t, pgserver.Options{HBA: []string{"host barred watcher 127.0.0.1/32 reject"}})
	t.Run("come and go", func(t *testing.T) { databasesComeAndGo(t, server) })
	t.Run("one is dropped under us", func(t *testing.T) { databaseDroppedUnderUs(t, server) })
	t.Run("one hangs", func(t *testing.T) { databaseHangs(t, server) })
	t.Run("some refuse us", func(t *testing.T) { databasesRefuseUs(t, server) })
}

func databasesComeAndGo(t *testing.T, server *pgserver.Server) {
	admin := server.DSN("postgres", superuser)
	with(t, server, "one", "two", "three", "rdsadmin", "cloudsqladmin", "azure_maintenance", "template", "closed")
	pgtest.Exec(t, admin, "ALTER DATABASE template IS_TEMPLATE true; ALTER DATABASE closed ALLOW_CONNECTIONS false")
	defer pgtest.Exec(t, admin, "ALTER DATABASE template IS_TEMPLATE false")
	i := inspector(t, admin, "databases: {all: true}")
	stop := atMost(t, admin, pgtest.AllOurSessions, 2)

	dropped := false
	s := refreshAfter(t, i, empty(t, i), func(*softdelete.Snapshot) {
		if !dropped { // during a refresh, one that was not visited yet
			dropped = true
			pgtest.Exec(t, admin, "DROP DATABASE two")
			with(t, server, "four")
		}
	})
	if diff := cmp.Diff(map[string]softdelete.Checks{"one": passed, "postgres": passed, "three": passed},
		checks(s)); diff != "" {
		t.Errorf("after the refresh in which one was dropped (-want +got):\n%s", diff)
	}
	s = refreshAfter(t, i, s, nil)
	want := map[string]string{"four: public.users": "10 4 3", "one: public.users": "10 4 3",
		"three: public.users": "10 4 3"}
	if diff := cmp.Diff(want, told(s)); diff != "" {
		t.Errorf("after the next one (-want +got):\n%s", diff)
	}
	stop()

	// Between refreshes the exporter does not prevent anything.
	if p := i.Ping(t.Context()); !p.Up {
		t.Errorf("ping: %s", p.Err)
	}
	for _, name := range []string{"one", "three", "four"} {
		if n := pgtest.Sessions(t, server.DSN(name, superuser)); n != 0 {
			t.Errorf("CREATE DATABASE TEMPLATE %s has to wait for %d sessions of ours", name, n)
		}
		pgtest.Exec(t, admin, fmt.Sprintf("CREATE DATABASE copy TEMPLATE %s", name))
		pgtest.Exec(t, admin, "DROP DATABASE copy")
	}

	counter := softdelete.CostKey{Datname: "three", Result: softdelete.Success}
	if i.Costs.All()[counter].Queries == 0 {
		t.Error("nothing was asked of three")
	}
	pgtest.Exec(t, admin, "DROP DATABASE three")
	refreshAfter(t, i, s, nil)
	if _, kept := i.Costs.All()[counter]; kept {
		t.Error("the counters of a database that was dropped are kept")
	}
}

// A database that does not answer does not affect the others either: they get their turn, and before it.
func databaseHangs(t *testing.T, server *pgserver.Server) {
	admin := server.DSN("postgres", superuser)
	with(t, server, "one", "two")
	m := newMigration(t, server.DSN("one", superuser))
	m.do("BEGIN; LOCK TABLE pg_catalog.pg_class IN ACCESS EXCLUSIVE MODE") // like VACUUM FULL
	i := inspector(t, admin, "databases: {names: [one, two]}")
	s := first(t, i)
	if diff := cmp.Diff(map[string]softdelete.Checks{"one": {}, "two": passed}, checks(s)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if p := s.Databases[0].Problem; p == nil || p.Reason != softdelete.TimedOut || s.Databases[1].Problem != nil {
		t.Errorf("the reasons are %+v and %+v", p, s.Databases[1].Problem)
	}
	if names, err := i.newRefresh(s, nil).databaseNames(t.Context()); err != nil || names[0] != "two" {
		t.Errorf("the next pass visits %v, %v", names, err)
	}
	m.do("COMMIT")
	s = refreshAfter(t, i, s, nil)
	if diff := cmp.Diff(map[string]softdelete.Checks{"one": passed, "two": passed},
		checks(s)); diff != "" || s.Databases[0].Problem != nil {
		t.Errorf("once it answers (-want +got):\n%s", diff)
	}
}

// A database that is dropped while it is counted does not affect another.
func databaseDroppedUnderUs(t *testing.T, server *pgserver.Server) {
	admin := server.DSN("postgres", superuser)
	with(t, server, "one", "two", "three")
	i := inspector(t, admin, "databases: {all: true}")
	s := refreshAfter(t, i, empty(t, i), func(s *softdelete.Snapshot) {
		if _, reached := checks(s)["three"]; reached && s.Databases[len(s.Databases)-1].Name == "three" {
			pgtest.Exec(t, admin, "DROP DATABASE IF EXISTS three WITH (FORCE)")
		}
	})
	want := map[string]string{"one: public.users": "10 4 3", "two: public.users": "10 4 3"}
	if diff := cmp.Diff(want, told(s)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// A database that refuses the connection does not affect the others either.
func databasesRefuseUs(t *testing.T, server *pgserver.Server) {
	admin := server.DSN("postgres", superuser)
	with(t, server, "barred", "crowded", "open", "revoked")
	pgtest.Exec(t, admin, `CREATE ROLE watcher LOGIN IN ROLE pg_read_all_data;
		ALTER DATABASE crowded CONNECTION LIMIT 0;
		REVOKE CONNECT ON DATABASE revoked FROM PUBLIC`)
	counted := "10 4 3"
	t.Run("all", func(t *testing.T) {
		s := first(t, inspector(t, server.DSN("postgres", "watcher"), "databases: {all: true}"))
		want := map[string]softdelete.Checks{"barred": {}, "crowded": {}, "open": passed, "postgres": passed}
		if diff := cmp.Diff(want, checks(s)); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		if got := told(s)["open: public.users"]; got != counted {
			t.Errorf("open: %q", got)
		}
	})
	t.Run("a list", func(t *testing.T) {
		i := inspector(t, server.DSN("postgres", "watcher"), "databases: {names: [barred, crowded, missing, open, revoked]}")
		s := first(t, i)
		want := map[string]softdelete.Checks{"barred": {}, "crowded": {}, "missing": {}, "open": passed, "revoked": {}}
		if diff := cmp.Diff(want, checks(s)); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		if got := told(s)["open: public.users"]; got != counted {
			t.Errorf("open: %q", got)
		}
		for _, d := range s.Databases {
			if d.Checks.Connect == (d.Problem != nil) {
				t.Errorf("%s: %+v for the reason %+v", d.Name, d.Checks, d.Problem)
			}
		}
		// They recover.
		pgtest.Exec(t, admin, `ALTER DATABASE crowded CONNECTION LIMIT -1; GRANT CONNECT ON DATABASE revoked TO PUBLIC`)
		s = refreshAfter(t, i, s, nil)
		want["crowded"], want["revoked"] = passed, passed
		if diff := cmp.Diff(want, checks(s)); diff != "" {
			t.Errorf("after both were let in (-want +got):\n%s", diff)
		}
	})
}

// The only database keeps its name and its numbers, whatever the reason for a refused connection.
func TestWhatIsKnownOutlivesARefusedConnection(t *testing.T) {
	t.Parallel()
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	name, its := role(t, dsn)
	pgtest.Exec(t, dsn, deletedAt("users")+fmt.Sprintf(`GRANT SELECT ON users TO %q`, name))
	i := inspector(t, its, "")
	s := first(t, i)
	for _, test := range []struct{ refused, how, back string }{
		{"too many connections", "ALTER ROLE %[1]q CONNECTION LIMIT 0", "ALTER ROLE %[1]q CONNECTION LIMIT -1"},
		{"no privilege", "REVOKE CONNECT ON DATABASE %[1]q FROM PUBLIC", "GRANT CONNECT ON DATABASE %[1]q TO PUBLIC"},
		{"no login", "ALTER ROLE %[1]q NOLOGIN", "ALTER ROLE %[1]q LOGIN"},
		{"another name",
			"SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = '%[1]s'; ALTER DATABASE %[1]q " +
				"RENAME TO aside", "ALTER DATABASE aside RENAME TO %[1]q"},
	} {
		admin := pgtest.Shared(t).DSN("postgres", superuser)
		pgtest.Exec(t, admin, fmt.Sprintf(test.how, name))
		lost := refreshAfter(t, i, s, nil)
		if diff := cmp.Diff(map[string]softdelete.Checks{name: {}}, checks(lost)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.refused, diff)
		}
		if diff := cmp.Diff(told(s), told(lost)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.refused, diff)
		}
		if !lost.Taken.Equal(s.Taken) {
			t.Errorf("%s: the refresh counts as one that could connect", test.refused)
		}
		if p := i.Ping(t.Context()); p.Up {
			t.Errorf("%s: the ping is up", test.refused)
		}
		pgtest.Exec(t, admin, fmt.Sprintf(test.back, name))
		if back := refreshAfter(t, i, lost, nil); checks(back)[name] != passed || !back.Taken.After(s.Taken) {
			t.Errorf("%s, then none: %+v", test.refused, checks(back))
		}
	}
}

func TestAServerThatIsLostInMidRefreshIsAskedAgainOnceItIsBack(t *testing.T) {
	t.Parallel()
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	pgtest.Exec(t, dsn, deletedAt("users"))
	front := pgtest.NewFront(t, dsn)
	i := inspector(t, front.DSN, "")
	s := refreshAfter(t, i, empty(t, i), func(*softdelete.Snapshot) {
		front.Behave(pgtest.Starting)
		front.HangUp()
	})
	if !s.Taken.IsZero() {
		t.Error("the refresh counts as one that could connect")
	}
	if got := told(s)["public.users"]; got != "pending" {
		t.Errorf("the table is %q", got)
	}
	front.Behave(pgtest.Forwarding)
	if got := told(refreshAfter(t, i, s, nil))["public.users"]; got != "10 4 3" {
		t.Errorf("afterwards the table is %q", got)
	}
}

func TestPasswordsAreInNoError(t *testing.T) {
	t.Parallel()
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	name, its := role(t, dsn)
	if err := pgtest.Shared(t).AppendHBA(t.Context(), "host all "+name+" 127.0.0.1/32 scram-sha-256"); err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(its)
	if err != nil {
		t.Fatal(err)
	}
	u.User = url.UserPassword(name, "wr0ng")
	i := inspector(t, u.String(), "")
	p := i.Ping(t.Context())
	if p.Up || !strings.Contains(p.Err, "password") || strings.Contains(p.Err, "wr0ng") {
		t.Errorf("ping: %+v", p)
	}
	if err := i.Check(t.Context()); err == nil || errors.As(err, new(*ConfigError)) ||
		strings.Contains(err.Error(), "wr0ng") {
		t.Errorf("check: %v", err)
	}
}
