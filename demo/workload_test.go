//go:build unix

package main

import (
	"context"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/softdelete-exporter/softdelete_exporter/demo/data"
	"github.com/softdelete-exporter/softdelete_exporter/internal/pgserver/pgtest"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

// shop makes a small shop.
func shop(t *testing.T) (dsn string) {
	t.Helper()
	dsn = pgtest.NewDatabase(t, pgtest.Shared(t))
	if err := data.Load(t.Context(), dsn, 0.01); err != nil {
		t.Fatal(err)
	}
	return dsn
}

func TestEachStepOfTheWorkloadTouchesAFewRowsAndOnlyMessagesGrow(t *testing.T) {
	dsn := shop(t)
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.WithoutCancel(t.Context()))
	sizes := func() map[string]int {
		sizes := map[string]int{}
		for _, table := range data.Tables {
			sizes[table.Name] = pgtest.Value[int](t, dsn, `SELECT count(*) FROM `+pgx.Identifier{table.Name}.Sanitize())
		}
		return sizes
	}
	const rounds = 5
	want := sizes()
	want["messages"] += 2 * rounds
	all := steps()
	if len(all) < 10 {
		t.Fatalf("the workload has %d steps", len(all))
	}
	for range rounds {
		for _, step := range all {
			tag, err := conn.Exec(t.Context(), step.sql)
			if err != nil {
				t.Fatalf("%s: %v", step.name, err)
			}
			if n := tag.RowsAffected(); n < 1 || n > 10 {
				t.Errorf("%s: %d rows, want 1 to 10", step.name, n)
			}
		}
	}
	if diff := cmp.Diff(want, sizes()); diff != "" {
		t.Errorf("rows of each table after %d rounds: -want +got:\n%s", rounds, diff)
	}
}

func TestWorkloadGoesOnWhenItsSessionIsEnded(t *testing.T) {
	dsn := shop(t)
	ctx, stop := context.WithCancel(t.Context())
	said := make(chan error, 100)
	var business sync.WaitGroup
	business.Go(func() { work(ctx, dsn, func(err error) { said <- err }) })
	defer business.Wait()
	defer stop()
	session := func(not int) int {
		const sql = `SELECT coalesce(max(pid), 0) FROM pg_stat_activity
			WHERE datname = current_database() AND application_name = 'demo workload'`
		for deadline := time.Now().Add(bound); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
			if pid := pgtest.Value[int](t, dsn, sql); pid != 0 && pid != not {
				return pid
			}
		}
		t.Fatalf("the workload has no session but %d", not)
		return 0
	}
	first := session(0)
	pgtest.Exec(t, dsn,
		`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
			WHERE datname = current_database() AND application_name = 'demo workload'`)
	select {
	case err := <-said:
		if !strings.Contains(err.Error(), "skipped") {
			t.Errorf("it says: %v", err)
		}
	case <-time.After(bound):
		t.Error("nobody was told")
	}
	session(first)
}
