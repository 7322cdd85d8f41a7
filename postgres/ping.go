package postgres

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/softdelete-exporter/softdelete_exporter/queries"
	"github.com/softdelete-exporter/softdelete_exporter/rescue"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// Ping runs the shortest query on a connection of its own. A broken connection is reopened once, but never
// after a timeout: the server had its chance. The duration does not include the time to connect.
func (s *Server) Ping(ctx context.Context, timeout time.Duration) softdelete.Ping {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	s.Connections.markBusy(s)
	ping := softdelete.Ping{At: time.Now()}
	took, asked, err := s.askTwice(ctx)
	ping.Server = asked
	if err != nil {
		// With several hosts the error says how each failed.
		if errors.Is(err, context.DeadlineExceeded) && !errors.As(err, new(*connectError)) {
			err = errors.New("no answer in time")
		}
		ping.Err, ping.Remedy = softdelete.Legible(err.Error()), connectRemedy(err)
		return ping
	}
	// Only after the lock is released: nobody has to wait for the connection to close.
	s.Connections.markIdle(s)
	ping.Up, ping.Duration = true, took
	return ping
}

// askTwice pings, and tries once more if an old connection turns out to be broken.
func (s *Server) askTwice(ctx context.Context) (took time.Duration, asked *softdelete.Server, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	established := s.pinger != nil
	took, err = s.ask(ctx)
	if err != nil && established && ctx.Err() == nil {
		took, err = s.ask(ctx)
	}
	if s.pinger != nil {
		return took, s.pinger.server(), err
	}
	return took, s.configured(), err
}

// server says which server is connected. What it reports about itself changes when it is promoted.
func (l *link) server() *softdelete.Server {
	c, pg := l.Config(), l.PgConn()
	version, _, _ := strings.Cut(pg.ParameterStatus("server_version"), " ")
	s := &softdelete.Server{Host: l.info.Redact(c.Host), Port: int(c.Port), Database: c.Database, Version: version}
	switch pg.ParameterStatus("in_hot_standby") { // a pooler may not report it
	case "on":
		s.Role = softdelete.Standby
	case "off":
		s.Role = softdelete.Primary
	}
	return s
}

// configured says which server the connection string names; nil if it cannot be read.
func (s *Server) configured() *softdelete.Server {
	info, err := s.Source()
	if err != nil {
		return nil
	}
	var asked softdelete.Server
	var all []string
	for _, host := range info.Hosts() {
		c, _, err := connConfig(info, host, anyServer)
		if err != nil {
			return nil
		}
		asked = softdelete.Server{Host: info.Redact(c.Host), Port: int(c.Port), Database: c.Database}
		all = append(all, asked.Address())
	}
	if len(all) > 1 {
		asked = softdelete.Server{Tried: all, Database: asked.Database}
	}
	return &asked
}

// ask sends the query on the ping's connection. It opens a connection if there is none, and closes it if the
// query fails. Like every other query it has its own transaction settings: a standby answers nothing if the
// default isolation is serializable.
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
		// Close in the background, so that the ping does not wait for it.
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

// takePinger removes and returns the ping's connection; nil if there is none. The caller holds mu.
func (s *Server) takePinger() *link {
	conn := s.pinger
	s.pinger = nil
	return conn
}

// closeIdle closes the ping's connection unless it is in use again, and reports whether it did.
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
