// Package inspect makes Snapshots: it discovers the tables that use soft delete, counts them, checks their rows and
// reads their indexes. Each refresh makes a new Snapshot from the previous one, over one connection at a time.
package inspect

import (
	"context"
	"time"

	"github.com/softdelete-exporter/softdelete_exporter/config"
	"github.com/softdelete-exporter/softdelete_exporter/postgres"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// Inspector inspects one server. Ping and Refresh may run at the same time; two calls of the same method may not.
type Inspector struct {
	*postgres.Server
	// Target is the server as a target of /probe; empty for the server of the connection string.
	Target string
	// Config returns the configuration in force; a refresh uses one configuration to its end.
	Config  func() *config.Config
	reloads reloads
	// each is called before each step, with the table if the step is about one. It is nil except in tests, which
	// let it panic.
	each func(step, table string)
}

// New makes an Inspector.
func New(config func() *config.Config, server *postgres.Server) *Inspector {
	return &Inspector{Server: server, Config: config}
}

// Ping checks whether the server answers.
func (i *Inspector) Ping(ctx context.Context) softdelete.Ping {
	return i.Server.Ping(ctx, i.Config().Ping.Timeout.Std())
}

// Refresh makes a new Snapshot from the previous one. It publishes one after the discovery of each database, in which
// new tables are pending and known ones keep their last numbers, and one at the end.
func (i *Inspector) Refresh(ctx context.Context, previous *softdelete.Snapshot, publish func(*softdelete.Snapshot)) {
	end, err := i.Connections.AcquireRefreshSlot(ctx)
	if err != nil {
		return // the exporter is ending
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
		reloads:       i.reloads.note(c),
		activity:      map[string]string{},
		taken:         previous.Taken,
		previousTaken: previous.Taken,
		databases:     map[string]softdelete.Database{},
		edges:         map[agesOf][]time.Time{},
		unnamed:       map[string]bool{},
		publish:       publish,
	}
	r.many = len(r.config.Probe.Allow) > 0
	for _, d := range previous.Databases {
		r.databases[d.Name] = d
	}
	return r
}
