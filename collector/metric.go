// Package collector turns a Snapshot into metrics. Each metric is listed once, with its name, its help, its
// labels and the source of its value. The descriptions, the values and the table in the README are made from
// that list.
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

// collect sends the values of one subject. All of its metrics begin with the given labels. On an error it sends
// nothing. It catches panics itself, because the registry would leave out everything that comes after one.
func (ms metrics[T]) collect(ch chan<- prometheus.Metric, logger log.Logger, subject T, labels ...string) error {
	var all []prometheus.Metric
	err := rescue.Catch(func() (err error) {
		for _, m := range ms {
			m.values(subject, func(value float64, own ...string) {
				made, fault := prometheus.NewConstMetric(m.desc, m.Type, value, slices.Concat(labels, own)...)
				all, err = append(all, made), errors.Join(err, fault)
			})
		}
		return err
	})
	if err != nil {
		rescue.Log(logger, err)
		level.Error(logger).Log("msg", "metrics are left out", "of", strings.Join(labels, "."), "err", err)
		return err
	}
	for _, m := range all {
		ch <- m
	}
	return nil
}

func (ms metrics[T]) document() []Metric {
	docs := make([]Metric, len(ms))
	for i, m := range ms {
		docs[i] = m.Metric
	}
	return docs
}

// Metrics documents every metric of this package, in the order of the /metrics page.
func Metrics() []Metric {
	return slices.Concat(pingMetrics.document(), tableMetrics.document(), ageMetrics.document(),
		databaseMetrics.document(), snapshotMetrics.document(), costMetrics.document(), settingMetrics.document(),
		evictionMetrics.document(), reloadMetrics.document())
}
