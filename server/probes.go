package server

import (
	"fmt"
	"sync"
	"time"

	"github.com/softdelete-exporter/softdelete_exporter/conninfo"
	"github.com/softdelete-exporter/softdelete_exporter/rescue"
)

// maxTargets is how many targets are kept: each has a cache of its own. Those that never
// answered give way to others, so that invented names keep no server out.
const maxTargets = 1000

// errTooMany refuses one more.
var errTooMany = fmt.Errorf("there are %d targets already; split them among several exporters, or lower probe.idle",
	maxTargets)

// probes are the targets of /probe that were asked for of late.
type probes struct {
	server *Server
	mu     sync.Mutex
	known  map[probeKey]*probed
	// farewells are those to targets that gave way, for close to wait for.
	farewells sync.WaitGroup
}

type probeKey struct{ target, module string }

// probed is a target and when it will be forgotten.
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
			// Asked anew at each connect: a reload may have changed the module.
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

// giveWay forgets the target that nobody asked for the longest, of those that never
// answered, and reports whether there was one. The lock is held by the caller.
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

// end closes a target that was taken away.
func (p *probes) end(key probeKey, t *probed) {
	err := rescue.Catch(func() error {
		t.Close()
		return nil
	})
	rescue.Log(p.server.Logger, err, "target", key.target)
}

// remove takes a target away, unless somebody asked for it since its timer was set.
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

// renew makes a refresh of every target due.
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
