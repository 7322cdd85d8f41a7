package postgres

import (
	"os"
	"testing"
	"time"

	"github.com/go-kit/log"

	"github.com/softdelete-exporter/softdelete_exporter/conninfo"
	"github.com/softdelete-exporter/softdelete_exporter/internal/pgserver/pgtest"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

// usual are the limits of a session if a test does not set its own; inTime is the same for the timeout of a ping. A
// busy machine must not look like a slow server.
var usual = Limits{LockTimeout: 100 * time.Millisecond, StatementTimeout: 10 * time.Second}

const inTime = 20 * time.Second

// fleet makes many Servers for one real server, which share the connections of one process. After the test all
// connections must be released.
func fleet(t *testing.T, dsn string, servers, connections int) []*Server {
	t.Helper()
	info, err := conninfo.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	shared := NewConnections(connections)
	all := make([]*Server, servers)
	for i := range all {
		all[i] = NewServer(Options{
			Source:      func() (*conninfo.Info, error) { return info, nil },
			Connections: shared,
			Costs:       &softdelete.Costs{},
			Logger:      log.NewNopLogger(),
		})
	}
	t.Cleanup(func() {
		for _, s := range all {
			s.Close()
		}
		if free := shared.Free(); free != connections {
			t.Errorf("%d of %d connections are free after the test", free, connections)
		}
	})
	return all
}

// newServer makes a Server for a connection string.
func newServer(t *testing.T, dsn string) *Server {
	t.Helper()
	return fleet(t, dsn, 1, 20)[0]
}

// newSession opens a session to the database of a connection string.
func newSession(t *testing.T, dsn string, limits Limits) *Session {
	t.Helper()
	s, err := newServer(t, dsn).Open(t.Context(), "", limits, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}
