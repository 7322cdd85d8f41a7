//go:build e2e

package purge

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/softdelete-exporter/softdelete_exporter/internal/pgserver"
	"github.com/softdelete-exporter/softdelete_exporter/internal/pgserver/pgtest"
)

// Rows are restored, deleted again, referenced and moved during a purge, and none of these changes is lost.
func TestThePurgeLosesNothingThatHappensMeanwhile(t *testing.T) {
	exporter := build(t)
	for version, by := range map[string]string{"14": "", "18": " PARTITION BY LIST (region)"} {
		t.Run(version, func(t *testing.T) {
			c := newCrowd(t, start(t, version), by)
			if err := c.purge(t, c.script(t, exporter)); err != nil {
				t.Error(err)
			}
			if lost := c.lost(t); len(lost) > 0 {
				t.Errorf("%d are lost, the first: %s", len(lost), lost[0])
			}
			t.Logf("%d rows were purged beside %v", c.purged, c.counts())
		})
	}
}

// crowd is a database with many clients that change the rows during a purge.
type crowd struct {
	dsn string
	mu  sync.Mutex
	// rows must exist in the end, and children must exist with the row that they reference.
	rows, children map[int]bool
	did            [5]atomic.Int64
	purged         int
}

const crowdRows = 20_000

var crowds atomic.Int64 // for unique names

func newCrowd(t *testing.T, server *pgserver.Server, by string) *crowd {
	t.Helper()
	name := fmt.Sprintf("crowd_%d", crowds.Add(1))
	pgtest.Exec(t, server.DSN("postgres", pgserver.Superuser), "CREATE DATABASE "+name+" OWNER app_owner")
	pgtest.Exec(t, server.DSN("postgres", pgserver.Superuser),
		"ALTER DATABASE "+name+" SET default_transaction_isolation = 'repeatable read'")
	c := &crowd{dsn: server.DSN(name, "app_owner"), rows: map[int]bool{}, children: map[int]bool{}}
	primary, partitions := "id", ""
	if by != "" {
		primary, partitions = "id, region", "CREATE TABLE east PARTITION OF parent FOR VALUES IN (0); CREATE TABLE "+
			"west PARTITION OF parent FOR VALUES IN (1);"
	}
	pgtest.Exec(t, c.dsn, `
		CREATE TABLE parent (id int, region int DEFAULT 0, note text DEFAULT 'short', deleted_at timestamptz, PRIMARY KEY (`+
		primary+`))`+by+`;`+partitions+`
		CREATE TABLE child (n serial PRIMARY KEY, id int, region int DEFAULT 0, FOREIGN KEY (`+primary+
		`) REFERENCES parent ON DELETE CASCADE);
		CREATE TABLE late (n serial PRIMARY KEY, id int, region int DEFAULT 0, FOREIGN KEY (`+primary+
		`) REFERENCES parent ON DELETE SET NULL DEFERRABLE INITIALLY DEFERRED);
		CREATE INDEX ON child (id); CREATE INDEX ON late (id);
		INSERT INTO parent VALUES (0); -- one that was never deleted
		INSERT INTO parent SELECT i, 0, repeat('x', 60), now() - interval '1 year' FROM generate_series(1, `+
		fmt.Sprint(crowdRows)+`) i;
		ANALYZE`)
	return c
}

func (c *crowd) script(t *testing.T, exporter string) string {
	t.Helper()
	script, err := print(t, exporter, c.dsn, "")
	_, script, found := strings.Cut(script, "\nDO $")
	if !found {
		t.Fatalf("no script is printed: %v", err)
	}
	return "DO $" + script
}

