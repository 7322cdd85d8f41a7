package server

import (
	"fmt"
	"sync"
	"time"

	"github.com/softdelete-exporter/softdelete_exporter/conninfo"
	"github.com/softdelete-exporter/softdelete_exporter/rescue"
)

// maxTargets is how many targets are kept; each has its own cache. A target that never answered gives way to a new
// one, so that invented names cannot keep real servers out.
const maxTargets = 1000

// errTooMany is the answer to a target that is one too many.
var errTooMany = fmt.Errorf("there are %d targets already; split them among several exporters, or lower probe.idle",
	maxTargets)

// probes are the targets of /probe that were requested recently.
type probes struct {
	server *Server
	mu     sync.Mutex
	known  map[probeKey]*probed
	// farewells counts the targets that are being closed; close waits for them.
	farewells sync.WaitGroup
}

type probeKey struct{ target, module string }

// probed is a target with the timer that will remove it.
type probed struct {
	*target
	used  time.Time
	timer *time.Timer
}

// find returns the target that a request names, if the configuration allows it.
func (p *probes) find(name, module string) (*target, error) {
	c := p.server.Settings.Config()
	t, err := c.NewTarget(name, module)
	if err != nil {
		return nil, err
	}
	idle := c.Probe.Idle.Std()
	key := probeKey{t.String(), module}

	p.mu.Lock()
	defer p.mu.Unlock()
	known := p.known[key]
	if known == nil {
		if len(p.known) == maxTargets && !p.giveWay() {
			return nil, errTooMany
		}
		known = &probed{target: p.server.newTarget(key.target, func() (*conninfo.Info, error) {
			// Read again at each connect: a reload may have changed the module.
			t, err := p.server.Settings.Config().NewTarget(key.target, module)
			if err != nil {
				return nil, err
			}
			return t.DataSource()
		}, t.Database)}
		known.timer = time.AfterFunc(idle, func() {
			if p.remove(key, known) {
				p.end(key, known)
			}
		})
		if p.known == nil {
			p.known = map[probeKey]*probed{}
		}
		p.known[key] = known
	}
	known.used = time.Now()
	known.timer.Reset(idle)
	return known.target, nil
}

// giveWay removes one target that never answered, the one that was not requested for the longest time. It reports
// whether there was one. The caller holds the lock.
func (p *probes) giveWay() bool {
	var oldest probeKey
	found := false
	for key, t := range p.known {
		if !t.Answered() && (!found || t.used.Before(p.known[oldest].used)) {
			oldest, found = key, true
		}
	}
	if found {
		t := p.known[oldest]
		t.timer.Stop()
		delete(p.known, oldest)
		p.farewells.Go(func() { p.end(oldest, t) })
	}
	return found
}

// end closes a target that was removed.
func (p *probes) end(key probeKey, t *probed) {
	err := rescue.Catch(func() error {
		t.Close()
		return nil
	})
	rescue.Log(p.server.Logger, err, "target", key.target)
}

// remove removes a target, unless it was requested since its timer was set.
func (p *probes) remove(key probeKey, idle *probed) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.known[key] != idle {
		return false
	}
	if left := p.server.Settings.Config().Probe.Idle.Std() - time.Since(idle.used); left > 0 {
		idle.timer.Reset(left)
		return false
	}
	delete(p.known, key)
	return true
}

// renew makes a refresh of each target due.
func (p *probes) renew() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, t := range p.known {
		t.Renew()
	}
}

func (p *probes) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, t := range p.known {
		t.timer.Stop()
		t.Close()
	}
	p.known = nil
	p.farewells.Wait()
}
