// Package postgres accesses a server: it connects within limits, pings on a separate connection, and runs each
// query in a short guarded transaction. It is the only package that uses the driver. Its callers pass limits as
// values, and its errors contain no secrets.
package postgres

import (
	"sync"
	"time"

	"github.com/go-kit/log"

	"github.com/softdelete-exporter/softdelete_exporter/conninfo"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// Server accesses one server. Ping and sessions may run at the same time; two pings may not.
type Server struct {
	Options

	// mu guards the ping's connection, which is kept between scrapes; it is nil if there is none.
	mu     sync.Mutex
	pinger *link
	// closing counts the lost connections that are being closed; Close waits for them.
	closing sync.WaitGroup
	silence silence
}

// Options are what a Server needs.
type Options struct {
	// Source returns how to connect. It is called at each connect, so that a new password is used.
	Source func() (*conninfo.Info, error)
	// Connections are shared by all Servers of the process.
	Connections *Connections
	// Costs records what the queries cost.
	Costs  *softdelete.Costs
	Logger log.Logger
}

// Limits limit the statements of a session.
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
