package server

import (
	"slices"
	"testing"
	"time"

	"github.com/go-kit/log"
	dto "github.com/prometheus/client_model/go"

	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// The setting takes effect at the next scrape, also while the Snapshot stays the same.
func TestAgesAreMetricsWhileTheSettingIsOn(t *testing.T) {
	table := softdelete.Table{Schema: "public", Name: "users"}
	numbers := softdelete.ExactNumbers(3, 1)
	numbers.Ages = &softdelete.Ages{Rows: []softdelete.Estimate{softdelete.Exactly(1)}}
	table.Succeed(numbers, time.Now())
	s := &softdelete.Snapshot{Databases: []softdelete.Database{{Name: "shop", Tables: []softdelete.Table{table}}}}
	var of target
	of.logger = log.NewNopLogger()
	for _, byAge := range []bool{false, true, false} {
		families, err := of.pageOf(s, byAge).families()
		if err != nil {
			t.Fatal(err)
		}
		shown := slices.ContainsFunc(families, func(f *dto.MetricFamily) bool {
			return f.GetName() == "softdelete_deleted_rows_by_age"
		})
		if shown != byAge {
			t.Errorf("with the setting %t the metric is shown: %t", byAge, shown)
		}
	}
}