// purge runs a script several times while the clients work.
func (c *crowd) purge(t *testing.T, script string) error {
	ctx, stop := context.WithTimeout(t.Context(), 2*time.Minute)
	defer stop()
	var clients sync.WaitGroup
	for n := range 6 {
		conn, err := pgx.Connect(ctx, c.dsn)
		if err != nil {
			t.Fatal(err)
		}
		clients.Go(func() {
			defer conn.Close(context.WithoutCancel(ctx))
			c.client(ctx, conn, rand.New(rand.NewPCG(uint64(n), 18)))
		})
	}
	purger, err := pgx.Connect(ctx, c.dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer purger.Close(t.Context())
	for range 3 {
		before := pgtest.Value[int](t, c.dsn, "SELECT count(*) FROM parent")
		if _, err := purger.PgConn().Exec(ctx, script).ReadAll(); err != nil {
			stop()
			clients.Wait()
			return err
		}
		c.purged += before - pgtest.Value[int](t, c.dsn, "SELECT count(*) FROM parent")
	}
	stop()
	clients.Wait()
	if c.purged < crowdRows/4 {
		t.Errorf("only %d rows were purged", c.purged)
	}
	for what, n := range c.counts() {
		if n < 50 {
			t.Errorf("%s happened %d times, too seldom to show anything", what, n)
		}
	}
	return nil
}

func (c *crowd) counts() map[string]int64 {
	counts := map[string]int64{}
	for i, what := range []string{"restores", "new deletions", "references", "late references", "moves"} {
		counts[what] = c.did[i].Load()
	}
	return counts
}

// client changes one row after another, each in a slow transaction.
func (c *crowd) client(ctx context.Context, conn *pgx.Conn, rng *rand.Rand) {
	for ctx.Err() == nil {
		id, what := 1+rng.IntN(crowdRows), rng.IntN(5)
		tx, err := conn.Begin(ctx)
		if err != nil {
			return
		}
		n, err := c.change(ctx, tx, what, id, rng)
		if rng.IntN(3) == 0 {
			time.Sleep(time.Duration(rng.IntN(3000)) * time.Microsecond)
		}
		// A row that was purged cannot be referenced any more: that is an error, but nothing is lost.
		if err != nil || n == 0 || tx.Commit(context.WithoutCancel(ctx)) != nil {
			_ = tx.Rollback(context.WithoutCancel(ctx))
			continue
		}
		c.did[what].Add(1)
		c.mu.Lock()
		switch what {
		case 0, 1:
			c.rows[id] = true
		case 2:
			c.children[n] = true
		case 3:
			c.children[-n] = true
		}
		c.mu.Unlock()
	}
}

// change changes a row in some way and returns its id; 0 if it does not exist.
func (c *crowd) change(ctx context.Context, tx pgx.Tx, what, id int, rng *rand.Rand) (n int, err error) {
	ask := []string{
		"UPDATE parent SET deleted_at = NULL WHERE id = $1 RETURNING id",
		"UPDATE parent SET deleted_at = now() WHERE id = $1 RETURNING id",
		"INSERT INTO child (id, region) SELECT id, region FROM parent WHERE id = $1 RETURNING n",
		"INSERT INTO late (id, region) SELECT id, region FROM parent WHERE id = $1 RETURNING n",
		// The rows that reference a row keep their region, so a referenced row must not move to another one.
		"UPDATE parent p SET note = note || repeat('y', 100), region = CASE WHEN $2 THEN 1 - region ELSE region END " +
			"WHERE id = $1 AND NOT EXISTS (SELECT FROM child c WHERE c.id = p.id) AND NOT EXISTS (SELECT FROM late l " +
			"WHERE l.id = p.id) RETURNING id",
	}[what]
	args := []any{id}
	if what == 4 {
		args = append(args, rng.IntN(2) == 0)
	}
	err = tx.QueryRow(ctx, ask, args...).Scan(&n)
	return n, err
}

// lost returns what was committed and no longer exists.
func (c *crowd) lost(t *testing.T) []string {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), c.dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	there := map[string]bool{}
	rows, err := conn.Query(t.Context(), `
		SELECT 'row ' || id FROM parent
		UNION ALL SELECT 'child ' || n FROM child c WHERE EXISTS (SELECT FROM parent p WHERE p.id = c.id)
		UNION ALL SELECT 'child ' || -n FROM late l WHERE EXISTS (SELECT FROM parent p WHERE p.id = l.id)`)
	if err != nil {
		t.Fatal(err)
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		there[name] = true
	}
	var lost []string
	for id := range c.rows {
		if name := fmt.Sprint("row ", id); !there[name] {
			lost = append(lost, name)
		}
	}
	for n := range c.children {
		if name := fmt.Sprint("child ", n); !there[name] {
			lost = append(lost, name)
		}
	}
	return lost
}
