package inspect

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/softdelete-exporter/softdelete_exporter/internal/pgserver/pgtest"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// However unevenly tables are written to, no table waits more than a few times longer than if all took turns.
func TestNobodyStarves(t *testing.T) {
	t.Parallel()
	const tables, turns = 2000, 60
	now := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	relations := make([]table, tables)
	longest := make([]int, tables)
	waited := make([]int, tables)
	for pass := range 20 * tables / turns {
		now = now.Add(5 * time.Minute)
		for i := range relations {
			// A third is rewritten all the time, a third sometimes, a third never.
			relations[i].writes += int64(i%3) * 500
		}
		for place, r := range queue(relations, now) {
			i := int(r.OID)
			if pass == 0 {
				i = place // the first pass takes them in their order
				r.OID = uint32(i)
			}
			if place >= turns {
				waited[i]++
				longest[i] = max(longest[i], waited[i])
				continue
			}
			waited[i] = 0
			switch i % 7 {
			case 0: // always fails
				r.Fail(softdelete.Problem{Reason: softdelete.Locked}, true, now, time.Minute)
			default:
				r.Succeed(softdelete.ExactNumbers(1000, 1), now)
				r.Counting = &softdelete.Counting{Writes: r.writes}
			}
		}
	}
	fair := tables / turns
	for i, n := range longest {
		if n > 5*fair {
			t.Fatalf("table %d waited %d passes; in turn it would be %d", i, n, fair)
		}
	}
	busy, calm := 0, 0
	for i, n := range longest {
		switch i % 3 {
		case 2:
			busy = max(busy, n)
		case 0:
			calm = max(calm, n)
		}
	}
	if busy >= calm {
		t.Errorf("what changes most waited %d passes, what never changes %d", busy, calm)
	}
}

// Tables beyond the budget wait, keep their numbers, and get their turn later.
func TestTheBudgetIsCarriedOver(t *testing.T) {
	t.Parallel()
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	const tables = 12
	for n := range tables {
		pgtest.Exec(t, dsn,
			fmt.Sprintf(`CREATE TABLE t_%d AS SELECT i AS id, NULL::timestamptz AS deleted_at, repeat('x',
				500) AS filler FROM generate_series(1, 8000) i`, n))
	}
	settled(t, dsn)
	// Each table needs at least 100 blocks, and a pass allows 400.
	i := inspector(t, dsn,
		"counting: {method: sampled, blocks: 100, batch: 50, target_margin: 0, pass_blocks: 400, recount_after: 1ms}")
	s := empty(t, i)
	had := map[string]int{}
	for pass := range 6 {
		previous := s
		s = refreshAfter(t, i, s, nil)
		turns := 0
		for _, table := range s.Databases[0].Tables {
			before := softdelete.Table{}
			if pass > 0 {
				before = previousTable(previous, table.Name)
			}
			switch {
			case counted(before, table):
				turns++
				had[table.Name]++
			case !table.Waiting || table.State() != softdelete.Pending:
				t.Errorf("pass %d: %s was not counted and does not wait", pass, table.Name)
			case before.Numbers != nil && table.Numbers == nil:
				t.Errorf("pass %d: %s lost its numbers", pass, table.Name)
			}
		}
		if turns != 4 {
			t.Errorf("pass %d: %d tables had their turn, want 4", pass, turns)
		}
	}
	for name, n := range had {
		if n != 2 {
			t.Errorf("%s had %d turns of 2", name, n)
		}
	}
	if len(had) != tables {
		t.Errorf("%d tables had a turn", len(had))
	}
}

// When the time of a pass is over, no further table is counted.
func TestTheTimeOfAPassIsABudget(t *testing.T) {
	t.Parallel()
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	pgtest.Exec(t, dsn, deletedAt("users"))
	s := first(t, inspector(t, dsn, "counting: {pass_time: 1ms}")) // discovery takes longer
	if users := tableNamed(t, s, "users"); users.State() != softdelete.Pending || users.Numbers != nil {
		t.Errorf("it is %s, %+v", users.State(), users.Numbers)
	}
}

func previousTable(s *softdelete.Snapshot, name string) softdelete.Table {
	for _, table := range s.Databases[0].Tables {
		if table.Name == name {
			return table
		}
	}
	return softdelete.Table{}
}

// A pass over many unchanged tables sends as few queries as one over no tables: some queries about all of them.
func TestAPassOverUnchangedTablesAsksFewQuestions(t *testing.T) {
	t.Parallel()
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	const tables = 500
	var sql strings.Builder
	for n := range tables {
		fmt.Fprintf(&sql,
			"CREATE TABLE t_%d (id int, deleted_at timestamptz); INSERT INTO t_%[1]d VALUES (1, NULL), (2, now() - "+
				"interval '1 day');", n)
	}
	pgtest.Exec(t, dsn, sql.String())
	settled(t, dsn)
	i := inspector(t, dsn, "")
	first, s := asked(t, i, empty(t, i))
	again, next := asked(t, i, s)
	if first < tables || again > 20 {
		t.Errorf("the first pass over %d tables asked %d questions, the next %d; want one a table, then no more than 20",
			tables, first, again)
	}
	for j, table := range next.Databases[0].Tables {
		if counted(s.Databases[0].Tables[j], table) {
			t.Fatalf("%s was counted again", table.Name)
		}
	}
}
