package inspect

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/go-kit/log"

	"github.com/softdelete-exporter/softdelete_exporter/internal/pgserver/pgtest"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// A refresh that is told to end fails wherever it stands. That is no trouble to tell of.
func TestARefreshThatIsToldToEndLogsNothing(t *testing.T) {
	t.Parallel()
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	pgtest.Exec(t, dsn, family+deletedAt("users")+`CREATE INDEX ON users (id) WHERE deleted_at IS NULL;
		CREATE TABLE flags (id int, is_deleted int, deleted varchar(3)); ANALYZE`)
	i := inspector(t, dsn, "integrity: true")
	var mu sync.Mutex
	var lines [][]any
	i.Logger = log.LoggerFunc(func(line ...any) error {
		mu.Lock()
		defer mu.Unlock()
		lines = append(lines, line)
		return nil
	})
	began := time.Now()
	first(t, i)
	took := time.Since(began)
	const moments = 40
	for n := range moments {
		ctx, cancel := context.WithTimeout(t.Context(), took*time.Duration(n)/moments)
		i.Refresh(ctx, empty(t, i), func(*softdelete.Snapshot) {})
		cancel()
	}
	if len(lines) > 0 {
		t.Errorf("%d lines, the first is %v", len(lines), lines[0])
	}
}
