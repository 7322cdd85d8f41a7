package postgres

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/softdelete-exporter/softdelete_exporter/conninfo"
)

// attempt is one host, and the kind of server that is wanted.
type attempt struct {
	conninfo.Host
	kind string
}

// connect tries the hosts in order. Each gets a share of the remaining time, so that a host that never answers
// leaves time for the others.
func (s *Server) connect(ctx context.Context, info *conninfo.Info) (conn *link, err error) {
	failed := &connectError{database: info.Get("dbname")}
	takeTurns(ctx, last(&s.silence, attempts(info)), func(ctx context.Context, a attempt) (done bool) {
		conn, err = s.connectHost(ctx, info, a, failed)
		return conn != nil || err != nil
	})
	if conn == nil && err == nil {
		err = failed
	}
	return conn, err
}

// attempts returns the attempts that the connection string asks for, in order.
func attempts(info *conninfo.Info) (all []attempt) {
	kinds := []string{cmp.Or(info.Get("target_session_attrs"), anyServer)}
	if kinds[0] == preferStandby {
		kinds = []string{standby, anyServer}
	}
	hosts := info.Hosts()
	if info.Get("load_balance_hosts") == "random" {
		rand.Shuffle(len(hosts), func(a, b int) { hosts[a], hosts[b] = hosts[b], hosts[a] })
	}
	for _, kind := range kinds {
		for _, host := range hosts {
			all = append(all, attempt{host, kind})
		}
	}
	return all
}

// takeTurns gives each attempt a share of the remaining time; time that one does not use goes to the next ones.
func takeTurns[T any](ctx context.Context, all []T, try func(context.Context, T) (done bool)) {
	for n, one := range all {
		turn, cancel := ctx, context.CancelFunc(func() {})
		if ends, bounded := ctx.Deadline(); bounded {
			turn, cancel = context.WithTimeout(ctx, time.Until(ends)/time.Duration(len(all)-n))
		}
		done := try(turn, one)
		cancel()
		if done || ctx.Err() != nil {
			return
		}
	}
}

func timedOut(ctx context.Context) bool { return errors.Is(ctx.Err(), context.DeadlineExceeded) }

// silence remembers the hosts that did not answer in time. They are tried last for a minute; otherwise a
// refresh of many databases would wait for them at each database.
type silence struct {
	mu    sync.Mutex
	until map[any]time.Time
}

// forgiveness is how long a host that did not answer is tried last.
const forgiveness = time.Minute

func (s *silence) note(who any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	maps.DeleteFunc(s.until, func(_ any, until time.Time) bool { return time.Now().After(until) })
	if s.until == nil {
		s.until = map[any]time.Time{}
	}
	s.until[who] = time.Now().Add(forgiveness)
}

// last moves hosts that did not answer recently behind the others.
func last[T any](s *silence, all []T) []T {
	s.mu.Lock()
	defer s.mu.Unlock()
	silent := func(who T) int {
		if time.Now().Before(s.until[who]) {
			return 1
		}
		return 0
	}
	return slices.SortedStableFunc(slices.Values(all), func(a, b T) int { return silent(a) - silent(b) })
}
