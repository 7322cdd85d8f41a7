//go:build e2e

package mixin

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
)

// samples writes the values of a series in promtool's notation.
type samples struct {
	values []string
	last   string
	run    int
}

func (s *samples) add(value float64) {
	text := "_"
	if !math.IsNaN(value) {
		text = fmt.Sprintf("%.10g", value)
	} else if s.last != "_" && s.last != "stale" && s.last != "" {
		text = "stale" // a series that is no longer scraped ends at once
	}
	if text == s.last && text != "stale" {
		s.run++
		return
	}
	s.flush()
	s.last, s.run = text, 0
}

func (s *samples) flush() {
	switch {
	case s.last == "":
	case s.run == 0:
		s.values = append(s.values, s.last)
	default:
		// "1+0x9" is ten samples, but "_x9" is nine gaps.
		if s.last == "_" {
			s.values = append(s.values, fmt.Sprintf("_x%d", s.run+1))
		} else {
			s.values = append(s.values, fmt.Sprintf("%s+0x%d", s.last, s.run))
		}
	}
}

func (s *samples) text() string {
	s.flush()
	s.last = ""
	return strings.Join(s.values, " ")
}

// scraped collects series, step by step. A series without a value in a step has a gap there.
type scraped struct {
	steps  int
	series map[string]*samples
	now    map[string]float64
}

func (s *scraped) set(metric string, value float64, labels ...string) {
	var b strings.Builder
	b.WriteString(metric + `{job="softdelete",instance="shop-db"`)
	for i := 0; i < len(labels); i += 2 {
		fmt.Fprintf(&b, ",%s=%q", labels[i], labels[i+1])
	}
	s.now[b.String()+"}"] = value
}

func (s *scraped) step() {
	for name := range s.now {
		if s.series[name] == nil {
			s.series[name] = &samples{}
			for range s.steps {
				s.series[name].add(absent)
			}
		}
	}
	for name, series := range s.series {
		value, found := s.now[name]
		if !found {
			value = absent
		}
		series.add(value)
	}
	s.steps++
	s.now = map[string]float64{}
}

type input struct {
	Series string `json:"series"`
	Values string `json:"values"`
}

func (s *scraped) input() (all []input) {
	for _, name := range slices.Sorted(maps.Keys(s.series)) {
		all = append(all, input{name, s.series[name].text()})
	}
	return all
}

func newScraped() *scraped {
	return &scraped{series: map[string]*samples{}, now: map[string]float64{}}
}
