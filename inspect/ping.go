package inspect

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/softdelete-exporter/softdelete_exporter/queries"
	"github.com/softdelete-exporter/softdelete_exporter/rescue"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// Ping asks the shortest question on a connection of its own. A connection that
// turns out broken is reopened once, but never after a timeout: the server had its
// chance. The time to connect is not part of the answer's duration.
func (i *Inspector) Ping(ctx context.Context) softdelete.Ping {
	ctx, cancel := context.WithTimeout(ctx, i.Config().Ping.Timeout.Std())
	defer cancel()
	i.Connections.claim(i)
	ping := softdelete.Ping{At: time.Now()}
	took, err := i.askTwice(ctx)
	if err != nil {
		// Of several hosts it is said how each failed.
		if errors.Is(err, context.DeadlineExceeded) && !errors.As(err, new(*connectError)) {
			err = errors.New("no answer in time")
		}
		ping.Err = softdelete.Legible(err.Error())
		return ping
	}
	// Not before the lock is given back: who wants the connection closed does not wait.
	i.Connections.rest(i)
	ping.Up, ping.Duration = true, took
	return ping
}

// askTwice asks, and once more if the connection was an old one and broken.
func (i *Inspector) askTwice(ctx context.Context) (time.Duration, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	established := i.pinger != nil
	took, err := i.ask(ctx)
	if err != nil && established && ctx.Err() == nil {
		took, err = i.ask(ctx)
	}
	return took, err
}

// ask sends the question on the ping's connection, opening it if there is none,
// and gives the connection up if it fails. Like every other question it has a
// transaction of its own: a standby answers nothing at all where the default
// isolation is serializable.
func (i *Inspector) ask(ctx context.Context) (time.Duration, error) {
	if i.pinger == nil {
		conn, err := i.dial(ctx, "")
		if err != nil {
			return 0, err
		}
		i.pinger = conn
	}
	batch := &pgx.Batch{}
	batch.Queue(queries.Begin())
	batch.Queue(queries.Ping())
	batch.Queue(queries.Commit())
	began := time.Now()
	err := i.pinger.info.Hide(i.pinger.SendBatch(ctx, batch).Close())
	took := time.Since(began)
	i.Costs.Add(i.pinger.Config().Database, took, err)
	if err != nil {
		// Nobody who waits for the answer waits for the farewell, too.
		lost := i.takePinger()
		i.farewells.Go(func() {
			rescue.Log(i.Logger, rescue.Catch(func() error {
				i.hangUp(lost)
				return nil
			}))
		})
	}
	return took, err
}

// takePinger takes the ping's connection away; nil if there is none. The caller
// holds mu.
func (i *Inspector) takePinger() *link {
	conn := i.pinger
	i.pinger = nil
	return conn
}

// makeRoom closes the ping's connection, unless it has just come into use again, and
// tells whether it did.
func (i *Inspector) makeRoom() bool {
	if !i.mu.TryLock() {
		return false
	}
	conn := i.takePinger()
	i.mu.Unlock()
	if conn == nil {
		return false
	}
	i.hangUp(conn)
	return true
}
