// Package postgres is the way to a server: it connects within limits, pings on a connection
// of its own, and asks each question in a short guarded transaction. It alone knows the
// driver. Limits come in as values, and errors leave it without secrets.
package postgres

import (
	"sync"
	"time"

	"github.com/go-kit/log"

	"github.com/softdelete-exporter/softdelete_exporter/conninfo"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// Server is the way to one server. Ping and the sessions may run beside each other; two
// pings may not.
type Server struct {
	Options

	// mu guards the ping's connection, which is kept between scrapes; nil when there
	// is none.
	mu     sync.Mutex
	pinger *link
	// closing are the lost connections that are being closed, for Close to wait for.
	closing sync.WaitGroup
	silence silence
}

// Options are what a Server needs.
type Options struct {
	// Source says how to connect. It is asked at each connect, so that a renewed password
	// is found.
	Source func() (*conninfo.Info, error)
	// Connections are shared by all Servers of the process.
	Connections *Connections
	// Costs take what the queries cost.
	Costs  *softdelete.Costs
	Logger log.Logger
}

// Limits bound the statements of a session.
type Limits struct{ LockTimeout, StatementTimeout time.Duration }

// NewServer makes a Server.
func NewServer(o Options) *Server { return &Server{Options: o} }

// Close ends the ping's connection.
func (s *Server) Close() {
	s.Connections.markBusy(s)
	s.mu.Lock()
	conn := s.takePinger()
	s.mu.Unlock()
	if conn != nil {
		s.closeConn(conn)
	}
	s.closing.Wait()
}
