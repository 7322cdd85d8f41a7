package inspect

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/softdelete-exporter/softdelete_exporter/internal/pgserver/pgtest"
	"github.com/softdelete-exporter/softdelete_exporter/postgres"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// aSchemaToGrant has every case for which grants are needed.
const aSchemaToGrant = `
	CREATE SCHEMA app; REVOKE ALL ON SCHEMA public FROM PUBLIC;
	CREATE TABLE app.pairs (id int, is_deleted bool, deleted_at timestamptz);
	INSERT INTO app.pairs VALUES (1, true, now()), (2, NULL, NULL);
	CREATE TABLE public.parted (id int, deleted_at timestamptz) PARTITION BY LIST (id);
	CREATE SCHEMA leaves;
	CREATE TABLE leaves.parted_1 PARTITION OF public.parted FOR VALUES IN (1);
	INSERT INTO public.parted VALUES (1, now());`

var allGranted = map[string]string{"public.users": "10 4 3", "app.pairs": "2 1 0", "public.parted": "1 1 0"}

func TestWhatGrantsPrintsIsEnoughAndNotMore(t *testing.T) {
	t.Parallel()
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	name, its := role(t, dsn)
	pgtest.Exec(t, dsn, fmt.Sprintf(`REVOKE CONNECT ON DATABASE %q FROM PUBLIC;`, name)+aSchemaToGrant+deletedAt("users"))
	if p := inspector(t, its, "").Ping(t.Context()); p.Up {
		t.Fatal("the role can connect before it is granted anything")
	}
	grants, err := inspector(t, dsn, "").Grants(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	pgtest.Exec(t, dsn, strings.Join(grants[0].Statements, "\n"))

	i := inspector(t, its, "")
	if p := i.Ping(t.Context()); !p.Up {
		t.Errorf("ping: %s", p.Err)
	}
	if diff := cmp.Diff(allGranted, told(first(t, i))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	readsTheLeaf(t, i)
	// A range of blocks can be read, too, as for sampling.
	pgtest.Exec(t, its, `SELECT count(deleted_at) FROM users WHERE ctid < '(1,0)' AND tableoid = 'users'::regclass`)
	for _, more := range []string{"SELECT id FROM users", "SELECT * FROM app.pairs", "SELECT id FROM leaves.parted_1",
		"DELETE FROM users", "CREATE TABLE public.mine (id int)"} {
		if err := try(t, its, more); postgres.Code(err) != postgres.InsufficientPrivilege {
			t.Errorf("%s: err = %v, want it to be refused", more, err)
		}
	}
}

// The role can print the grants that it lacks itself: partitions are included, whether it has no grant yet or only
// one on the partitioned table.
func TestGrantsAreWholeWhoeverAsks(t *testing.T) {
	t.Parallel()
	for _, granted := range []string{"", "GRANT USAGE ON SCHEMA public TO watcher; GRANT SELECT ON parted TO watcher;"} {
		dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
		name, its := role(t, dsn)
		pgtest.Exec(t, dsn, asRole(aSchemaToGrant+deletedAt("users")+granted, name))
		i := inspector(t, its, "")
		grants, err := i.Grants(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		pgtest.Exec(t, dsn, strings.Join(grants[0].Statements, "\n"))
		if diff := cmp.Diff(allGranted, told(first(t, i))); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		readsTheLeaf(t, i)
	}
}

// readsTheLeaf fails the test unless the only partition of parted is read by itself, so that no statement locks all
// partitions.
func readsTheLeaf(t *testing.T, i *Inspector) {
	t.Helper()
	for _, d := range survey(t, i) {
		for _, r := range d.tables {
			if r.Name == "parted" && (len(r.partitions) != 1 || r.partitions[0].Name != "parted_1") {
				t.Errorf("parted is counted by way of %v", r.partitions)
			}
		}
	}
}

// The role needs no more than these grants for any method, and misses no result.
func TestTheGrantsAreEnoughForEachMethod(t *testing.T) {
	t.Parallel()
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	name, its := role(t, dsn)
	execEach(t, dsn,
		large("orders")+"CREATE INDEX ON orders (deleted_at) WHERE deleted_at IS NOT NULL; VACUUM ANALYZE orders")
	grants, err := inspector(t, dsn, "").Grants(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	pgtest.Exec(t, dsn, strings.Join(grants[0].Statements, "\n"))
	_, deleted, _ := truth(t, dsn, "orders")
	for _, config := range []string{"counting: {method: exact}", sampledAlways} {
		got := tableNamed(t, first(t, inspector(t, its, config)), "orders")
		if n := got.Numbers; n == nil || n.Deleted.Value != deleted || n.Deleted.Margin != 0 || n.Oldest.IsZero() ||
			n.Recent == nil {
			t.Errorf("%s: %+v, problem %+v", config, n, got.Problem)
		} else if n.Method == softdelete.Sampled && got.Kept().Blocks == nil {
			t.Errorf("%s: no block was told from another", config)
		}
	}
	got := tableNamed(t, first(t, inspector(t, its, "counting: {method: statistics}")), "orders")
	if got.Numbers == nil || math.Abs(got.Numbers.Deleted.Value-deleted) > deleted/10 {
		t.Errorf("by statistics %+v, problem %+v", got.Numbers, got.Problem)
	}
}

func survey(t *testing.T, i *Inspector) []surveyedDatabase {
	t.Helper()
	databases, err := i.survey(t.Context(), false)
	if err != nil {
		t.Fatal(err)
	}
	return databases
}

func TestAMissingGrantCostsOnlyItsTable(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, grants string
		want         map[string]string
		remedies     map[string][]string
	}{
		{"nothing", "",
			map[string]string{"public.users": "permission_denied", "app.pairs": "permission_denied",
				"public.parted": "permission_denied"},
			map[string][]string{
				"users": {`GRANT USAGE ON SCHEMA "public" TO "watcher";`,
					`GRANT SELECT ("deleted_at", "ctid", "tableoid") ON "public"."users" TO "watcher";`},
				"pairs": {`GRANT USAGE ON SCHEMA "app" TO "watcher";`,
					`GRANT SELECT ("is_deleted", "deleted_at", "ctid", "tableoid") ON "app"."pairs" TO "watcher";`},
			}},
		{"no usage",
			"GRANT USAGE ON SCHEMA public TO watcher; GRANT SELECT ON ALL TABLES IN SCHEMA public, app, leaves TO watcher",
			map[string]string{"public.users": "10 4 3", "app.pairs": "permission_denied", "public.parted": "1 1 0"},
			map[string][]string{"pairs": {`GRANT USAGE ON SCHEMA "app" TO "watcher";`}}},
		{"no select", "GRANT USAGE ON SCHEMA public, app TO watcher; GRANT SELECT ON parted TO watcher",
			map[string]string{"public.users": "permission_denied", "app.pairs": "permission_denied", "public.parted": "1 1 0"},
			map[string][]string{"users": {
				`GRANT SELECT ("deleted_at", "ctid", "tableoid") ON "public"."users" TO "watcher";`}}},
		{"some columns",
			"GRANT USAGE ON SCHEMA public, app TO watcher; GRANT SELECT (deleted_at) ON users, parted TO watcher; GRANT " +
				"SELECT (id, is_deleted) ON app.pairs TO watcher",
			map[string]string{"public.users": "10 4 3", "app.pairs": "permission_denied", "public.parted": "1 1 0"},
			map[string][]string{"pairs": {`"deleted_at"`}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
			name, its := role(t, dsn)
			pgtest.Exec(t, dsn, asRole(aSchemaToGrant+deletedAt("users")+test.grants, name))
			i := inspector(t, its, "")
			s := first(t, i)
			if diff := cmp.Diff(test.want, told(s)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			for relname, remedies := range test.remedies {
				p := tableNamed(t, s, relname).Problem
				for _, want := range remedies {
					if !strings.Contains(p.Remedy, strings.ReplaceAll(want, `"watcher"`, `"`+name+`"`)) {
						t.Errorf("the remedy for %s is %q, want it to say %q", relname, p.Remedy, want)
					}
				}
			}
			// After the remedies were run, the next refresh succeeds.
			for _, d := range s.Databases {
				for _, table := range d.Tables {
					if table.Problem != nil {
						pgtest.Exec(t, dsn, table.Problem.Remedy)
					}
				}
			}
			if diff := cmp.Diff(allGranted, told(refreshAfter(t, i, s, nil))); diff != "" {
				t.Errorf("after the remedies (-want +got):\n%s", diff)
			}
		})
	}
}

// Many partitions without a grant are not counted through their parent, because that would lock each of them.
func TestManyUngrantedLeavesAreReported(t *testing.T) {
	t.Parallel()
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	name, its := role(t, dsn)
	sql := deletedAt("users") + "CREATE TABLE parted (id int, deleted_at timestamptz) PARTITION BY LIST (id);"
	for leaf := range fewPartitions + 1 {
		sql += fmt.Sprintf("CREATE TABLE parted_%[1]d PARTITION OF parted FOR VALUES IN (%[1]d);", leaf)
	}
	pgtest.Exec(t, dsn, asRole(sql+"GRANT SELECT ON users, parted TO watcher", name))
	i := inspector(t, its, "")
	s := first(t, i)
	want := map[string]string{"public.users": "10 4 3", "public.parted": "permission_denied"}
	if diff := cmp.Diff(want, told(s)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	pgtest.Exec(t, dsn, asRole("GRANT SELECT ON ALL TABLES IN SCHEMA public TO watcher", name))
	want["public.parted"] = "0 0 0"
	if diff := cmp.Diff(want, told(refreshAfter(t, i, s, nil))); diff != "" {
		t.Errorf("once they are granted (-want +got):\n%s", diff)
	}
}

// Rows that a policy hides must never be missing from a number.
func TestRowSecurity(t *testing.T) {
	t.Parallel()
	const hide = "CREATE POLICY half ON t USING (id > 5);"
	const enable = "ALTER TABLE t ENABLE ROW LEVEL SECURITY; GRANT SELECT ON t TO watcher;"
	const restrict = "CREATE POLICY less ON t AS RESTRICTIVE USING (id > 5);"
	const parted = `
		CREATE TABLE t (id int, deleted_at timestamptz) PARTITION BY LIST (id);
		CREATE TABLE t_1 PARTITION OF t FOR VALUES IN (1); CREATE TABLE t_9 PARTITION OF t FOR VALUES IN (9);
		INSERT INTO t VALUES (1, NULL), (9, now());`
	for _, test := range []struct{ name, sql, want string }{
		{"a policy", deletedAt("t") + hide + "ALTER TABLE t ENABLE ROW LEVEL SECURITY; GRANT SELECT ON t TO watcher",
			"row_security"},
		{"no policy, which hides all", deletedAt("t") +
			"ALTER TABLE t ENABLE ROW LEVEL SECURITY; GRANT SELECT ON t TO watcher", "row_security"},
		{"a policy that is not enabled", deletedAt("t") + hide + "GRANT SELECT ON t TO watcher", "10 4 3"},
		{"of the owner", deletedAt("t") + hide + "ALTER TABLE t ENABLE ROW LEVEL SECURITY; ALTER TABLE t OWNER TO watcher",
			"10 4 3"},
		{"forced on the owner", deletedAt("t") + hide +
			"ALTER TABLE t ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY; ALTER TABLE t OWNER TO watcher",
			"row_security"},
		{"bypassed",
			deletedAt("t") + hide +
				"ALTER TABLE t ENABLE ROW LEVEL SECURITY; GRANT SELECT ON t TO watcher; ALTER ROLE watcher BYPASSRLS", "10 4 3"},
		{"a policy that shows all rows", deletedAt("t") + enable + hide + "CREATE POLICY all_rows ON t USING (true)",
			"10 4 3"},
		{"one for reading alone", deletedAt("t") + enable + `CREATE POLICY all_rows ON t FOR SELECT USING (true);
			CREATE POLICY less ON t AS RESTRICTIVE FOR UPDATE USING (false)`, "10 4 3"},
		{"one for a role that we are in", deletedAt("t") + enable + `GRANT pg_monitor TO watcher;
			CREATE POLICY all_rows ON t TO pg_monitor USING (true)`, "10 4 3"},
		{"one for another role", deletedAt("t") + enable + "CREATE POLICY all_rows ON t TO pg_monitor USING (true)",
			"row_security"},
		{"one for writing", deletedAt("t") + enable + "CREATE POLICY all_rows ON t FOR INSERT WITH CHECK (true)",
			"row_security"},
		{"one that is not constant", deletedAt("t") + enable + "CREATE POLICY all_rows ON t USING (id > 0)", "row_security"},
		{"one that is false", deletedAt("t") + enable + "CREATE POLICY no_rows ON t USING (false)", "row_security"},
		{"one that is restricted", deletedAt("t") + enable + restrict + "CREATE POLICY all_rows ON t USING (true)",
			"row_security"},
		{"one of a leaf", parted + `ALTER TABLE t_9 ENABLE ROW LEVEL SECURITY; GRANT SELECT ON t, t_1, t_9 TO watcher;
			CREATE POLICY all_rows ON t_9 USING (true)`, "2 1 0"},
		{"one of the parent of leaves that are not granted", parted + enable + "CREATE POLICY all_rows ON t USING (true)",
			"2 1 0"},
		{"on a leaf", parted + "ALTER TABLE t_9 ENABLE ROW LEVEL SECURITY; GRANT SELECT ON t, t_1, t_9 TO watcher",
			"row_security"},
		// Partitions do not inherit it, and they are what is read.
		{"on the parent of granted leaves", parted + hide +
			"ALTER TABLE t ENABLE ROW LEVEL SECURITY; GRANT SELECT ON t, t_1, t_9 TO watcher", "2 1 0"},
		{"on the parent of leaves that are not granted",
			parted + hide + "ALTER TABLE t ENABLE ROW LEVEL SECURITY; GRANT SELECT ON t TO watcher", "row_security"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
			name, its := role(t, dsn)
			pgtest.Exec(t, dsn, asRole("GRANT ALL ON SCHEMA public TO watcher;"+deletedAt("users")+
				"GRANT SELECT ON users TO watcher;"+test.sql, name))
			i := inspector(t, its, "")
			s := first(t, i)
			if got := told(s); got["public.t"] != test.want || got["public.users"] != "10 4 3" {
				t.Errorf("%v, want %q", got, test.want)
			}
			if p := tableNamed(t, s, "t").Problem; p != nil {
				if policy, bypass, both := strings.Cut(p.Remedy, " -- or, if another policy restricts that: "); !both {
					t.Errorf("the remedy is %s", p.Remedy)
				} else if strings.Contains(test.sql, restrict) {
					pgtest.Exec(t, dsn, bypass)
				} else {
					pgtest.Exec(t, dsn, policy)
				}
				if got := told(refreshAfter(t, i, s, nil))["public.t"]; strings.Contains(got, "row_security") {
					t.Errorf("after %s: %q", p.Remedy, got)
				}
			}
		})
	}
}

// What a policy hides between discovery and the count is in no number, and the sample of a table whose
// policy shows all rows is drawn like any other.
func TestAPolicyThatChangesIsNoticed(t *testing.T) {
	t.Parallel()
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	name, its := role(t, dsn)
	pgtest.Exec(t, dsn, asRole(deletedAt("t")+`
		CREATE TABLE sampled (deleted_at timestamptz);
		INSERT INTO sampled SELECT CASE WHEN i % 4 = 0 THEN now() END FROM generate_series(1, 20000) i;
		ALTER TABLE t ENABLE ROW LEVEL SECURITY; CREATE POLICY all_rows ON t USING (true);
		ALTER TABLE sampled ENABLE ROW LEVEL SECURITY; CREATE POLICY all_rows ON sampled USING (true);
		GRANT SELECT ON t, sampled TO watcher`, name))
	i := inspector(t, its, countAlways+"\ntables: [{table: sampled, method: sampled}]")
	s := first(t, i)
	if diff := cmp.Diff(map[string]string{"public.t": "10 4 3", "public.sampled": "20000 5000 0"}, told(s)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	changed := false
	s = refreshAfter(t, i, s, func(*softdelete.Snapshot) {
		if !changed {
			pgtest.Exec(t, dsn, "ALTER POLICY all_rows ON t USING (id > 5)")
		}
		changed = true
	})
	if got := told(s)["public.t"]; got != "10 4 3 error" {
		t.Errorf("at the count: %s", got)
	}
	if got := told(refreshAfter(t, i, s, nil))["public.t"]; got != "10 4 3 row_security" {
		t.Errorf("at the next refresh: %s", got)
	}
	databases, err := i.Grants(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	for _, statement := range databases[0].Statements {
		if strings.Contains(statement, "BYPASSRLS") && !strings.HasPrefix(statement, "-- ") {
			t.Errorf("grants prints %s", statement)
		}
	}
	if all := strings.Join(databases[0].Statements, "\n"); !strings.Contains(all, "-- CREATE POLICY") {
		t.Errorf("grants tells of no policy:\n%s", all)
	}
}
