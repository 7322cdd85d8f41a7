package server

import (
	"cmp"
	"io"
	"net/http"
	"net/url"
	"slices"

	"github.com/softdelete-exporter/softdelete_exporter/report"
)

// targets answers with the servers whose reports there are, and their verdicts. It asks none of them anything: the
// verdicts are those of their last snapshots.
func (s *Server) targets(w http.ResponseWriter, r *http.Request) {
	s.answer(w, r, func(out io.Writer, format string) error {
		var all []report.Target
		if s.target != nil {
			all = append(all, report.Target{Link: "report", Report: s.judge(s.target.Pings(), s.target.Last())})
		}
		for _, known := range s.probes.list() {
			query := url.Values{"target": {known.key.target}}
			if known.key.module != "" {
				query.Set("auth_module", known.key.module)
			}
			all = append(all, report.Target{Name: known.key.target, Module: known.key.module,
				Link: "report?" + query.Encode(), Report: s.judge(known.Pings(), known.Last())})
		}
		if format == "json" {
			return report.TargetsJSON(out, all)
		}
		return report.TargetsHTML(out, all, s.Version)
	})
}

// hasProbes reports whether the configuration allows any target.
func (s *Server) hasProbes() bool { return len(s.Settings.Config().Probe.Allow) > 0 }

// listed is a target of /probe that is known.
type listed struct {
	key probeKey
	*target
}

// list returns the targets that were requested recently, by name.
func (p *probes) list() []listed {
	p.mu.Lock()
	defer p.mu.Unlock()
	var all []listed
	for key, t := range p.known {
		all = append(all, listed{key, t.target})
	}
	slices.SortFunc(all, func(a, b listed) int {
		return cmp.Or(cmp.Compare(a.key.target, b.key.target), cmp.Compare(a.key.module, b.key.module))
	})
	return all
}
