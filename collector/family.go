package collector

import (
	"fmt"
	"slices"
	"unicode/utf8"

	"github.com/prometheus/client_golang/prometheus"
)

// Family collects one metric: its values have been read already.
type Family struct {
	Metric
	desc    *prometheus.Desc
	samples []sample
}

// sample is the value of one series. The labels of its subject come first; other samples share them.
type sample struct {
	value        float64
	subject, own []string
}

// fits returns an error unless a series of the metric can have these labels.
func (m Metric) fits(subject, own []string) error {
	if n := len(subject) + len(own); n != len(m.Labels) {
		return fmt.Errorf("%s has %d labels, not %d", m.Name, len(m.Labels), n)
	}
	for i, value := range slices.Concat(subject, own) {
		if !utf8.ValidString(value) {
			return fmt.Errorf("the label %s of %s is not valid UTF-8: %q", m.Labels[i], m.Name, value)
		}
	}
	return nil
}

// Describe implements prometheus.Collector.
func (f *Family) Describe(ch chan<- *prometheus.Desc) { ch <- f.desc }

// Collect implements prometheus.Collector.
func (f *Family) Collect(ch chan<- prometheus.Metric) {
	for _, s := range f.samples { // they fit
		ch <- prometheus.MustNewConstMetric(f.desc, f.Type, s.value, slices.Concat(s.subject, s.own)...)
	}
}
