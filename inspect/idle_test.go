package inspect

import (
	"strings"
	"testing"
	"time"

	"github.com/softdelete-exporter/softdelete_exporter/config"
	"github.com/softdelete-exporter/softdelete_exporter/internal/pgserver"
	"github.com/softdelete-exporter/softdelete_exporter/internal/pgserver/pgtest"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// visited returns the databases that were visited after a Snapshot was made. The others are confirmed all the same.
func visited(t *testing.T, i *Inspector, before *softdelete.Snapshot) (*softdelete.Snapshot, string) {
	t.Helper()
	queries := func() map[string]int64 {
		all := map[string]int64{}
		for key, cost := range i.Costs.All() {
			all[key.Datname] += cost.Queries
		}
		return all
	}
	asked := queries()
	s := refreshAfter(t, i, before, nil)
	var names []string
	for n, d := range s.Databases {
		if queries()[d.Name] > asked[d.Name] && d.Name != "postgres" { // which says whether the others must be visited
			names = append(names, d.Name)
		}
		if last := before.Databases[n]; len(d.Tables) == len(last.Tables) {
			for at := range d.Tables {
				if table := &d.Tables[at]; table.Problem == nil && !table.Checked.After(last.Tables[at].Checked) {
					t.Errorf("%s.%s is not confirmed", d.Name, table.Name)
				}
			}
		}
	}
	return s, strings.Join(names, " ")
}

// settledAll waits until the counters of all databases include all writes.
func settledAll(t *testing.T, server *pgserver.Server, names ...string) {
	t.Helper()
	for _, name := range names {
		settles(t, server.DSN(name, superuser),
			"SELECT sum(tup_inserted + tup_updated + tup_deleted)::int8 FROM pg_stat_database")
	}
}

func TestADatabaseInWhichNothingWasWrittenIsNotVisited(t *testing.T) {
	t.Parallel()
	server := pgtest.Start(t, pgserver.Options{Settings: map[string]string{"autovacuum": "off"}})
	admin := server.DSN("postgres", superuser)
	names := []string{"bare", "one", "two"}
	with(t, server, names...)
	pgtest.Exec(t, server.DSN("bare", superuser), "DROP TABLE users; CREATE TABLE plain (id int)")
	settledAll(t, server, names...)
	text := "databases: {all: true}"
	i := inspector(t, admin, text)
	s := first(t, i)
	s, got := visited(t, i, s)
	if got != "" {
		t.Errorf("without any change %s are visited", got)
	}
	if n := tableNamed(t, s, "users").Numbers; n == nil || n.Deleted.Value != 4 || checks(s)["one"] != passed {
		t.Errorf("the numbers of a database that is not visited: %+v, %+v", n, checks(s)["one"])
	}
	for _, test := range []struct{ name, database, sql, want string }{
		{"a row", "one", "INSERT INTO users VALUES (100)", "one"},
		{"a row of a table that is not watched", "bare", "INSERT INTO plain VALUES (1)", "bare"},
		{"a deletion", "two", "UPDATE users SET deleted_at = now() - interval '2 days' WHERE id = 9", "two"},
		{"a purge", "two", "DELETE FROM users WHERE id = 9", "two"},
		{"truncation", "one", "TRUNCATE users", "one"},
		{"a new table", "bare", "CREATE TABLE users (id int, deleted_at timestamptz)", "bare"},
		{"a new column", "bare", "ALTER TABLE plain ADD removed boolean", "bare"},
		{"statistics", "two", "ANALYZE users", "two"},
		{"a grant", "one", "GRANT SELECT ON users TO PUBLIC", "one"},
		{"an index", "one", "CREATE INDEX ON users (id) WHERE deleted_at IS NULL", "one"},
		{"a dropped table", "bare", "DROP TABLE users", "bare"},
		{"a role", "one", "CREATE ROLE newcomer", "bare one two"},
		{"counters that start at zero", "one", "SELECT pg_stat_reset()", "one"},
		{"counters that may be off", "bare", "ALTER DATABASE bare SET track_counts = off", "bare one two"},
		{"that are still off", "one", "SELECT 1", "bare"},
		{"counters that are on again", "one", "ALTER DATABASE bare RESET track_counts", "bare one two"},
	} {
		pgtest.Exec(t, server.DSN(test.database, superuser), test.sql)
		settledAll(t, server, names...)
		if s, got = visited(t, i, s); got != test.want {
			t.Errorf("after %s the databases %q are visited, want %q", test.name, got, test.want)
		}
		if test.name == "that are still off" { // until then nothing is known about it
			continue
		}
		if s, got = visited(t, i, s); got != "" && !strings.Contains(test.name, "off") {
			t.Errorf("after %s %q are visited twice", test.name, got)
		}
	}
	// Another configuration may mean something else for every table.
	other := load(t, text+"\npolicies: [{tables: [public.users], retention: 1d}]")
	i.Config = func() *config.Config { return other }
	if s, got = visited(t, i, s); got != "bare one two" {
		t.Errorf("after a reload %q are visited", got)
	}
	// A crash sets all counters to zero.
	pgtest.Exec(t, admin, "SELECT pg_stat_reset_shared('bgwriter')")
	if _, got = visited(t, i, s); got != "bare one two" {
		t.Errorf("after a crash %q are visited", got)
	}
}

// What time changes, what failed and what has not had its turn is read, whether something was written or not.
func TestADatabaseInWhichSomethingIsDueIsVisited(t *testing.T) {
	t.Parallel()
	const activity = "as before"
	now := time.Now()
	for name, change := range map[string]func(*softdelete.Database, *softdelete.Table){
		"":                      func(*softdelete.Database, *softdelete.Table) {},
		"its activity":          func(d *softdelete.Database, _ *softdelete.Table) { d.Visit.Activity = "others" },
		"no activity":           func(d *softdelete.Database, _ *softdelete.Table) { d.Visit = nil },
		"another configuration": func(d *softdelete.Database, _ *softdelete.Table) { d.Visit.Reloads = 2 },
		"recount_after":         func(d *softdelete.Database, _ *softdelete.Table) { d.Visit.At = now.Add(-6 * time.Hour) },
		"a failed check":        func(d *softdelete.Database, _ *softdelete.Table) { d.Checks.Counting = false },
		"a problem of the database": func(d *softdelete.Database, _ *softdelete.Table) {
			d.Problem = &softdelete.Problem{}
		},
		"a pending table":       func(_ *softdelete.Database, t *softdelete.Table) { t.Numbers = nil },
		"a waiting table":       func(_ *softdelete.Database, t *softdelete.Table) { t.Waiting = true },
		"a problem of a table":  func(_ *softdelete.Database, t *softdelete.Table) { t.Problem = &softdelete.Problem{} },
		"numbers without proof": func(_ *softdelete.Database, t *softdelete.Table) { t.Counting = nil },
		"a row that becomes old": func(_ *softdelete.Database, t *softdelete.Table) {
			t.Counting = &softdelete.Counting{Fingerprint: "f", NextChange: now.Add(-time.Second)}
		},
		"recent rows": func(_ *softdelete.Database, t *softdelete.Table) {
			t.Numbers.Recent = &softdelete.Estimate{Value: 1}
		},
		"an old count":    func(_ *softdelete.Database, t *softdelete.Table) { t.Counted = now.Add(-6 * time.Hour) },
		"checks of rows":  func(_ *softdelete.Database, t *softdelete.Table) { t.Policy.Integrity = true },
		"an unread purge": func(_ *softdelete.Database, t *softdelete.Table) { t.Numbers.Old.Value = 1 },
	} {
		table := softdelete.Table{Numbers: &softdelete.Numbers{Old: &softdelete.Estimate{}}, Counted: now,
			Counting: &softdelete.Counting{Fingerprint: "f"}}
		d := softdelete.Database{Name: "one", Checks: passed, Visit: &softdelete.Visit{At: now, Activity: activity}}
		change(&d, &table)
		d.Tables = []softdelete.Table{{Numbers: &softdelete.Numbers{}, Counted: now, Counting: table.Counting}, table}
		if name == "numbers without proof" {
			d.Tables = d.Tables[1:]
		}
		r := refresh{config: load(t, ""), began: now, databases: map[string]softdelete.Database{"one": d},
			activity: map[string]string{"one": activity}}
		if got := r.idle("one"); got != (name == "") {
			t.Errorf("with %s it need not be visited: %t", name, got)
		}
	}
	// Something could not be read.
	r := refresh{config: load(t, ""), began: now, activity: map[string]string{"one": activity}}
	if r.visit("one") == nil {
		t.Error("the visit is not recorded")
	}
	if r.revisit("one"); r.visit("one") != nil {
		t.Error("the visit is recorded although something could not be read")
	}
}
