package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/softdelete-exporter/softdelete_exporter/queries"
	"github.com/softdelete-exporter/softdelete_exporter/rescue"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// Ping asks the shortest question on a connection of its own. A connection that
// turns out broken is reopened once, but never after a timeout: the server had its
// chance. The time to connect is not part of the answer's duration.
func (s *Server) Ping(ctx context.Context, timeout time.Duration) softdelete.Ping {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	s.Connections.markBusy(s)
	ping := softdelete.Ping{At: time.Now()}
	took, err := s.askTwice(ctx)
	if err != nil {
		// Of several hosts it is said how each failed.
		if errors.Is(err, context.DeadlineExceeded) && !errors.As(err, new(*connectError)) {
			err = errors.New("no answer in time")
		}
		ping.Err = softdelete.Legible(err.Error())
		return ping
	}
	// Not before the lock is given back: who wants the connection closed does not wait.
	s.Connections.markIdle(s)
	ping.Up, ping.Duration = true, took
	return ping
}

// askTwice asks, and once more if the connection was an old one and broken.
func (s *Server) askTwice(ctx context.Context) (time.Duration, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	established := s.pinger != nil
	took, err := s.ask(ctx)
	if err != nil && established && ctx.Err() == nil {
		took, err = s.ask(ctx)
	}
	return took, err
}

// ask sends the question on the ping's connection, opening it if there is none,
// and gives the connection up if it fails. Like every other question it has a
// transaction of its own: a standby answers nothing at all where the default
// isolation is serializable.
func (s *Server) ask(ctx context.Context) (time.Duration, error) {
	if s.pinger == nil {
		conn, err := s.dial(ctx, "")
		if err != nil {
			return 0, err
		}
		s.pinger = conn
	}
	batch := &pgx.Batch{}
	batch.Queue(queries.Begin())
	batch.Queue(queries.Ping())
	batch.Queue(queries.Commit())
	began := time.Now()
	err := s.pinger.info.Hide(s.pinger.SendBatch(ctx, batch).Close())
	took := time.Since(began)
	s.Costs.Add(s.pinger.Config().Database, took, err)
	if err != nil {
		// Nobody who waits for the answer waits until it is closed, too.
		lost := s.takePinger()
		s.closing.Go(func() {
			rescue.Log(s.Logger, rescue.Catch(func() error {
				s.closeConn(lost)
				return nil
			}))
		})
	}
	return took, err
}

// takePinger takes the ping's connection away; nil if there is none. The caller
// holds mu.
func (s *Server) takePinger() *link {
	conn := s.pinger
	s.pinger = nil
	return conn
}

// closeIdle closes the ping's connection, unless it has just come into use again, and
// tells whether it did.
func (s *Server) closeIdle() bool {
	if !s.mu.TryLock() {
		return false
	}
	conn := s.takePinger()
	s.mu.Unlock()
	if conn == nil {
		return false
	}
	s.closeConn(conn)
	return true
}
