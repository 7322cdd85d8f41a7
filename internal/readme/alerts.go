package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"
)

// rules is a file of alerts, as Prometheus reads it.
type rules struct {
	Groups []struct {
		Rules []struct {
			Alert, For          string
			Labels, Annotations map[string]string
		}
	}
}

// readAlerts returns the table of the mixin's compiled alerts.
func readAlerts(mixin string) (string, error) {
	compiled, err := os.ReadFile(filepath.Join(mixin, "alerts.yaml"))
	if err != nil {
		return "", err
	}
	page, err := os.ReadFile(filepath.Join(mixin, "README.md"))
	if err != nil {
		return "", err
	}
	return alertsTable(compiled, string(page))
}

// row matches a row of the list in the mixin's README. Only that list says in words what an alert compares; the
// compiled rule has an expression.
var row = regexp.MustCompile(`(?m)^\| \[(\w+)\]\([^)]*\) \| \w+ \| (.*) \| [^|]* \|$`)

// alertsTable lists the alerts of a rules file, with their limits from the mixin's README.
func alertsTable(compiled []byte, page string) (string, error) {
	limits := map[string]string{}
	for _, cells := range row.FindAllStringSubmatch(page, -1) {
		limits[cells[1]] = cells[2]
	}
	var r rules
	if err := yaml.Unmarshal(compiled, &r); err != nil {
		return "", err
	}
	var table strings.Builder
	table.WriteString("| alert | severity | fires when | for |\n|---|---|---|---|\n")
	for _, group := range r.Groups {
		for _, rule := range group.Rules {
			limit, known := limits[rule.Alert]
			if !known {
				return "", fmt.Errorf("mixin/README.md does not list %s", rule.Alert)
			}
			held := rule.For
			if held == "" {
				held = "at once"
			}
			fmt.Fprintf(&table, "| [%s](%s) | %s | %s | %s |\n", rule.Alert, local(rule.Annotations["runbook_url"]),
				rule.Labels["severity"], limit, held)
		}
	}
	return table.String(), nil
}

// local turns a URL into a relative link, if it leads into this repository.
func local(url string) string {
	_, path, found := strings.Cut(url, "/blob/main/")
	if !found {
		return url
	}
	return path
}
