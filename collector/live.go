package collector

import (
	"time"

	"github.com/go-kit/log"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// Live collects what is not cached: the result of a ping, the counters of the exporter's costs, and the settings and
// the clock that alerts need.
type Live struct {
	Ping  softdelete.Ping
	Costs map[softdelete.CostKey]softdelete.Cost
	TTL   time.Duration
	// Now is the exporter's clock when the scrape arrived.
	Now time.Time
	// Logger logs what cannot be shown, and why.
	Logger log.Logger
}

// Describe implements prometheus.Collector.
func (Live) Describe(ch chan<- *prometheus.Desc) {
	pingMetrics.describe(ch)
	costMetrics.describe(ch)
	settingMetrics.describe(ch)
}

// Collect implements prometheus.Collector.
func (c Live) Collect(ch chan<- prometheus.Metric) {
	_ = pingMetrics.collect(ch, c.Logger, c.Ping) // separately: db_up never depends on the others
	for key, cost := range c.Costs {
		_ = costMetrics.collect(ch, c.Logger, cost, key.Datname, string(key.Result))
	}
	_ = settingMetrics.collect(ch, c.Logger, c)
}

var pingMetrics = metrics[softdelete.Ping]{
	gauge("db_up", "Whether the server answered a ping at this scrape.", nil,
		func(p softdelete.Ping, emit func(float64, ...string)) {
			emit(boolean(p.Up))
		}),
	gauge("db_response_ms",
		"How long the server took to answer the ping of this scrape, in milliseconds, without connecting. Absent "+
			"when the server is down.", nil,
		func(p softdelete.Ping, emit func(float64, ...string)) {
			if p.Up {
				emit(p.Milliseconds())
			}
		}),
}

var costMetrics = metrics[softdelete.Cost]{
	counter("softdelete_exporter_database_seconds_total",
		"Total time of the exporter's queries, from sending the query to the last row.", []string{"datname", "result"},
		func(c softdelete.Cost, emit func(float64, ...string)) { emit(c.Database.Seconds()) }),
	counter("softdelete_exporter_queries_total", "Number of queries that the exporter sent.",
		[]string{"datname", "result"},
		func(c softdelete.Cost, emit func(float64, ...string)) { emit(float64(c.Queries)) }),
}

// Reload collects the outcome of the last reload of the configuration.
type Reload struct {
	// Successful reports whether the last reload succeeded; Succeeded is the time of the last success.
	Successful bool
	Succeeded  time.Time
}

// Describe implements prometheus.Collector.
func (Reload) Describe(ch chan<- *prometheus.Desc) { reloadMetrics.describe(ch) }

// Collect implements prometheus.Collector.
func (r Reload) Collect(ch chan<- prometheus.Metric) {
	_ = reloadMetrics.collect(ch, log.NewNopLogger(), r) // cannot fail
}

var reloadMetrics = metrics[Reload]{
	gauge("softdelete_exporter_config_last_reload_successful", "Whether the last reload of the configuration succeeded.",
		nil,
		func(r Reload, emit func(float64, ...string)) { emit(boolean(r.Successful)) }),
	gauge("softdelete_exporter_config_last_reload_success_timestamp_seconds",
		"When the configuration was last loaded successfully.", nil,
		func(r Reload, emit func(float64, ...string)) { emit(timestamp(r.Succeeded)) }),
}

// Evictions returns how many connections were closed to make room for others.
type Evictions func() int64

// Describe implements prometheus.Collector.
func (Evictions) Describe(ch chan<- *prometheus.Desc) { evictionMetrics.describe(ch) }

// Collect implements prometheus.Collector.
func (e Evictions) Collect(ch chan<- prometheus.Metric) {
	_ = evictionMetrics.collect(ch, log.NewNopLogger(), e) // cannot fail
}

var evictionMetrics = metrics[Evictions]{
	counter("softdelete_exporter_connections_evicted_total",
		"Ping connections that were closed to stay within limits.connections. The next ping of such a server has to "+
			"connect again.", nil,
		func(e Evictions, emit func(float64, ...string)) { emit(float64(e())) }),
}

var settingMetrics = metrics[Live]{
	gauge("softdelete_exporter_ttl_seconds", "How long a snapshot is served before a scrape starts a new refresh.",
		nil,
		func(c Live, emit func(float64, ...string)) { emit(c.TTL.Seconds()) }),
	gauge("softdelete_exporter_time_seconds",
		"The exporter's clock when this scrape arrived. Its other times come from the same clock.", nil,
		func(c Live, emit func(float64, ...string)) { emit(timestamp(c.Now)) }),
}
