//go:build unix

package pgtest

import (
	"errors"
	"io"
	"net"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgproto3"
)

// Front is a proxy in front of a server that behaves like a good or a bad network.
type Front struct {
	// DSN connects through the front.
	DSN string

	mu      sync.Mutex
	how     Behaviour
	changed chan struct{}
	conns   []net.Conn
	// accepted counts the clients' connections.
	accepted int
	// lateness is the delay while it is Slow, in each direction.
	lateness time.Duration
	// asking is true if the last data came from a client; turns counts how often a client sent something after the
	// server did.
	asking bool
	turns  int
}

// Behaviour is what a Front does with its connections.
type Behaviour int

// The behaviours of a Front.
const (
	// Forwarding passes everything on.
	Forwarding Behaviour = iota
	// Silent accepts connections and passes nothing on, also on existing ones.
	Silent
	// Starting refuses connections like a server that is starting up.
	Starting
	// Slow passes everything on with a delay.
	Slow
)

// usualLateness is the delay of a Slow front, in each direction.
const usualLateness = 100 * time.Millisecond

// NewFront starts a Front for the server of a connection string, until the test ends.
func NewFront(tb testing.TB, dsn string) *Front {
	tb.Helper()
	u, err := url.Parse(dsn)
	if err != nil {
		tb.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	behind := u.Host
	u.Host = listener.Addr().String()
	f := &Front{DSN: u.String(), changed: make(chan struct{}), lateness: usualLateness}
	var running sync.WaitGroup
	running.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			f.keep(conn)
			f.mu.Lock()
			f.accepted++
			f.mu.Unlock()
			running.Go(func() { f.serve(conn, behind, &running) })
		}
	})
	tb.Cleanup(func() {
		listener.Close()
		f.Behave(Forwarding)
		f.HangUp()
		running.Wait()
	})
	return f
}

// Behave changes the behaviour. Data that was held back while it was silent is lost, with its connections.
func (f *Front) Behave(how Behaviour) {
	f.mu.Lock()
	was := f.how
	f.how = how
	close(f.changed)
	f.changed = make(chan struct{})
	f.mu.Unlock()
	if was == Silent {
		f.HangUp()
	}
}

// Delay makes the front slow, with a delay in each direction. What is sent together arrives together.
func (f *Front) Delay(lateness time.Duration) {
	f.mu.Lock()
	f.lateness = lateness
	f.mu.Unlock()
	f.Behave(Slow)
}

// Accepted returns how many connections were made so far.
func (f *Front) Accepted() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.accepted
}

// Turns returns how often clients have sent something after the server did: the round trips of a connection.
func (f *Front) Turns() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.turns
}

// note records who sends.
func (f *Front) note(client bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if client && !f.asking {
		f.turns++
	}
	f.asking = client
}

func (f *Front) keep(conn net.Conn) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.conns = append(f.conns, conn)
}

// HangUp closes every connection.
func (f *Front) HangUp() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, conn := range f.conns {
		conn.Close()
	}
	f.conns = nil
}

// while waits until the behaviour changes.
func (f *Front) while(how Behaviour) {
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

func (f *Front) serve(conn net.Conn, behind string, running *sync.WaitGroup) {
	defer conn.Close()
	f.while(Silent)
	if f.behaves(Starting) {
		backend := pgproto3.NewBackend(conn, conn)
		if _, err := backend.ReceiveStartupMessage(); err == nil {
			backend.Send(&pgproto3.ErrorResponse{Severity: "FATAL", Code: "57P03",
				Message: "the database system is starting up"})
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
	running.Go(func() { f.pump(conn, server, false) })
	f.pump(server, conn, true)
}

func (f *Front) behaves(how Behaviour) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.how == how
}

// pump copies one direction of a connection, and closes both ends afterwards.
func (f *Front) pump(to, from net.Conn, client bool) {
	type chunk struct {
		data []byte
		due  time.Time
	}
	chunks := make(chan chunk, 1<<10)
	var writing sync.WaitGroup
	writing.Go(func() {
		defer to.Close()
		var err error
		for c := range chunks {
			f.while(Silent)
			time.Sleep(time.Until(c.due))
			if err == nil {
				if !client {
					f.note(client) // when the client gets it
				}
				if _, err = to.Write(c.data); err != nil {
					to.Close() // so that the other direction ends, and with it this one
				}
			}
		}
	})
	defer writing.Wait()
	defer close(chunks)
	buffer := make([]byte, 1<<16)
	for {
		n, err := from.Read(buffer)
		if n > 0 {
			if client {
				f.note(client)
			}
			chunks <- chunk{slices.Clone(buffer[:n]), time.Now().Add(f.delay())}
		}
		if err != nil && !errors.Is(err, io.EOF) || n == 0 {
			return
		}
	}
}

// delay is how late what comes now is passed on.
func (f *Front) delay() time.Duration {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.how == Slow {
		return f.lateness
	}
	return 0
}

// TwoHosts returns a connection string of a database with two hosts; the first one accepts connections and never
// answers.
func TwoHosts(t testing.TB, direct string) (dsn string) {
	t.Helper()
	front := NewFront(t, direct)
	front.Behave(Silent)
	silent, err := url.Parse(front.DSN)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Replace(direct, "@", "@"+silent.Host+",", 1)
}
