package postgres

import (
	"context"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/softdelete-exporter/softdelete_exporter/queries"
)

// TryIndex queries one hypothetical index. The index is removed in the transaction that made it, even after an
// error: behind a pooler the next transaction may have another backend.
func (s *Session) TryIndex(ctx context.Context, t queries.Trial) (bytes int64, err error) {
	s.receiveAll(ctx)
	ctx, cancel := context.WithTimeout(ctx, s.statementTimeout+grace)
	defer cancel()
	began := time.Now()
	defer func() {
		s.postgres.Costs.Add(s.Database, time.Since(began), err)
		if err != nil {
			s.recover()
			err = s.conn.info.Hide(err)
		}
	}()
	begin := &pgx.Batch{}
	for _, sql := range slices.Concat([]string{queries.Begin()}, s.limits, []string{t.Savepoint}) {
		begin.Queue(sql)
	}
	if err := s.conn.SendBatch(ctx, begin).Close(); err != nil {
		return 0, err
	}
	tried := s.conn.QueryRow(ctx, t.Try).Scan(&bytes)
	end := &pgx.Batch{}
	if tried != nil {
		end.Queue(t.Undo)
	}
	end.Queue(t.Reset)
	end.Queue(queries.Commit())
	if err := s.conn.SendBatch(ctx, end).Close(); err != nil {
		return 0, err
	}
	return bytes, tried
}
