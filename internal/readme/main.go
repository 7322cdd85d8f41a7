// Readme writes the parts of README.md that the code knows better: each stands
// between a pair of comments, such as <!-- metrics:begin --> and <!-- metrics:end -->.
// Run it by go generate.
package main

import (
	"fmt"
	"log"
	"os"
	"path/filepath"
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/softdelete-exporter/softdelete_exporter/collector"
)

// parts are what is written, by name. Each is made from what stands below root.
var parts = map[string]func(root string) (string, error){
	"metrics": func(string) (string, error) { return metricsTable(collector.Metrics()), nil },
	"alerts":  func(root string) (string, error) { return readAlerts(filepath.Join(root, "mixin")) },
}

func main() {
	log.SetFlags(0)
	log.SetPrefix("readme: ")
	file := os.Args[1]
	text, err := os.ReadFile(file)
	if err != nil {
		log.Fatal(err)
	}
	page := string(text)
	for name, write := range parts {
		part, err := write(filepath.Dir(file))
		if err == nil {
			page, err = replace(page, name, part)
		}
		if err != nil {
			log.Fatalf("%s: %v", file, err)
		}
	}
	if err := os.WriteFile(file, []byte(page), 0o644); err != nil {
		log.Fatal(err)
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
	table.WriteString("| metric | labels | meaning |\n|---|---|---|\n")
	for _, m := range metrics {
		labels := make([]string, len(m.Labels))
		for i, l := range m.Labels {
			labels[i] = "`" + l + "`"
		}
		help := m.Help
		if m.Type == prometheus.CounterValue {
			help = "Counter. " + help
		}
		fmt.Fprintf(&table, "| `%s` | %s | %s |\n", m.Name, strings.Join(labels, ", "), strings.ReplaceAll(help, "|", `\|`))
	}
	return table.String()
}
