package inspect

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/softdelete-exporter/softdelete_exporter/indexes"
	"github.com/softdelete-exporter/softdelete_exporter/internal/pgserver/pgtest"
	"github.com/softdelete-exporter/softdelete_exporter/queries"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// patient gives a busy machine enough time to count the tests' tables.
const patient = `limits: {statement_timeout: 10s}`

func TestEachIndexProblemIsFoundAndItsNearMissesAreNot(t *testing.T) {
	t.Parallel()
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	for _, c := range indexCases {
		pgtest.Exec(t, dsn, fmt.Sprintf(c.ddl, c.table))
		pgtest.Exec(t, dsn, "ANALYZE "+c.table)
	}
	i := inspector(t, dsn, patient)
	before := first(t, i)
	for _, c := range indexCases {
		if diff := cmp.Diff(c.want, said(c.find(t, before))); diff != "" {
			t.Errorf("table %s (-want +got):\n%s", c.table, diff)
		}
		c.follow(t, dsn, c.find(t, before))
	}
	after := refreshAfter(t, i, before, nil)
	for _, c := range indexCases {
		table := c.find(t, after)
		if diff := cmp.Diff(c.left, said(table)); diff != "" {
			t.Errorf("table %s after the advice was followed (-want +got):\n%s", c.table, diff)
		}
		for _, a := range indexes.Advise(&table) {
			t.Errorf("table %s is still advised: %s", c.table, a.Reason)
		}
	}
}

// find returns the table of a case from the Snapshot.
func (c indexCase) find(t *testing.T, s *softdelete.Snapshot) softdelete.Table {
	t.Helper()
	name := c.table
	if strings.HasPrefix(name, `"`) {
		name = strings.ReplaceAll(name[1:len(name)-1], `""`, `"`)
	}
	found := tableNamed(t, s, name)
	if found.Indexing == nil {
		t.Fatalf("nothing is known of the indexes of %s", c.table)
	}
	if found.Problem != nil {
		t.Fatalf("%s: %s", c.table, found.Problem.Message)
	}
	if c.aged {
		x := *found.Indexing
		x.Since = x.At.Add(-45 * 24 * time.Hour)
		found.Indexing = &x
	}
	return found
}

// said returns the findings about a table's indexes.
func said(table softdelete.Table) []string {
	var all []string
	for _, f := range indexes.Findings(&table) {
		all = append(all, f.Index.Name+" "+string(f.Problem))
	}
	for _, p := range indexes.Needs(&table) {
		all = append(all, fmt.Sprintf("%s=%t", p.For, p.Present))
	}
	return all
}

// follow runs what is advised, and then what is to be considered.
func (c indexCase) follow(t *testing.T, dsn string, table softdelete.Table) {
	t.Helper()
	if c.mend != "" {
		pgtest.Exec(t, dsn, c.mend)
	}
	for _, a := range indexes.Advise(&table) {
		if a.Reason == "" || a.Source == "" {
			t.Errorf("advice without reason or source: %+v", a)
		}
		if slices.ContainsFunc(a.Do, func(s indexes.Step) bool { return s.Action == indexes.DropIndex }) {
			t.Errorf("the next step is to drop an index: %s", a.Reason)
		}
		for _, statement := range slices.Concat(queries.Steps(&table, a.Do), queries.Steps(&table, a.Consider)) {
			if testing.Verbose() {
				t.Log(statement)
			}
			pgtest.Exec(t, dsn, statement)
		}
	}
}

func TestAnIndexThatAFailedBuildLeftIsInvalidAndOneBeingBuiltIsNot(t *testing.T) {
	t.Parallel()
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	pgtest.Exec(t, dsn, `CREATE TABLE twins (email text, deleted_at timestamptz); INSERT INTO twins VALUES ('a'), ('a');
		CREATE TABLE slow (id int, deleted_at timestamptz)`)
	ctx := t.Context()
	conn := pgtest.Connect(t, dsn)
	if _, err := conn.Exec(ctx, `CREATE UNIQUE INDEX CONCURRENTLY twins_email ON twins (email)`); err == nil {
		t.Fatal("the build did not fail")
	}
	// A concurrent build waits for every transaction that has written to the table.
	if _, err := conn.Exec(ctx, `BEGIN; INSERT INTO slow VALUES (1)`); err != nil {
		t.Fatal(err)
	}
	built := make(chan error, 1)
	go func() {
		other, err := pgx.Connect(ctx, dsn)
		if err == nil {
			_, err = other.Exec(ctx, `CREATE INDEX CONCURRENTLY slow_id ON slow (id)`)
			other.Close(ctx)
		}
		built <- err
	}()
	pgtest.WaitFor(t, "the build", func() bool {
		return pgtest.Value[bool](t, dsn, `SELECT EXISTS (SELECT FROM pg_class WHERE relname = 'slow_id')`)
	})
	// A VACUUM takes the same lock as a build.
	vacuum := newMigration(t, dsn)
	vacuum.do("BEGIN; LOCK TABLE twins IN SHARE UPDATE EXCLUSIVE MODE")
	i := inspector(t, dsn, patient)
	s := first(t, i)
	vacuum.do("COMMIT")
	slow := tableNamed(t, s, "slow")
	if got := said(slow); len(slow.Indexing.Indexes) != 1 || slow.Indexing.Indexes[0].Valid || len(got) != 0 {
		t.Errorf("an index being built: %v", got)
	}
	if _, err := conn.Exec(ctx, `COMMIT`); err != nil {
		t.Fatal(err)
	}
	if err := <-built; err != nil {
		t.Fatal(err)
	}
	twins := tableNamed(t, s, "twins")
	if diff := cmp.Diff([]string{"twins_email invalid"}, said(twins)); diff != "" {
		t.Fatalf("(-want +got):\n%s", diff)
	}
	advice := indexes.Advise(&twins)[0]
	find := queries.Steps(&twins, advice.Do)[0]
	if got := pgtest.Value[int](t, dsn, fmt.Sprintf(`SELECT count FROM (%s) d`,
		strings.TrimSuffix(find, ";"))); got != 2 {
		t.Errorf("%s found %d rows of one key", find, got)
	}
	indexCase{mend: `UPDATE twins SET email = 'b' WHERE ctid = '(0,1)'`}.follow(t, dsn, twins)
	if got := said(tableNamed(t, refreshAfter(t, i, s, nil), "twins")); len(got) != 0 {
		t.Errorf("after the advice was followed: %v", got)
	}
}
