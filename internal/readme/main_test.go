package main

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/softdelete-exporter/softdelete_exporter/collector"
)

func TestPartStandsBetweenItsComments(t *testing.T) {
	const page = "# Title\n\n<!-- a:begin -->\nold\n<!-- a:end -->\n\nThe end.\n"
	got, err := replace(page, "a", "new\n")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff("# Title\n\n<!-- a:begin -->\n\nnew\n\n<!-- a:end -->\n\nThe end.\n", got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if again, err := replace(got, "a", "new\n"); err != nil || again != got {
		t.Errorf("a second time: %v\n%s", err, again)
	}
}

func TestMissingCommentIsAnError(t *testing.T) {
	for _, page := range []string{"", "<!-- a:begin -->", "<!-- a:end --> <!-- a:begin -->"} {
		if _, err := replace(page, "a", "new"); err == nil {
			t.Errorf("%q: no error", page)
		}
	}
}

func TestTableHasARowForEachMetric(t *testing.T) {
	got := metricsTable([]collector.Metric{
		{Name: "up", Help: "1 | 0.", Type: prometheus.GaugeValue},
		{Name: "asked_total", Help: "Questions.", Labels: []string{"who", "what"}, Type: prometheus.CounterValue},
	})
	want := "| metric | type | labels | meaning |\n|---|---|---|---|\n" +
		"| `up` | gauge |  | 1 \\| 0. |\n" +
		"| `asked_total` | counter | `who`, `what` | Questions. |\n"
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
