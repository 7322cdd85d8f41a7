package server

import (
	"net/http"

	"github.com/go-kit/log"
	"github.com/go-kit/log/level"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/softdelete-exporter/softdelete_exporter/collector"
)

// metrics answers a scrape: the live ping first, then the Snapshot, and the
// metrics of the process itself.
func (s *server) metrics(w http.ResponseWriter, r *http.Request) {
	gatherers := prometheus.Gatherers{s.Process}
	if s.Entry != nil {
		ctx, cancel := s.deadline(r)
		defer cancel()
		ping := s.Entry.Ping(ctx)
		snapshot := s.Entry.Snapshot(ctx)
		scrape := prometheus.NewRegistry()
		scrape.MustRegister(
			collector.Live{Ping: ping, Costs: s.Entry.Costs.All(), TTL: s.Config.TTL.Std()},
			collector.NewSnapshot(snapshot),
		)
		gatherers = append(gatherers, scrape)
	}
	promhttp.HandlerFor(gatherers, promhttp.HandlerOpts{
		ErrorLog:      errorLog{s.Logger},
		ErrorHandling: promhttp.ContinueOnError,
	}).ServeHTTP(w, r)
}

// errorLog takes what promhttp has to say.
type errorLog struct{ log.Logger }

func (l errorLog) Println(v ...any) { level.Error(l.Logger).Log("msg", "gathering metrics", "err", v) }
