// Readme writes the parts of pages in docs that come from the code. Each part is between a pair of comments, such as
// <!-- metrics:begin --> and <!-- metrics:end -->. go generate runs it.
package main

import (
	"fmt"
	"log"
	"os"
	"path/filepath"
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/softdelete-exporter/softdelete_exporter/collector"
	"github.com/softdelete-exporter/softdelete_exporter/indexes"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// parts are the parts to write.
var parts = []struct{ page, name, text string }{
	{"docs/metrics.md", "metrics", metricsTable(collector.Metrics())},
	{"docs/indexes.md", "problems", problemsTable(indexes.Descriptions())},
	{"docs/markers.md", "kinds", kindsTable(softdelete.KindTable)},
}

func main() {
	log.SetFlags(0)
	log.SetPrefix("readme: ")
	root := os.Args[1]
	for _, p := range parts {
		file := filepath.Join(root, p.page)
		page, err := os.ReadFile(file)
		if err != nil {
			log.Fatal(err)
		}
		text, err := replace(string(page), p.name, p.text)
		if err == nil {
			err = os.WriteFile(file, []byte(text), 0o644)
		}
		if err != nil {
			log.Fatalf("%s: %v", file, err)
		}
	}
}

// replace puts a part between its two comments.
func replace(page, name, part string) (string, error) {
	begin, end := "<!-- "+name+":begin -->", "<!-- "+name+":end -->"
	before, rest, opened := strings.Cut(page, begin)
	_, after, closed := strings.Cut(rest, end)
	if !opened || !closed {
		return "", fmt.Errorf("want a line %s and, after it, one %s", begin, end)
	}
	return before + begin + "\n\n" + part + "\n" + end + after, nil
}

// metricsTable lists the metrics that the exporter describes.
func metricsTable(metrics []collector.Metric) string {
	var table strings.Builder
	table.WriteString("| metric | type | labels | meaning |\n|---|---|---|---|\n")
	for _, m := range metrics {
		kind := "gauge"
		if m.Type == prometheus.CounterValue {
			kind = "counter"
		}
		labels := make([]string, len(m.Labels))
		for i, l := range m.Labels {
			labels[i] = "`" + l + "`"
		}
		fmt.Fprintf(&table, "| `%s` | %s | %s | %s |\n", m.Name, kind, strings.Join(labels, ", "),
			strings.ReplaceAll(m.Help, "|", `\|`))
	}
	return table.String()
}

// problemsTable lists the problems of indexes.
func problemsTable(problems []indexes.Description) string {
	var table strings.Builder
	table.WriteString("| problem | found when | silent when | what to do |\n|---|---|---|---|\n")
	for _, p := range problems {
		fmt.Fprintf(&table, "| [`%s`](%s) | %s | %s | %s |\n", p.Problem, p.Source, p.When, p.Unless, p.Remedy)
	}
	return table.String()
}

// kindsTable lists the kinds of markers.
func kindsTable(kinds []softdelete.KindDefinition) string {
	var table strings.Builder
	table.WriteString("| kind | column | live | deleted | deletion time |\n|---|---|---|---|---|\n")
	for _, k := range kinds {
		w := k.Words
		fmt.Fprintf(&table, "| `%s` | %s | %s | %s | %s |\n", k.Kind, w.Column, w.Live, w.Deleted, w.Time)
	}
	return table.String()
}
