// Package inspect asks PostgreSQL: it pings, discovers the tables that use soft
// delete, and counts them. Each pass makes a new Snapshot out of the one before.
// All I/O with a database is here, in two connections per server at most: one for
// pings, one for the pass.
package inspect

import (
	"context"
	"sync"
	"time"

	"github.com/go-kit/log"

	"github.com/softdelete-exporter/softdelete_exporter/config"
	"github.com/softdelete-exporter/softdelete_exporter/conninfo"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// Inspector asks one server. Ping and Refresh may run beside each other; two of
// the same kind may not.
type Inspector struct {
	Options

	// mu guards the ping's connection, which is kept between scrapes; nil when there
	// is none.
	mu     sync.Mutex
	pinger *link
	// each is called before each step, with the table that it concerns, if it is one: tests
	// make it panic. Else it is nil.
	each func(step, table string)
	// farewells are those to lost connections, for Close to wait for.
	farewells sync.WaitGroup
	silence   silence
}

// Options are what an Inspector needs.
type Options struct {
	// Config returns the configuration in force; a pass keeps the one that it began with.
	Config func() *config.Config
	// Source says how to connect. It is asked at each connect, so that a renewed password
	// is found.
	Source func() (*conninfo.Info, error)
	// Connections are shared by all Inspectors of the process.
	Connections *Connections
	// Costs take what the queries cost.
	Costs  *softdelete.Costs
	Logger log.Logger
}

// New makes an Inspector.
func New(o Options) *Inspector { return &Inspector{Options: o} }

// Close ends the ping's connection.
func (i *Inspector) Close() {
	i.Connections.claim(i)
	i.mu.Lock()
	conn := i.takePinger()
	i.mu.Unlock()
	if conn != nil {
		i.hangUp(conn)
	}
	i.farewells.Wait()
}

// Refresh makes a new Snapshot out of the one before. It publishes one after each
// database's discovery, in which new tables are pending and known ones keep their
// last numbers, and one at the end.
func (i *Inspector) Refresh(ctx context.Context, previous *softdelete.Snapshot, publish func(*softdelete.Snapshot)) {
	end, err := i.Connections.turn(ctx)
	if err != nil {
		return // the exporter ends
	}
	defer end()
	i.newPass(previous, publish).run(ctx)
}

// newPass begins a refresh.
func (i *Inspector) newPass(previous *softdelete.Snapshot, publish func(*softdelete.Snapshot)) *pass {
	c, began := i.Config(), time.Now()
	p := &pass{
		Inspector: i,
		config:    c,
		rules:     c.Discovery.Rules.Domain(),
		began:     began,
		budget:    newBudget(c.Counting, began),
		taken:     previous.Taken,
		before:    previous.Taken,
		databases: map[string]softdelete.Database{},
		unnamed:   map[string]bool{},
		publish:   publish,
	}
	p.many = len(p.config.Probe.Allow) > 0
	for _, d := range previous.Databases {
		p.databases[d.Name] = d
	}
	return p
}
