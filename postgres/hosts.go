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

// attempt is one host, asked for a kind of server.
type attempt struct {
	conninfo.Host
	kind string
}

// connect tries the hosts in turn, each in its share of the time that is left, so that
// one that never answers does not take the turn of the others.
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

// attempts are those that the connection string asks for, in order.
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

// takeTurns gives each its part of the time that is left, in turn: what one does not use, the
// next ones have.
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

// silence remembers who did not answer in time. For a minute they are asked last: a
// refresh of many databases would else wait for them at each.
type silence struct {
	mu    sync.Mutex
	until map[any]time.Time
}

// forgiveness is how long somebody who did not answer is asked last.
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

// last puts those that did not answer of late behind the others.
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
