// Package collector turns a Snapshot into metrics. Each metric is listed once, with its name, its help, its
// labels and the source of its value. The descriptions, the values and docs/metrics.md are made from that
// list.
package collector

//go:generate go run ../internal/readme ..

import (
	"errors"
	"slices"
	"strings"

	"github.com/go-kit/log"
	"github.com/go-kit/log/level"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/softdelete-exporter/softdelete_exporter/rescue"
)

// Metric documents one metric.
type Metric struct {
	Name, Help string
	Labels     []string
	Type       prometheus.ValueType
}

// metric is a metric whose values are read from a T.
type metric[T any] struct {
	Metric
	// values calls emit for each series of the metric. The labels follow those that all metrics of a T have.
	values func(subject T, emit func(value float64, labels ...string))
	desc   *prometheus.Desc
}

// gauge defines a gauge of a T.
func gauge[T any](name, help string, labels []string, values func(T, func(float64, ...string))) metric[T] {
	return define(prometheus.GaugeValue, name, help, labels, values)
}

// counter defines a counter of a T.
func counter[T any](name, help string, labels []string, values func(T, func(float64, ...string))) metric[T] {
	return define(prometheus.CounterValue, name, help, labels, values)
}

func define[T any](kind prometheus.ValueType, name, help string, labels []string, values func(T, func(float64,
	...string))) metric[T] {
	return metric[T]{
		Metric: Metric{Name: name, Help: help, Labels: labels, Type: kind},
		values: values,
		desc:   prometheus.NewDesc(name, help, labels, nil),
	}
}

// metrics are all metrics of a T.
type metrics[T any] []metric[T]

func (ms metrics[T]) describe(ch chan<- *prometheus.Desc) {
	for _, m := range ms {
		ch <- m.desc
	}
}

// reader reads the metrics of one subject after another.
type reader[T any] struct {
	metrics  metrics[T]
	families []*Family
	// added are the samples of the current subject, for each metric.
	added [][]sample
	// subjects is how many subjects there are.
	subjects int
}

func (ms metrics[T]) reader(subjects int) *reader[T] {
	r := &reader[T]{ms, make([]*Family, len(ms)), make([][]sample, len(ms)), subjects}
	for i, m := range ms {
		r.families[i] = &Family{Metric: m.Metric, desc: m.desc}
	}
	return r
}

// read adds the samples of one subject to the families. All of them begin with the given labels. On an error it adds
// none. It catches panics itself, so that they cost this subject only.
func (r *reader[T]) read(logger log.Logger, subject T, labels ...string) error {
	err := rescue.Catch(func() (err error) {
		for i, m := range r.metrics {
			r.added[i] = r.added[i][:0]
			m.values(subject, func(value float64, own ...string) {
				err = errors.Join(err, m.fits(labels, own))
				r.added[i] = append(r.added[i], sample{value, labels, own})
			})
		}
		return err
	})
	if err != nil {
		rescue.Log(logger, err)
		level.Error(logger).Log("msg", "metrics are left out", "of", strings.Join(labels, "."), "err", err)
		return err
	}
	for i, f := range r.families {
		if f.samples == nil && len(r.added[i]) > 0 {
			f.samples = make([]sample, 0, len(r.added[i])*r.subjects) // usually right
		}
		f.samples = append(f.samples, r.added[i]...)
	}
	return nil
}

// collect sends the samples of one subject. On an error it sends nothing.
func (ms metrics[T]) collect(ch chan<- prometheus.Metric, logger log.Logger, subject T, labels ...string) error {
	r := ms.reader(1)
	err := r.read(logger, subject, labels...)
	for _, f := range r.families {
		f.Collect(ch)
	}
	return err
}

func (ms metrics[T]) document() []Metric {
	docs := make([]Metric, len(ms))
	for i, m := range ms {
		docs[i] = m.Metric
	}
	return docs
}

// Metrics documents every metric of this package.
func Metrics() []Metric {
	return slices.Concat(pingMetrics.document(), tableMetrics.document(), ageMetrics.document(),
		databaseMetrics.document(), snapshotMetrics.document(), costMetrics.document(), settingMetrics.document(),
		evictionMetrics.document(), reloadMetrics.document())
}
