package mixin

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"
)

type ruleFile struct {
	Groups []struct {
		Name  string
		Rules []rule
	}
}

type rule struct {
	Alert         string            `json:"alert,omitempty"`
	Record        string            `json:"record,omitempty"`
	Expr          string            `json:"expr"`
	For           string            `json:"for,omitempty"`
	KeepFiringFor string            `json:"keep_firing_for,omitempty" yaml:"keep_firing_for"`
	Labels        map[string]string `json:"labels,omitempty"`
	Annotations   map[string]string `json:"annotations,omitempty"`
}

// The limits of mixtool's linter.
const (
	maxRulesInGroup = 20
	maxAlertName    = 40
)

var (
	camelCase  = regexp.MustCompile(`^([A-Z][a-z0-9]+)+$`)
	recordName = regexp.MustCompile(`^[a-z_]+:[a-z_]+:[a-z]+$`)
	// A selected series, with its matchers and its range.
	selector = regexp.MustCompile(`([a-zA-Z_:][a-zA-Z0-9_:]*)\{([^}]*)\}(\[[^\]]*\])?`)
	// A series that a rule has recorded.
	recorded = regexp.MustCompile(`(\b[a-z_]+:[a-z_]+:[a-z]+|\bALERTS)(\{[^}]*\})?(\[[^\]]*\])?`)
	// The name of a metric, anywhere.
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

// pair is one of Alertmanager's inhibition rules: an alert, and the alerts that it silences.
type pair struct {
	source  string
	targets *regexp.Regexp
	equal   []string
}

func pairs(t *testing.T) (all []pair) {
	t.Helper()
	content, err := os.ReadFile("inhibit_rules.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		InhibitRules []struct {
			SourceMatchers []string `yaml:"source_matchers"`
			TargetMatchers []string `yaml:"target_matchers"`
			Equal          []string
		} `yaml:"inhibit_rules"`
	}
	if err := yaml.Unmarshal(content, &file); err != nil {
		t.Fatal(err)
	}
	source := regexp.MustCompile(`^alertname="(SoftDelete\w+)"$`)
	target := regexp.MustCompile(`^alertname=~"(SoftDelete\w+(?:\|SoftDelete\w+)*)"$`)
	for _, rule := range file.InhibitRules {
		if len(rule.SourceMatchers) != 1 || len(rule.TargetMatchers) != 1 || !source.MatchString(rule.SourceMatchers[0]) ||
			!target.MatchString(rule.TargetMatchers[0]) {
			t.Fatalf("no pair of alerts, each by its name: %+v", rule)
		}
		all = append(all, pair{
			source:  source.FindStringSubmatch(rule.SourceMatchers[0])[1],
			targets: regexp.MustCompile("^(?:" + target.FindStringSubmatch(rule.TargetMatchers[0])[1] + ")$"),
			equal:   rule.Equal,
		})
	}
	return all
}

