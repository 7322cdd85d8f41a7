// Package inspect makes Snapshots: it discovers the tables that use soft delete, counts
// them, checks their rows and reads their indexes. Each refresh makes a new Snapshot out
// of the one before, over one connection at a time.
package inspect

import (
	"context"
	"time"

	"github.com/softdelete-exporter/softdelete_exporter/config"
	"github.com/softdelete-exporter/softdelete_exporter/postgres"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// Inspector asks one server. Ping and Refresh may run beside each other; two of
// the same kind may not.
type Inspector struct {
	*postgres.Server
	// Target is the server as /probe is asked for it; empty for that of the connection string.
	Target string
	// Config returns the configuration in force; a refresh keeps the one that it began with.
	Config func() *config.Config
	// each is called before each step, with the table that it concerns, if it is one: tests
	// make it panic. Else it is nil.
	each func(step, table string)
}

// New makes an Inspector.
func New(config func() *config.Config, server *postgres.Server) *Inspector {
	return &Inspector{Server: server, Config: config}
}

// Ping asks whether the server answers.
func (i *Inspector) Ping(ctx context.Context) softdelete.Ping {
	return i.Server.Ping(ctx, i.Config().Ping.Timeout.Std())
}

// Refresh makes a new Snapshot out of the one before. It publishes one after each
// database's discovery, in which new tables are pending and known ones keep their
// last numbers, and one at the end.
func (i *Inspector) Refresh(ctx context.Context, previous *softdelete.Snapshot, publish func(*softdelete.Snapshot)) {
	end, err := i.Connections.AcquireRefreshSlot(ctx)
	if err != nil {
		return // the exporter ends
	}
	defer end()
	i.newRefresh(previous, publish).run(ctx)
}

// newRefresh begins a refresh.
func (i *Inspector) newRefresh(previous *softdelete.Snapshot, publish func(*softdelete.Snapshot)) *refresh {
	c, began := i.Config(), time.Now()
	r := &refresh{
		Inspector:     i,
		config:        c,
		rules:         c.Discovery.Rules.Compiled(),
		began:         began,
		budget:        newBudget(c.Counting, began),
		taken:         previous.Taken,
		previousTaken: previous.Taken,
		databases:     map[string]softdelete.Database{},
		unnamed:       map[string]bool{},
		publish:       publish,
	}
	r.many = len(r.config.Probe.Allow) > 0
	for _, d := range previous.Databases {
		r.databases[d.Name] = d
	}
	return r
}
