// Package inspect asks PostgreSQL: it pings, discovers the tables that use soft
// delete, and counts them. Each pass makes a new Snapshot out of the one before.
// All I/O with a database is here, in two connections per server at most: one for
// pings, one for the pass.
package inspect

import (
	"context"
	"time"

	"github.com/go-kit/log"
	"github.com/jackc/pgx/v5"

	"github.com/softdelete-exporter/softdelete_exporter/config"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// Inspector asks one server. Ping and Refresh may run beside each other; two of
// the same kind may not.
type Inspector struct {
	config *config.Config
	source func() (string, error)
	costs  *softdelete.Costs
	logger log.Logger
	// now is the clock, which tests replace.
	now func() time.Time

	// pinger is the connection of the ping, kept between scrapes; nil when there is none.
	pinger *pgx.Conn
}

// New makes an Inspector of the server that the connection string names. The
// source is asked at each connect, so that a renewed password is found.
func New(c *config.Config, source func() (string, error), costs *softdelete.Costs, logger log.Logger) *Inspector {
	return &Inspector{config: c, source: source, costs: costs, logger: logger, now: time.Now}
}

// Close ends the ping's connection.
func (i *Inspector) Close() {
	if i.pinger != nil {
		i.dropPinger()
	}
}

// Refresh makes a new Snapshot out of the one before. It publishes one after
// discovery, in which new tables are pending and known ones keep their last
// numbers, and one at the end.
func (i *Inspector) Refresh(ctx context.Context, previous *softdelete.Snapshot, publish func(*softdelete.Snapshot)) {
	p := &pass{Inspector: i, previous: previous, began: i.now(), publish: publish}
	p.run(ctx)
}