// With a rule like "any warning silences any info alert", a silenced warning would hide everything about its table.
func TestInhibitionIsBetweenAlertsOfOneCause(t *testing.T) {
	found := map[string]map[string]bool{}
	known := map[string]bool{}
	for _, a := range alerts(t) {
		known[a.Alert] = true
	}
	for _, p := range pairs(t) {
		if !known[p.source] {
			t.Errorf("there is no alert %s", p.source)
		}
		if !slices.Equal(p.equal[:len(identity)], identity) {
			t.Errorf("%s silences alerts of other servers: %v", p.source, p.equal)
		}
		found[p.source] = map[string]bool{}
		for name := range known {
			if p.targets.MatchString(name) {
				found[p.source][name] = true
			}
		}
	}
	want := map[string]map[string]bool{
		"SoftDeleteDatabaseDown": {
			"SoftDeletePingsFailing": true, "SoftDeleteDatabaseSlow": true, "SoftDeleteCheckFailing": true,
			"SoftDeleteNumbersStale": true, "SoftDeleteTablesWaiting": true,
		},
		"SoftDeleteExporterDown": {"SoftDeleteScrapesFailing": true, "SoftDeletePingsFailing": true},
		"SoftDeleteCheckFailing": {"SoftDeleteNumbersStale": true, "SoftDeleteTablesWaiting": true},
		"SoftDeleteRatioHigh":    {"SoftDeleteRatioElevated": true},
		"SoftDeletePurgeOverdue": {"SoftDeleteOldRowsElevated": true},
	}
	if diff := cmp.Diff(want, found); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// Otherwise Alertmanager could send a notification about a silenced alert if both end at the same time.
func TestWhatIsSilencedIsJudgedBeforeWhatSilencesIt(t *testing.T) {
	for _, group := range readRules(t, "alerts.yaml").Groups {
		for _, p := range pairs(t) {
			at := slices.IndexFunc(group.Rules, func(r rule) bool { return r.Alert == p.source })
			for i, r := range group.Rules {
				if at >= 0 && i > at && p.targets.MatchString(r.Alert) {
					t.Errorf("%s stands behind %s, which silences it", r.Alert, p.source)
				}
			}
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
		if a.Alert != "SoftDeleteExporterAbsent" && !strings.Contains(description, "$labels.instance") ||
			!strings.HasSuffix(description, ".") {
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
	// The README's list includes the alerts that are off by default.
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
				// Recorded series are selected by their name.
				scraped := recorded.ReplaceAllString(r.Expr, "")
				if scraped != r.Expr && !metricName.MatchString(scraped) {
					continue
				}
				for _, fault := range selectorFaults(scraped, `job=~"softdelete.*"`) {
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

// A missed scrape leaves a stale marker, which ends a plain selector and restarts a `for`. So alerts use the
// conditions, which bridge a gap, or look back.
func TestAlertsBridgeMissedScrapes(t *testing.T) {
	// Plain selectors are allowed for `up`, which is written for failed scrapes, too, and for the clock, which is
	// compared with the time of its sample.
	plain := map[string]bool{"up": true, "softdelete_exporter_time_seconds": true}
	for _, a := range alerts(t) {
		for _, s := range selector.FindAllStringSubmatch(a.Expr, -1) {
			name, whole, ranged := s[1], s[0], s[3]
			recorded := strings.Contains(name, ":") || name == "ALERTS"
			if !recorded && !plain[name] && ranged == "" {
				t.Errorf("%s: %s is not bridged", a.Alert, whole)
			}
			if strings.HasSuffix(name, "_info") && ranged != "" {
				t.Errorf("%s: the info metric %s is ranged over", a.Alert, name)
			}
		}
	}
}

func TestEveryAlertOfATableCarriesItsService(t *testing.T) {
	tables := 0
	for _, a := range alerts(t) {
		if !strings.Contains(a.Annotations["description"], "$labels.relname") {
			if _, has := a.Labels["service"]; has {
				t.Errorf("%s: it is about no table, and has the service %q", a.Alert, a.Labels["service"])
			}
			continue
		}
		tables++
		if a.Labels["service"] != "{{ $labels.table_service }}" {
			t.Errorf("%s: the service is %q", a.Alert, a.Labels["service"])
		}
		for _, of := range []string{"table_service", "condition"} {
			if value, has := a.Labels[of]; !has || value != "" {
				t.Errorf("%s: %s is not taken away", a.Alert, of)
			}
		}
	}
	if tables == 0 {
		t.Error("no alert is about a table")
	}
}

// identity is the list of labels that identify the subject of a series, whatever other labels its target has.
var identity = []string{"cluster", "job", "instance"}

// If another label of the target came through, it would change with the pod, and joins would find two series.
func TestRulesKnowServersByTheirIdentityAlone(t *testing.T) {
	labels := regexp.MustCompile(`\b(by|on|without|ignoring|group_left|group_right)\s*\(([^()]*)\)`)
	for _, path := range []string{"alerts.yaml", "rules.yaml"} {
		for _, group := range readRules(t, path).Groups {
			for _, r := range group.Rules {
				aggregated := 0
				for _, match := range labels.FindAllStringSubmatch(r.Expr, -1) {
					switch match[1] {
					case "by", "on":
						aggregated++
						if list := strings.Split(match[2],
							", "); len(list) < len(identity) || !slices.Equal(list[:len(identity)], identity) {
							t.Errorf("%s%s: %s does not begin with %v", r.Alert, r.Record, match[0], identity)
						}
					case "without", "ignoring":
						t.Errorf("%s%s: %s lets labels of the target through", r.Alert, r.Record, match[0])
					default:
						if match[2] != "" && match[2] != "table_service" {
							t.Errorf("%s%s: %s brings more than the service", r.Alert, r.Record, match[0])
						}
					}
				}
				raw := false
				for _, s := range selector.FindAllStringSubmatch(r.Expr, -1) {
					raw = raw || !strings.Contains(s[1], ":")
				}
				if raw && aggregated == 0 && !strings.HasPrefix(r.Expr, "absent_over_time(") {
					t.Errorf("%s%s: it keeps all labels of the target", r.Alert, r.Record)
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
