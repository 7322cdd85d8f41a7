package inspect

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/softdelete-exporter/softdelete_exporter/internal/pgserver/pgtest"
	"github.com/softdelete-exporter/softdelete_exporter/postgres"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// family has two parents, one of them deleted, and four children: of the live parent, of the deleted one, of none,
// and a deleted child of the deleted parent.
const family = `
	CREATE TABLE parents (id int PRIMARY KEY, deleted_at timestamptz);
	INSERT INTO parents VALUES (1, NULL), (2, now());
	CREATE TABLE children (id int, parent int CONSTRAINT parent_key REFERENCES parents, deleted_at timestamptz);
	INSERT INTO children VALUES (1, 1, NULL), (2, 2, NULL), (3, 2, now()), (4, NULL, NULL);`

func TestLiveRowsThatReferenceDeletedOnes(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, sql, config, want string }{
		{"a parent", family, "", "future 0, orphaned parent_key 1"},
		{"parents that live", family + "UPDATE parents SET deleted_at = NULL", "", "future 0, orphaned parent_key 0"},
		{"only the child opts in", family, "integrity: false\ntables: [{table: children, integrity: true}]",
			"future 0, orphaned parent_key 1"},
		{"only the parent opts in", family, "integrity: false\ntables: [{table: parents, integrity: true}]", ""},
		{"a parent that is not watched", family, "discovery: {exclude: ['public\\.parents']}", "future 0"},
		{"a key of two columns, of types with operators of their own, and strange names", `
			CREATE EXTENSION citext;
			CREATE TABLE parents ("The ""key" citext, child int, deleted_at timestamptz, PRIMARY KEY ("The ""key", child));
			INSERT INTO parents VALUES ('a', 1, now()), ('b', 1, NULL);
			CREATE TABLE children (child int, parent citext, is_deleted bool, CONSTRAINT "the ""key" FOREIGN KEY (parent,
				child) REFERENCES parents);
			INSERT INTO children VALUES (1, 'A', false), (1, 'B', false)`, "", `orphaned the "key 1`},
		{"the table itself",
			`CREATE TABLE children (id int PRIMARY KEY, parent int CONSTRAINT tree REFERENCES children, is_deleted bool);
			INSERT INTO children VALUES (1, NULL, true), (2, 1, false), (3, 2, false)`, "", "orphaned tree 1"},
		{"partitions on both sides", `
			CREATE TABLE parents (id int PRIMARY KEY, deleted_at timestamptz) PARTITION BY RANGE (id);
			CREATE TABLE parents_1 PARTITION OF parents FOR VALUES FROM (0) TO (10);
				CREATE TABLE parents_2 PARTITION OF parents FOR VALUES FROM (10) TO (20);
			INSERT INTO parents VALUES (1, NULL), (2, now()), (11, now());
			CREATE TABLE children (id int, parent int CONSTRAINT parent_key REFERENCES parents,
				is_deleted bool) PARTITION BY LIST (id);
			CREATE TABLE children_1 PARTITION OF children FOR VALUES IN (1);
				CREATE TABLE children_2 PARTITION OF children FOR VALUES IN (2);
			INSERT INTO children VALUES (1, 1), (1, 2), (2, 2), (2, 11), (1, 11)`, "tables: [{table: parents_1}]",
			"orphaned parent_key 4"},
		{"too many pairs of partitions", `
			CREATE TABLE parents (id int PRIMARY KEY, deleted_at timestamptz) PARTITION BY LIST (id);
			CREATE TABLE children (id int, parent int CONSTRAINT parent_key REFERENCES parents,
				is_deleted bool) PARTITION BY LIST (id);
			DO $$ BEGIN FOR i IN 1..32 LOOP
				EXECUTE format('CREATE TABLE parents_%1$s PARTITION OF parents FOR VALUES IN (%1$s)', i);
				EXECUTE format('CREATE TABLE children_%1$s PARTITION OF children FOR VALUES IN (%1$s)', i);
			END LOOP; END $$`, "", "too_large parent_key"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
			pgtest.Exec(t, dsn, test.sql)
			if !strings.Contains(test.config, "integrity") {
				test.config += "\nintegrity: true"
			}
			got := tableNamed(t, first(t, inspector(t, dsn, test.config)), "children")
			if diff := cmp.Diff(test.want, facts(got)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			shown(t, dsn, got)
		})
	}
}

