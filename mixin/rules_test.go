package mixin

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

type ruleFile struct {
	Groups []struct {
		Name  string
		Rules []rule
	}
}

type rule struct {
	Alert         string
	Record        string
	Expr          string
	For           string
	KeepFiringFor string `yaml:"keep_firing_for"`
	Labels        map[string]string
	Annotations   map[string]string
}

// The limits of mixtool's linter.
const (
	maxRulesInGroup = 20
	maxAlertName    = 40
)

var (
	camelCase  = regexp.MustCompile(`^([A-Z][a-z0-9]+)+$`)
	recordName = regexp.MustCompile(`^[a-z]+:[a-z_]+:[a-z]+$`)
	// A series that is selected, with its matchers and the range behind it.
	selector = regexp.MustCompile(`([a-zA-Z_:][a-zA-Z0-9_:]*)\{([^}]*)\}(\[[^\]]*\])?`)
	// A metric's name, wherever it stands.
	metricName = regexp.MustCompile(`\b(softdelete_[a-z_]+|db_up|db_response_ms|ALERTS|[a-z]+:softdelete_[a-z_:]+)`)
)

func readRules(t *testing.T, path string) ruleFile {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var file ruleFile
	if err := yaml.Unmarshal(content, &file); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	if len(file.Groups) == 0 {
		t.Fatalf("%s: no groups", path)
	}
	return file
}

func alerts(t *testing.T) []rule {
	var all []rule
	for _, group := range readRules(t, "alerts.yaml").Groups {
		all = append(all, group.Rules...)
	}
	return all
}

func TestGroupsAreSmallAndNamedOnce(t *testing.T) {
	seen := map[string]bool{}
	for _, path := range []string{"alerts.yaml", "rules.yaml"} {
		for _, group := range readRules(t, path).Groups {
			if n := len(group.Rules); n == 0 || n > maxRulesInGroup {
				t.Errorf("group %s has %d rules, want 1 to %d", group.Name, n, maxRulesInGroup)
			}
			if seen[group.Name] {
				t.Errorf("group %s is there twice", group.Name)
			}
			seen[group.Name] = true
		}
	}
}

// Else Alertmanager could tell of what a warning silenced, when both end at once.
func TestInformationIsJudgedBeforeTheWarningsThatSilenceIt(t *testing.T) {
	for _, group := range readRules(t, "alerts.yaml").Groups {
		silences := false
		for _, a := range group.Rules {
			info := a.Labels["severity"] == "info"
			if info && silences {
				t.Errorf("%s: it is information and stands behind a warning", a.Alert)
			}
			silences = silences || !info
		}
	}
}

func TestAlertsFollowTheConventions(t *testing.T) {
	seen := map[string]bool{}
	for _, a := range alerts(t) {
		if !camelCase.MatchString(a.Alert) || len(a.Alert) > maxAlertName {
			t.Errorf("%s: a name in CamelCase of at most %d characters is needed", a.Alert, maxAlertName)
		}
		if seen[a.Alert] {
			t.Errorf("%s: there twice", a.Alert)
		}
		seen[a.Alert] = true

		switch a.Labels["severity"] {
		case "critical":
			if a.Alert != "SoftDeleteDatabaseDown" {
				t.Errorf("%s: only a database that is down is critical", a.Alert)
			}
		case "warning", "info":
		default:
			t.Errorf("%s: severity %q, want critical, warning or info", a.Alert, a.Labels["severity"])
		}
		if a.KeepFiringFor != "10m" {
			t.Errorf("%s: keep_firing_for %q, want 10m", a.Alert, a.KeepFiringFor)
		}

		summary, description := a.Annotations["summary"], a.Annotations["description"]
		if summary == "" || !strings.HasSuffix(summary, ".") || strings.Contains(summary, "{{") {
			t.Errorf("%s: a summary is a sentence without templates, not %q", a.Alert, summary)
		}
		if !strings.Contains(description, "$labels.instance") || !strings.HasSuffix(description, ".") {
			t.Errorf("%s: a description says where, and ends with a full stop: %q", a.Alert, description)
		}
	}
}

