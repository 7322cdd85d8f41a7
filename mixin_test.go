package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/softdelete-exporter/softdelete_exporter/collector"
	"github.com/softdelete-exporter/softdelete_exporter/indexes"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// notOurs are metrics that the mixin uses and that do not come from package collector.
var notOurs = map[string]string{
	"up":                             "Prometheus writes it about each scrape",
	"ALERTS":                         "Prometheus writes it about each alert",
	"scrape_duration_seconds":        "Prometheus writes it about each scrape",
	"scrape_samples_scraped":         "Prometheus writes it about each scrape",
	"process_resident_memory_bytes":  "client_golang's collector of processes makes it",
	"softdelete_exporter_build_info": "client_golang's collector of versions makes it",
}

// selected matches the names of metrics: every selector of the mixin has braces.
var selected = regexp.MustCompile(`([A-Za-z_:][\w:]*)\{`)

// mixinFiles are the compiled rules and dashboards, decoded.
func mixinFiles(t *testing.T) map[string]any {
	t.Helper()
	all := map[string]any{}
	for pattern, decode := range map[string]func([]byte, any) error{
		"mixin/alerts.yaml":       yaml.Unmarshal,
		"mixin/rules.yaml":        yaml.Unmarshal,
		"mixin/dashboards/*.json": json.Unmarshal,
	} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			t.Fatalf("no %s: %v", pattern, err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var content any
			if err := decode(text, &content); err != nil {
				t.Fatalf("%s: %v", file, err)
			}
			all[file] = content
		}
	}
	return all
}

// values calls visit for each text in a document, with its key.
func values(document any, key string, visit func(key, text string)) {
	switch v := document.(type) {
	case map[string]any:
		for key, value := range v {
			values(value, key, visit)
		}
	case []any:
		for _, value := range v {
			values(value, key, visit)
		}
	case string:
		visit(key, v)
	}
}

func TestMixinAndExporterNameTheSameMetrics(t *testing.T) {
	described, named, recorded := map[string]bool{}, map[string][]string{}, map[string]bool{}
	for _, m := range collector.Metrics() {
		described[m.Name] = true
	}
	for file, content := range mixinFiles(t) {
		values(content, "", func(key, text string) {
			switch key {
			case "record":
				recorded[text] = true
			// These keys hold queries: of a rule or panel, and of a variable.
			case "expr", "definition":
				for _, match := range selected.FindAllStringSubmatch(text, -1) {
					if name := match[1]; !slices.Contains(named[name], file) {
						named[name] = append(named[name], file)
					}
				}
			}
		})
	}
	for name, files := range named {
		if !described[name] && !recorded[name] && notOurs[name] == "" {
			t.Errorf("%s names %s, which the exporter does not describe", strings.Join(files, ", "), name)
		}
	}
	for name := range described {
		if named[name] == nil {
			t.Errorf("no rule and no panel shows %s", name)
		}
	}
}

// An index problem that changes the report's verdict also changes that of the dashboards, for the same reason.
func TestMixinKnowsTheIndexProblemsThatDecide(t *testing.T) {
	rules, err := os.ReadFile("mixin/lib/verdicts.libsonnet")
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range indexes.Descriptions() {
		health, reason := d.Problem.Verdict()
		line := fmt.Sprintf("verdict(health.%s, index('%s'), '%s')", health, d.Problem, reason)
		if decides := health != softdelete.Good; decides != strings.Contains(string(rules), line) {
			t.Errorf("%s decides the verdict: %t, and mixin/lib/verdicts.libsonnet has the line %s: %t", d.Problem, decides,
				line, !decides)
		}
	}
}
