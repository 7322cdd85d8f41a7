package inspect

import (
	"context"
	"errors"
	"time"

	"github.com/softdelete-exporter/softdelete_exporter/config"
	"github.com/softdelete-exporter/softdelete_exporter/queries"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// Ping asks the shortest question on a connection of its own. A connection that
// turns out broken is reopened once, but never after a timeout: the server had its
// chance. The time to connect is not part of the answer's duration.
func (i *Inspector) Ping(ctx context.Context) softdelete.Ping {
	ctx, cancel := context.WithTimeout(ctx, i.Config().Ping.Timeout.Std())
	defer cancel()
	i.Connections.claim(i)
	i.mu.Lock()
	defer i.mu.Unlock()
	ping := softdelete.Ping{At: time.Now()}
	established := i.pinger != nil
	took, err := i.ask(ctx)
	if err != nil && established && ctx.Err() == nil {
		took, err = i.ask(ctx)
	}
	if err != nil {
		if errors.Is(err, context.DeadlineExceeded) {
			err = errors.New("no answer in time")
		}
		ping.Err = config.Redact(err.Error())
		return ping
	}
	i.Connections.rest(i)
	ping.Up, ping.Duration = true, took
	return ping
}

// ask sends the question on the ping's connection, opening it if there is none,
// and gives the connection up if it fails.
func (i *Inspector) ask(ctx context.Context) (time.Duration, error) {
	if i.pinger == nil {
		conn, err := i.dial(ctx, "")
		if err != nil {
			return 0, err
		}
		i.pinger = conn
	}
	began := time.Now()
	_, err := i.pinger.Exec(ctx, queries.Ping())
	took := time.Since(began)
	i.Costs.Add(i.pinger.Config().Database, took, err)
	if err != nil {
		i.dropPinger()
	}
	return took, err
}

// dropPinger gives the ping's connection up, if there is one. The caller holds mu.
func (i *Inspector) dropPinger() {
	if i.pinger != nil {
		i.hangUp(i.pinger)
		i.pinger = nil
	}
}
