// Kubernetes writes the manifests in examples/kubernetes that come from the compiled mixin: the rules and the
// dashboards. go generate runs it.
package main

//go:generate go run . ../..

import (
	"fmt"
	"log"
	"os"
	"path/filepath"
	"strings"
)

const head = "# Written by go generate from mixin/; change that instead.\n"

func main() {
	log.SetFlags(0)
	log.SetPrefix("kubernetes: ")
	root := os.Args[1]
	for file, write := range map[string]func(mixin string) (string, error){
		"prometheusrule.yaml": rules,
		"dashboards.yaml":     dashboards,
	} {
		text, err := write(filepath.Join(root, "mixin"))
		if err == nil {
			err = os.WriteFile(filepath.Join(root, "examples", "kubernetes", file), []byte(head+text), 0o644)
		}
		if err != nil {
			log.Fatalf("%s: %v", file, err)
		}
	}
}

// rules returns the recording rules and the alerts as one PrometheusRule.
func rules(mixin string) (string, error) {
	text := `apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: softdelete-exporter
  labels:
    app.kubernetes.io/name: softdelete-exporter
spec:
  groups:
`
	for _, name := range []string{"rules.yaml", "alerts.yaml"} {
		content, err := os.ReadFile(filepath.Join(mixin, name))
		if err != nil {
			return "", err
		}
		_, groups, found := strings.Cut(string(content), "\ngroups:\n")
		if !found {
			return "", fmt.Errorf("%s does not begin with groups", name)
		}
		text += indent(groups, "  ")
	}
	return text, nil
}

// dashboards returns one ConfigMap for each dashboard, because kubectl keeps the last applied object in an
// annotation, whose size is limited. Grafana's sidecar finds them by their label.
func dashboards(mixin string) (string, error) {
	files, err := filepath.Glob(filepath.Join(mixin, "dashboards", "*.json"))
	if err != nil || len(files) == 0 {
		return "", fmt.Errorf("no dashboards: %w", err)
	}
	var documents []string
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			return "", err
		}
		name := filepath.Base(file)
		documents = append(documents, fmt.Sprintf(`apiVersion: v1
kind: ConfigMap
metadata:
  name: %s-dashboard
  labels:
    app.kubernetes.io/name: softdelete-exporter
    grafana_dashboard: "1"
  annotations:
    grafana_folder: Soft delete
data:
  %s: |
%s`, strings.TrimSuffix(name, ".json"), name, indent(string(content), "    ")))
	}
	return strings.Join(documents, "---\n"), nil
}

// indent indents every line that is not empty.
func indent(text, by string) string {
	lines := strings.SplitAfter(text, "\n")
	for i, line := range lines {
		if strings.TrimSpace(line) != "" {
			lines[i] = by + line
		}
	}
	return strings.Join(lines, "")
}
