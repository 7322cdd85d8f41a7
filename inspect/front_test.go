package inspect

import (
	"io"
	"net"
	"net/url"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5/pgproto3"
)

// front stands in front of a server as a network would, good or bad.
type front struct {
	// dsn connects through the front.
	dsn string

	mu      sync.Mutex
	how     behaviour
	changed chan struct{}
	conns   []net.Conn
}

// behaviour is what a front does with a connection.
type behaviour int

const (
	forwarding behaviour = iota
	// silent accepts connections and lets nothing through, also on those that it has.
	silent
	// starting refuses as a server does that is still in recovery.
	starting
)

// newFront opens a front to the server of a connection string.
func newFront(t *testing.T, dsn string) *front {
	t.Helper()
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	behind := u.Host
	u.Host = listener.Addr().String()
	f := &front{dsn: u.String(), changed: make(chan struct{})}
	var running sync.WaitGroup
	running.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			f.keep(conn)
			running.Go(func() { f.serve(conn, behind, &running) })
		}
	})
	t.Cleanup(func() {
		listener.Close()
		f.behave(forwarding)
		f.hangUp()
		running.Wait()
	})
	return f
}

// behave changes what the front does. What was held back while it was silent is lost,
// with the connections that it belonged to.
func (f *front) behave(how behaviour) {
	f.mu.Lock()
	was := f.how
	f.how = how
	close(f.changed)
	f.changed = make(chan struct{})
	f.mu.Unlock()
	if was == silent {
		f.hangUp()
	}
}

func (f *front) keep(conn net.Conn) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.conns = append(f.conns, conn)
}

// hangUp closes every connection.
func (f *front) hangUp() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, conn := range f.conns {
		conn.Close()
	}
	f.conns = nil
}

// while waits until the front no longer behaves so.
func (f *front) while(how behaviour) {
	for {
		f.mu.Lock()
		is, changed := f.how, f.changed
		f.mu.Unlock()
		if is != how {
			return
		}
		<-changed
	}
}

func (f *front) serve(conn net.Conn, behind string, running *sync.WaitGroup) {
	defer conn.Close()
	f.while(silent)
	f.mu.Lock()
	how := f.how
	f.mu.Unlock()
	if how == starting {
		backend := pgproto3.NewBackend(conn, conn)
		if _, err := backend.ReceiveStartupMessage(); err == nil {
			backend.Send(&pgproto3.ErrorResponse{Severity: "FATAL", Code: "57P03", Message: "the database system is starting up"})
			_ = backend.Flush() // the client may have left
		}
		return
	}
	server, err := net.Dial("tcp", behind)
	if err != nil {
		return
	}
	defer server.Close()
	f.keep(server)
	running.Go(func() { f.pump(conn, server) })
	f.pump(server, conn)
}

// pump carries one direction of a connection, and ends both with it.
func (f *front) pump(to, from net.Conn) {
	defer to.Close()
	buffer := make([]byte, 1<<16)
	for {
		n, err := from.Read(buffer)
		f.while(silent)
		if n > 0 {
			if _, err := to.Write(buffer[:n]); err != nil {
				return
			}
		}
		if err != nil && err != io.EOF || n == 0 {
			return
		}
	}
}
