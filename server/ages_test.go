package server_test

import (
	"maps"
	"testing"
	"time"

	"github.com/softdelete-exporter/softdelete_exporter/internal/pgserver/pgtest"
)

// From a count of a real table to the page.
func TestTheAgesOfDeletedRowsAreMetricsOnRequest(t *testing.T) {
	postgres := pgtest.Shared(t)
	for setting, want := range map[string]map[string]float64{
		"false": {},
		"true":  {"1d": 4, "7d": 4, "14d": 4, "30d": 4, "90d": 4, "180d": 4, "365d": 4, "all": 4},
	} {
		e := newExporter(t, users(t, postgres), "deleted_rows_by_age: "+setting)
		got := e.scrape(t, time.Minute).per("softdelete_deleted_rows_by_age", "age")
		if !maps.Equal(got, want) {
			t.Errorf("with the setting %s: %v, want %v", setting, got, want)
		}
	}
}
