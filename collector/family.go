package collector

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
)

// Family is one metric with its values. It can collect or gather them.
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
	for _, values := range [][]string{subject, own} {
		for _, value := range values {
			if !utf8.ValidString(value) {
				return fmt.Errorf("a label of %s is not valid UTF-8: %q", m.Name, value)
			}
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

// Gather implements prometheus.Gatherer. It returns what a registry would, at a fraction of the cost, because values
// and labels are not copied.
func (f *Family) Gather() ([]*dto.MetricFamily, error) {
	if len(f.samples) == 0 {
		return nil, nil
	}
	order := f.labelOrder()
	metrics, pairs := make([]dto.Metric, len(f.samples)), make([]dto.LabelPair, len(f.samples)*len(order))
	all := make([]*dto.Metric, len(metrics))
	for i := range f.samples {
		s, m := &f.samples[i], &metrics[i]
		m.Label = make([]*dto.LabelPair, len(order))
		for at, n := range order {
			m.Label[at] = &pairs[i*len(order)+at]
			m.Label[at].Name, m.Label[at].Value = &f.Labels[n], s.label(n)
		}
		if f.Type == prometheus.CounterValue {
			m.Counter = &dto.Counter{Value: &s.value}
		} else {
			m.Gauge = &dto.Gauge{Value: &s.value}
		}
		all[i] = m
	}
	slices.SortFunc(all, byLabels)
	family := &dto.MetricFamily{Name: &f.Name, Help: &f.Help, Type: f.Type.ToDTO(),
		Metric: slices.CompactFunc(all, func(a, b *dto.Metric) bool { return byLabels(a, b) == 0 })}
	if twice := len(metrics) - len(family.Metric); twice > 0 {
		return []*dto.MetricFamily{family}, fmt.Errorf("%s has %d series that are there already", f.Name, twice)
	}
	return []*dto.MetricFamily{family}, nil
}

// labelOrder returns the positions of the labels in the order of their names.
func (m Metric) labelOrder() []int {
	order := make([]int, len(m.Labels))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return strings.Compare(m.Labels[a], m.Labels[b]) })
	return order
}

// label returns the value of the label at this position.
func (s *sample) label(n int) *string {
	if n < len(s.subject) {
		return &s.subject[n]
	}
	return &s.own[n-len(s.subject)]
}

// byLabels compares the label values of two series of one metric.
func byLabels(a, b *dto.Metric) int {
	for i, l := range a.Label {
		if c := strings.Compare(*l.Value, *b.Label[i].Value); c != 0 {
			return c
		}
	}
	return 0
}
