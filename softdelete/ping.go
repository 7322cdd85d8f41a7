package softdelete

import (
	"net"
	"strconv"
	"strings"
	"time"
)

// Ping is the result of one ping.
type Ping struct {
	// At is when the ping was sent.
	At time.Time
	// Up is true if the server answered in time.
	Up bool
	// Duration is the time from sending to the answer, without connecting; 0 if the server is not up.
	Duration time.Duration
	// Err says why the server is not up, without secrets; empty if it is up.
	Err string
	// Remedy says what to do about it; empty if there is nothing to suggest.
	Remedy string
	// Server is the server that was asked; nil if the connection string could not be read.
	Server *Server
}

// Server says which server a ping asked. It has no secrets.
type Server struct {
	// Host, a name, an address or the directory of a socket, and Port are those of the host that answered. If none
	// of several hosts answered they are empty, and Tried has the addresses of all.
	Host  string
	Port  int
	Tried []string
	// Database is the one in the connection string.
	Database string
	// Version is the server's, such as 16.4; Role is what it is in replication. Both are empty if the server did not
	// answer, or did not say.
	Version string
	Role    Role
}

// Role is what a server is in replication.
type Role string

// The roles of a server.
const (
	Primary Role = "primary"
	Standby Role = "standby"
)

// Address returns host and port in one text.
func (s *Server) Address() string {
	if len(s.Tried) > 0 {
		return strings.Join(s.Tried, ", ")
	}
	return net.JoinHostPort(s.Host, strconv.Itoa(s.Port))
}

// Name returns the address and the database in one text.
func (s *Server) Name() string { return s.Address() + "/" + s.Database }

// Milliseconds returns the response time.
func (p Ping) Milliseconds() float64 { return float64(p.Duration) / float64(time.Millisecond) }