func TestEveryAlertHasItsSectionInTheRunbook(t *testing.T) {
	runbook, err := os.ReadFile("runbook.md")
	if err != nil {
		t.Fatal(err)
	}
	sections := map[string]string{}
	for _, section := range strings.Split(string(runbook), "\n## ")[1:] {
		title, body, _ := strings.Cut(section, "\n")
		sections[title] = body
	}
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	// The README's list has those that are off by default, too.
	listed := regexp.MustCompile(`(?m)^\| \[(\w+)\]\(runbook\.md#(\w+)\)`).FindAllStringSubmatch(string(readme), -1)
	if len(listed) < len(alerts(t)) {
		t.Errorf("README.md lists %d alerts, alerts.yaml has %d", len(listed), len(alerts(t)))
	}
	for _, match := range listed {
		name, anchor := match[1], match[2]
		if anchor != strings.ToLower(name) {
			t.Errorf("%s: the README's link goes to #%s", name, anchor)
		}
		for _, part := range []string{"**Meaning**", "**Impact**", "**Diagnosis**", "**What to do**",
			"**When to change the limit**"} {
			if !strings.Contains(sections[name], part) {
				t.Errorf("runbook.md: the section %q lacks %s", name, part)
			}
		}
		for _, language := range []string{"```promql", "```sql"} {
			if !strings.Contains(sections[name], language) {
				t.Errorf("runbook.md: the section %q has no %s", name, language)
			}
		}
		delete(sections, name)
	}
	for title := range sections {
		if strings.HasPrefix(title, "SoftDelete") {
			t.Errorf("runbook.md: there is no alert %s", title)
		}
	}
	for _, a := range alerts(t) {
		if want := "/mixin/runbook.md#" + strings.ToLower(a.Alert); !strings.HasSuffix(a.Annotations["runbook_url"], want) {
			t.Errorf("%s: runbook_url %q, want …%s", a.Alert, a.Annotations["runbook_url"], want)
		}
	}
}

func TestEverySelectorOfARuleNamesItsJob(t *testing.T) {
	for _, path := range []string{"alerts.yaml", "rules.yaml"} {
		for _, group := range readRules(t, path).Groups {
			for _, r := range group.Rules {
				for _, fault := range selectorFaults(r.Expr, `job=~"softdelete.*"`) {
					t.Errorf("%s%s: %s", r.Alert, r.Record, fault)
				}
			}
		}
	}
}

// selectorFaults lists the series in expr that are not selected by matchers.
func selectorFaults(expr string, matchers ...string) []string {
	var faults []string
	selected := selector.FindAllStringSubmatch(expr, -1)
	for _, s := range selected {
		for _, matcher := range matchers {
			if !strings.Contains(","+s[2]+",", ","+matcher+",") {
				faults = append(faults, fmt.Sprintf("%s is not selected by %s", s[0], matcher))
			}
		}
	}
	if named := metricName.FindAllString(selector.ReplaceAllString(expr, ""), -1); len(named) > 0 {
		faults = append(faults, fmt.Sprintf("%v without a selector", named))
	}
	if len(selected) == 0 {
		faults = append(faults, "it selects nothing")
	}
	return faults
}

// A stale marker, left by a missed scrape, ends a plain selector and restarts a
// for; an info series under a range makes a join fail when its labels change; a
// maximum over time latches.
func TestAlertsBridgeMissedScrapesAndLatchNothing(t *testing.T) {
	for _, a := range alerts(t) {
		if strings.Contains(a.Expr, "max_over_time") {
			t.Errorf("%s: max_over_time of a gauge latches", a.Alert)
		}
		for _, s := range selector.FindAllStringSubmatch(a.Expr, -1) {
			name, whole, ranged := s[1], s[0], s[3]
			bridged := strings.Contains(a.Expr, "last_over_time("+whole) && ranged == "[10m]"
			averaged := strings.Contains(a.Expr, "avg_over_time("+whole) && name == "db_response_ms"
			switch {
			case strings.HasSuffix(name, "_info"):
				if ranged != "" {
					t.Errorf("%s: the info metric %s is ranged over", a.Alert, name)
				}
			case !bridged && !averaged:
				t.Errorf("%s: %s is not bridged by last_over_time(…[10m])", a.Alert, whole)
			}
		}
	}
}

func TestEveryAlertOfATableCarriesItsService(t *testing.T) {
	tables := 0
	for _, a := range alerts(t) {
		if !strings.Contains(a.Annotations["description"], "$labels.relname") {
			continue
		}
		tables++
		if !strings.Contains(a.Expr, "* on (cluster, job, instance, datname, schemaname, relname) group_left (service)") {
			t.Errorf("%s: no join brings the service along", a.Alert)
		}
	}
	if tables == 0 {
		t.Error("no alert is about a table")
	}
}

func TestNoRuleAggregatesTheClusterAway(t *testing.T) {
	by := regexp.MustCompile(`\bby\s*\(`)
	for _, path := range []string{"alerts.yaml", "rules.yaml"} {
		for _, group := range readRules(t, path).Groups {
			for _, r := range group.Rules {
				if by.MatchString(r.Expr) {
					t.Errorf("%s%s: aggregated by labels, which drops those of the cluster; use without", r.Alert, r.Record)
				}
			}
		}
	}
}

func TestRecordingRulesAreNamedByLevelMetricAndOperation(t *testing.T) {
	for _, group := range readRules(t, "rules.yaml").Groups {
		for _, r := range group.Rules {
			if !recordName.MatchString(r.Record) {
				t.Errorf("%q is not level:metric:operations", r.Record)
			}
		}
	}
}
