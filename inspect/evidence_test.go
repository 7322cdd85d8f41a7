package inspect

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/softdelete-exporter/softdelete_exporter/internal/pgserver/pgtest"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// A name that is also used for rows that are not deleted is a marker if a unique index or exclusion constraint
// contains only the rows in which it is NULL. Weaker evidence is not enough.
func TestAUniqueIndexSpeaksForAName(t *testing.T) {
	t.Parallel()
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	tests := []struct {
		table, ddl string
		// want is how the table is read; empty if it is not watched.
		want string
		// why is what check-config says about a column that is not used, and remedy is its setting.
		why, remedy string
	}{
		{"archived",
			`(name text, archived_at timestamptz); CREATE UNIQUE INDEX ON archived (name) WHERE archived_at IS NULL`,
			"timestamp: archived_at | 0 0 0", "", ""},
		{"camel", `(name text, "removedAt" timestamp); CREATE UNIQUE INDEX ON camel (name) WHERE "removedAt" IS NULL`,
			"timestamp: removedAt | 0 0 0", "", ""},
		{"conjunct", `(name text, parent int, deactivated_at timestamptz);
			CREATE UNIQUE INDEX ON conjunct (name) WHERE parent IS NULL AND deactivated_at IS NULL`,
			"timestamp: deactivated_at | 0 0 0", "", ""},
		{"exclusion", `(during tsrange, disabled_at date, EXCLUDE USING gist (during WITH &&) WHERE (disabled_at IS NULL))`,
			"timestamp: disabled_at | 0 0 0", "", ""},
		{"partitioned",
			`(id int, archived_at timestamptz) PARTITION BY LIST (id); CREATE TABLE part PARTITION OF partitioned DEFAULT;
			CREATE UNIQUE INDEX ON partitioned (id) WHERE archived_at IS NULL`,
			"timestamp: archived_at | 0 0 0", "", ""},
		{"first", `(name text, disabled_at timestamptz, archived_at timestamptz);
			CREATE UNIQUE INDEX ON first (name) WHERE archived_at IS NULL AND disabled_at IS NULL`,
			"timestamp: archived_at | 0 0 0", "", ""},
		{"second", `(code text, deleted_at timestamptz, archived_at timestamptz);
			CREATE UNIQUE INDEX ON second (code) WHERE archived_at IS NULL`,
			"timestamp: deleted_at | 0 0 0", "", ""},
		{"plain", `(name text, archived_at timestamptz); CREATE INDEX ON plain (name) WHERE archived_at IS NULL`,
			"", "times.archivedat is off: the name", "times: {archivedat: on}"},
		{"beside", `(name text, archived_at timestamptz); CREATE INDEX ON beside (name) WHERE archived_at IS NULL;
			CREATE UNIQUE INDEX ON beside (name) WHERE archived_at IS NOT NULL`,
			"", "times.archivedat is off: the name", "times: {archivedat: on}"},
		{"whole", `(name text, archived_at timestamptz); CREATE UNIQUE INDEX ON whole (name, archived_at)`,
			"", "times.archivedat is off: the name", "times: {archivedat: on}"},
		{"key", `(name text, archived_at timestamptz); CREATE UNIQUE INDEX ON key (name, archived_at) WHERE name <> ''`,
			"", "times.archivedat is off: the name", "times: {archivedat: on}"},
		{"disjunct", `(name text, archived_at timestamptz);
			CREATE UNIQUE INDEX ON disjunct (name) WHERE archived_at IS NULL OR name = 'a'`,
			"", "times.archivedat is off: the name", "times: {archivedat: on}"},
		{"opposite",
			`(name text, archived_at timestamptz); CREATE UNIQUE INDEX ON opposite (name) WHERE archived_at IS NOT NULL`,
			"", "times.archivedat is off: the name", "times: {archivedat: on}"},
		{"flag", `(name text, archived boolean); CREATE UNIQUE INDEX ON flag (name) WHERE NOT archived`,
			"", "flags.archived is off: the name", "flags: {archived: on}"},
		{"unknown", `(name text, record_deleted_at timestamptz);
			CREATE UNIQUE INDEX ON unknown (name) WHERE record_deleted_at IS NULL`,
			"", "no rule matches the name", "column: record_deleted_at"},
		{"revoked", `(name text, revoked_at timestamptz); CREATE UNIQUE INDEX ON revoked (name) WHERE revoked_at IS NULL`,
			"", "times.revokedat is off, but a unique index holds only rows in which it is NULL",
			"tables: [{schema: public, table: revoked, column: revoked_at}]"},
		{"stage", `(name text, status text); CREATE UNIQUE INDEX ON stage (name) WHERE status <> 'deleted'`,
			"", "statuses.status is off, but a unique index leaves out deleted",
			"tables: [{schema: public, table: stage, column: status, deleted_values: [deleted]}]"},
		{"label", `(name text, state label_state); CREATE UNIQUE INDEX ON label (name) WHERE state <> 'REMOVED'`,
			"", "statuses.state is off, but a unique index leaves out REMOVED",
			"tables: [{schema: public, table: label, column: state, deleted_values: [REMOVED]}]"},
		{"open", `(name text, status text); CREATE UNIQUE INDEX ON open (name) WHERE status = 'open'`,
			"", "statuses.status is off: the name", "statuses: {status: on}"},
		{"closed", `(name text, status text); CREATE UNIQUE INDEX ON closed (name) WHERE status <> 'closed'`,
			"", "statuses.status is off: the name", "statuses: {status: on}"},
	}
	script := strings.Builder{}
	script.WriteString("CREATE TYPE label_state AS ENUM ('NEW', 'REMOVED');")
	for _, test := range tests {
		script.WriteString("CREATE TABLE " + test.table + " " + test.ddl + ";\n")
	}
	pgtest.Exec(t, dsn, script.String())
	i := inspector(t, dsn, "")
	got := read(first(t, i))
	found, err := i.Explain(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	decisions := map[string]string{}
	for _, e := range found.Tables {
		for _, d := range e.Decision.Decisions {
			decisions[e.Table] += d.Why + " -> " + d.Remedy + "\n"
		}
	}
	for _, test := range tests {
		if got[test.table] != test.want {
			t.Errorf("%s is read as %q, want %q", test.table, got[test.table], test.want)
		}
		if d := decisions[test.table]; !strings.Contains(d, test.why) || !strings.Contains(d, test.remedy) {
			t.Errorf("%s: %s, want %q and %q", test.table, d, test.why, test.remedy)
		}
	}
	if d := decisions["archived"]; !strings.Contains(d, "a unique index holds only such rows") {
		t.Errorf("archived: %s", d)
	}
	if d := decisions["first"]; !strings.Contains(d, "another column marks deleted rows") {
		t.Errorf("first: %s", d)
	}
}

// Predicates are read once, and again if the indexes change. If the table is locked then, that is shown.
func TestAPredicateIsReadOnceAndAgainWhenItChanges(t *testing.T) {
	t.Parallel()
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	pgtest.Exec(t, dsn, `CREATE TABLE t (name text, archived_at timestamptz); INSERT INTO t VALUES ('a', now());
		CREATE UNIQUE INDEX i ON t (name) WHERE archived_at IS NULL`)
	i := inspector(t, dsn, "")
	m := newMigration(t, dsn)
	m.do(`BEGIN; LOCK TABLE t IN ACCESS EXCLUSIVE MODE`)
	s := first(t, i)
	if got := read(s)["t"]; got != "timestamp: archived_at | locked" {
		t.Errorf("while locked: %s", got)
	}
	m.do(`COMMIT`)
	s = refreshAfter(t, i, s, nil)
	if got := read(s)["t"]; got != "timestamp: archived_at | 1 1 0" {
		t.Errorf("with the index: %s", got)
	}
	// What the Snapshot knows about an unchanged index is not read again.
	for id, facts := range s.Databases[0].ColumnFacts {
		facts.Predicates = []string{"(archived_at IS NOT NULL)"}
		s.Databases[0].ColumnFacts[id] = facts
	}
	if s = refreshAfter(t, i, s, nil); len(read(s)) != 0 {
		t.Errorf("the predicate was read again: %v", read(s))
	}
	pgtest.Exec(t, dsn, `DROP INDEX i; CREATE UNIQUE INDEX j ON t (name) WHERE archived_at IS NULL`)
	s = refreshAfter(t, i, s, nil)
	if got := read(s)["t"]; got != "timestamp: archived_at | 1 1 0" {
		t.Errorf("with another index: %s", got)
	}
	pgtest.Exec(t, dsn, `DROP INDEX j`)
	if s = refreshAfter(t, i, s, nil); len(read(s)) != 0 {
		t.Errorf("without an index: %v", read(s))
	}
}

// A constant can be written in many ways. The same value is recognized in the predicate of an index, whatever the
// time zone of the database and of the session that created the index.
func TestAConstantIsRecognizedInAnIndexHoweverItIsWritten(t *testing.T) {
	t.Parallel()
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	pgtest.Exec(t, dsn, `
		DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET timezone = %L', current_database(), 'Asia/Tokyo'); END $$`)
	pgtest.Exec(t, dsn, `
		SET timezone = 'America/New_York';
		CREATE TABLE zoned (id int, d timestamptz NOT NULL); CREATE TABLE plain (id int, d timestamp NOT NULL);
		CREATE TABLE days (id int, d date NOT NULL); CREATE TABLE endless (id int, d timestamptz NOT NULL);
		CREATE TABLE numbers (id int, d bigint NOT NULL);
		CREATE INDEX zoned_live ON zoned (id) WHERE d = '1970-01-01 01:00:00+01';
		CREATE INDEX zoned_dead ON zoned (id) WHERE d <> '1969-12-31 19:00:00';
		CREATE INDEX zoned_epoch ON zoned (id) WHERE d = 'epoch';
		CREATE INDEX zoned_other ON zoned (id) WHERE d = '1970-01-01';
		CREATE INDEX plain_live ON plain (id) WHERE d = '1970-01-01 00:00:00+05';
		CREATE INDEX plain_day ON plain (id) WHERE d = date '1970-01-01';
		CREATE INDEX days_live ON days (id) WHERE d = '1970-01-01 13:00';
		CREATE INDEX days_time ON days (id) WHERE d <> timestamp '1970-01-01';
		CREATE INDEX endless_live ON endless (id) WHERE d = 'infinity';
		CREATE INDEX endless_other ON endless (id) WHERE d = '1970-01-01Z';
		CREATE INDEX numbers_live ON numbers (id) WHERE d = 0`)
	i := inspector(t, dsn, `tables:
  - {table: zoned, column: d, live_values: [1970-01-01]}
  - {table: plain, column: d, live_values: [1970-01-01]}
  - {table: days, column: d, live_values: [1970-01-01]}
  - {table: endless, column: d, live_values: [infinity]}
  - {table: numbers, column: d, kind: epoch, unit: s}`)
	s := first(t, i)
	live := softdelete.Scope{Mentions: true, Live: softdelete.All, Deleted: softdelete.None}
	dead := softdelete.Scope{Mentions: true, Live: softdelete.None, Deleted: softdelete.All}
	someDead := softdelete.Scope{Mentions: true, Live: softdelete.None, Deleted: softdelete.Some}
	want := map[string]softdelete.Scope{"zoned_live": live, "zoned_dead": dead, "zoned_epoch": live,
		"zoned_other": someDead, "plain_live": live, "plain_day": live, "days_live": live, "days_time": dead,
		"endless_live": live, "endless_other": someDead, "numbers_live": live}
	got := map[string]softdelete.Scope{}
	for _, name := range []string{"zoned", "plain", "days", "endless", "numbers"} {
		for _, index := range tableNamed(t, s, name).Indexing.Indexes {
			got[index.Name] = index.Scope
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
