package server

import (
	"encoding/json"
	"net/http"
	"time"

	"github.com/softdelete-exporter/softdelete_exporter/assess"
	"github.com/softdelete-exporter/softdelete_exporter/config"
)

// noAnswer replaces the driver's error in /health: that names user and host, which not everybody may see.
const noAnswer = "the server does not answer, or refuses the connection: /report and the log say more"

// health answers the lightweight check: does the database answer, and how fast? It connects, but counts nothing.
func (s *Server) health(w http.ResponseWriter, r *http.Request) {
	if s.target == nil {
		http.Error(w, config.ErrNoDataSource.Error(), http.StatusNotFound)
		return
	}
	ctx, cancel := s.deadline(w, r)
	defer cancel()
	ping := s.target.Ping(ctx, 0)
	answer := struct {
		Connected    bool                    `json:"connected"`
		ResponseTime float64                 `json:"response_time_ms,omitempty"`
		Status       assess.ConnectionStatus `json:"status"`
		Error        string                  `json:"error,omitempty"`
		Timestamp    time.Time               `json:"timestamp"`
	}{ping.Up, ping.Milliseconds(), "", "", ping.At.UTC()}
	answer.Status, _ = s.Settings.Config().Thresholds.Judge(ping)
	w.Header().Set("Content-Type", "application/json")
	if !ping.Up {
		answer.Error = noAnswer
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	_ = json.NewEncoder(w).Encode(answer) // the client may have left
}