// A lock affects neither known results nor the other checks.
func TestALockedParentKeepsWhatWasKnown(t *testing.T) {
	t.Parallel()
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	pgtest.Exec(t, dsn, family)
	i := inspector(t, dsn,
		"integrity: true\ncounting: {recount_after: 1ms}\ntables: [{table: parents, integrity: false}]")
	s := first(t, i)
	m := newMigration(t, dsn)
	m.do("BEGIN; LOCK TABLE parents IN ACCESS EXCLUSIVE MODE")
	s = refreshAfter(t, i, s, nil)
	if got := facts(tableNamed(t, s, "children")); got != "future 0, orphaned parent_key 1, locked parent_key" {
		t.Errorf("while the parent is locked: %s", got)
	}
	m.do("COMMIT")
	if got := facts(tableNamed(t, refreshAfter(t, i, s, nil), "children")); got != "future 0, orphaned parent_key 1" {
		t.Errorf("after it: %s", got)
	}
}

// The printed grants are enough for the checks, and are no more than usual if checks are off. Without them the checks
// report what they lack, and the counts stay.
func TestGrantsReachWhatTheChecksRead(t *testing.T) {
	t.Parallel()
	const schema = `CREATE SCHEMA other;` + family + `
		ALTER TABLE parents SET SCHEMA other;
		CREATE TABLE parted (id int, secret int, parent int CONSTRAINT parted_key REFERENCES other.parents,
			deleted_at timestamptz) PARTITION BY LIST (id);
		CREATE TABLE parted_1 PARTITION OF parted FOR VALUES IN (1); INSERT INTO parted VALUES (1, 1, 2)`
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	name, its := role(t, dsn)
	pgtest.Exec(t, dsn, schema)
	grant := func(config string) {
		t.Helper()
		grants, err := inspector(t, dsn, config).Grants(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		pgtest.Exec(t, dsn, strings.Join(grants[0].Statements, "\n"))
	}
	grant("")
	for _, sql := range []string{"SELECT parent FROM children", "SELECT id FROM other.parents"} {
		if err := try(t, its, sql); postgres.Code(err) != postgres.InsufficientPrivilege {
			t.Errorf("with checks off %s: %v, want it to be refused", sql, err)
		}
	}
	i := inspector(t, its, "integrity: true")
	s := first(t, i)
	if diff := cmp.Diff(map[string]string{"public.children": "4 1 0", "other.parents": "2 1 0", "public.parted": "1 0 0"},
		told(s)); diff != "" {
		t.Errorf("the counts without the grants of the checks (-want +got):\n%s", diff)
	}
	for relname, want := range map[string]string{"children": "future 0, permission_denied parent_key",
		"parted": "future 0, permission_denied parted_key"} {
		if got := facts(tableNamed(t, s, relname)); got != want {
			t.Errorf("%s: %s, want %s", relname, got, want)
		}
	}
	// check-config reports the same before anything runs.
	found, err := i.Explain(t.Context())
	tables := found.Tables
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range tables {
		want := []softdelete.Problem{}
		if e.Table != "parents" {
			want = append(want, *tableNamed(t, s, e.Table).Integrity[1].Problem)
		}
		if diff := cmp.Diff(want, e.Unchecked, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", e.Table, diff)
		}
	}
	// After each remedy its own check succeeds at the next refresh.
	remedy := tableNamed(t, s, "children").Integrity[1].Problem.Remedy
	pgtest.Exec(t, dsn, remedy)
	s = refreshAfter(t, i, s, nil)
	if got := facts(tableNamed(t, s, "children")); got != "future 0, orphaned parent_key 1" {
		t.Errorf("after %s: %s", remedy, got)
	}
	if got := facts(tableNamed(t, s, "parted")); got != "future 0, permission_denied parted_key" {
		t.Errorf("parted, to which nobody granted more: %s", got)
	}

	grant("integrity: true")
	s = refreshAfter(t, i, s, nil)
	if got := facts(tableNamed(t, s, "parted")); got != "future 0, orphaned parted_key 1" {
		t.Errorf("parted, with all that grants prints: %s", got)
	}
	for _, sql := range []string{"SELECT id FROM children", "SELECT secret FROM parted_1", "SELECT parent FROM parted"} {
		if err := try(t, its, sql); postgres.Code(err) != postgres.InsufficientPrivilege {
			t.Errorf("%s: %v, want it to be refused", sql, err)
		}
	}
}

// A policy that hides deleted parents would hide orphans, too.
func TestAParentThatCannotBeReadIsSaid(t *testing.T) {
	t.Parallel()
	for name, hide := range map[string]string{
		"row_security":      "ALTER TABLE parents ENABLE ROW LEVEL SECURITY",
		"permission_denied": "REVOKE ALL ON parents FROM watcher",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
			watcher, its := role(t, dsn)
			pgtest.Exec(t, dsn, asRole(family+"GRANT SELECT ON children, parents TO watcher;"+hide, watcher))
			got := tableNamed(t, first(t, inspector(t, its, "integrity: true")), "children")
			if diff := cmp.Diff("future 0, "+name+" parent_key", facts(got)); diff != "" || got.Problem != nil {
				t.Errorf("(-want +got):\n%s; the table's problem is %v", diff, got.Problem)
			}
		})
	}
}
