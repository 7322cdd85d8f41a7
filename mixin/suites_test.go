//go:build e2e

package mixin

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// needs reports whether an alert needs a recording rule.
func (r rule) needs(record rule) bool {
	const held, since = "table:softdelete_condition:held", "table:softdelete_condition:since"
	switch {
	case r.Alert == "" || record.Record == "":
		return false
	case record.Labels["condition"] != "":
		return strings.Contains(r.Expr, `condition="`+record.Labels["condition"]+`"`)
	default:
		return strings.Contains(r.Expr, record.Record) || record.Record == held && strings.Contains(r.Expr, since)
	}
}

// decidedAs returns the rule with the expression and the times of another one. It keeps its texts, so that a case can
// only notice when the alert starts and ends, not the number in its description.
func (r rule) decidedAs(other rule) rule {
	r.Expr, r.For, r.KeepFiringFor = other.Expr, other.For, other.KeepFiringFor
	return r
}

// ruleSets has the rules of each configuration that the suites test.
type ruleSets map[string][]rule

// asked returns the rules with these names, and the recording rules that they need.
func (s ruleSets) asked(config string, names []string) []rule {
	named := func(r rule) bool { return slices.Contains(names, r.Record+r.Alert) }
	var asked []rule
	for _, r := range s[config] {
		if named(r) || slices.ContainsFunc(s[config], func(other rule) bool { return named(other) && other.needs(r) }) {
			asked = append(asked, r)
		}
	}
	return asked
}

// mutated returns the rules of some configurations after a mutation.
func (s ruleSets) mutated(t *testing.T, mutation string, configs []string) ruleSets {
	t.Helper()
	names, err := json.Marshal(configs)
	if err != nil {
		t.Fatal(err)
	}
	decisions := ruleSets{}
	evaluateTests(t, &decisions, "rules.jsonnet", "--tla-code", "mutation="+mutation, "--tla-code", "names="+string(names))
	mutants := ruleSets{}
	for _, config := range configs {
		if len(decisions[config]) != len(s[config]) {
			t.Fatalf("configuration %s has %d rules, and with a mutation %d",
				config, len(s[config]), len(decisions[config]))
		}
		for i, r := range s[config] {
			mutants[config] = append(mutants[config], r.decidedAs(decisions[config][i]))
		}
	}
	return mutants
}

// suite is a promtool test.
type suite struct {
	name   string
	Config string    `json:"config"`
	Asked  []string  `json:"asked"` // all at once; if empty: each checked alert separately
	File   suiteFile `json:"file"`
}

type suiteFile struct {
	RuleFiles          []string   `json:"rule_files"`
	EvaluationInterval string     `json:"evaluation_interval"`
	Tests              []unitTest `json:"tests"`
}

type unitTest struct {
	Name           string          `json:"name"`
	Interval       string          `json:"interval"`
	ExternalLabels json.RawMessage `json:"external_labels,omitempty"`
	InputSeries    json.RawMessage `json:"input_series"`
	AlertRuleTest  []unitCheck     `json:"alert_rule_test,omitempty"`
	PromQLExprTest []unitCheck     `json:"promql_expr_test,omitempty"`
}

type unitCheck struct {
	EvalTime   string          `json:"eval_time"`
	AlertName  string          `json:"alertname,omitempty"`
	ExpAlerts  json.RawMessage `json:"exp_alerts,omitempty"`
	Expr       string          `json:"expr,omitempty"`
	ExpSamples json.RawMessage `json:"exp_samples,omitempty"`
}

// names returns the names of the rules that a suite tests.
func (s suite) names() []string {
	if s.Asked != nil {
		return s.Asked
	}
	var names []string
	for _, test := range s.File.Tests {
		for _, check := range test.AlertRuleTest {
			names = append(names, check.AlertName)
		}
	}
	return names
}

// experiment is a promtool test of several rules.
type experiment struct {
	name  string
	file  suiteFile
	rules []rule
}

// write writes the experiment into a separate directory, and returns its file.
func (e experiment) write(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	save := func(name string, document any) string {
		content, err := json.Marshal(document)
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	type group struct {
		Name  string `json:"name"`
		Rules []rule `json:"rules"`
	}
	save("rules.json", map[string][]group{"groups": {{"suite", e.rules}}})
	return save("test.json", e.file)
}

// cost estimates how often promtool evaluates a rule.
func (e experiment) cost(t *testing.T) int {
	t.Helper()
	duration := func(text string) time.Duration {
		d, err := time.ParseDuration(text)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	cost := 0
	for _, test := range e.file.Tests {
		var end time.Duration
		for _, check := range slices.Concat(test.AlertRuleTest, test.PromQLExprTest) {
			end = max(end, duration(check.EvalTime))
		}
		cost += int(end/duration(e.file.EvaluationInterval)+1) * len(e.rules)
	}
	return cost
}

// whole returns everything that a suite tests.
func (s suite) whole(rules ruleSets) experiment {
	return experiment{s.name, s.File, rules.asked(s.Config, s.names())}
}

// against returns the cases of a suite that can distinguish the mutants from the rules, each as a separate experiment.
// A case whose rules are the same text after the mutation gives the same result, so it is left out, and so is each
// check of such an alert.
func (s suite) against(rules, mutants ruleSets) []experiment {
	same := func(a, b rule) bool { return a.Expr == b.Expr && a.For == b.For && a.KeepFiringFor == b.KeepFiringFor }
	var changed []string
	for _, name := range slices.Compact(slices.Sorted(slices.Values(s.names()))) {
		asked := []string{name}
		if !slices.EqualFunc(rules.asked(s.Config, asked), mutants.asked(s.Config, asked), same) {
			changed = append(changed, name)
		}
	}
	if len(changed) == 0 {
		return nil
	}
	names := s.Asked
	if names == nil {
		names = changed
	}
	var cases []experiment
	for _, test := range s.File.Tests {
		if s.Asked == nil {
			test.AlertRuleTest = slices.DeleteFunc(slices.Clone(test.AlertRuleTest), func(check unitCheck) bool {
				return !slices.Contains(changed, check.AlertName)
			})
			if len(test.AlertRuleTest) == 0 {
				continue
			}
		}
		file := s.File
		file.Tests = []unitTest{test}
		cases = append(cases, experiment{s.name + ": " + test.Name, file, mutants.asked(s.Config, names)})
	}
	return cases
}

// evaluateTests evaluates a file in tests/.
func evaluateTests(t *testing.T, into any, file string, args ...string) {
	t.Helper()
	output, ok := run(t, find(t, "jsonnet")[0], append(args, filepath.Join("tests", file))...)
	if !ok {
		t.Fatalf("tests/%s: %s", file, output)
	}
	decoder := json.NewDecoder(strings.NewReader(output))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		t.Fatalf("tests/%s: %v", file, err)
	}
}

// load returns the suites and the rules that they test.
func load(t *testing.T) ([]suite, ruleSets) {
	t.Helper()
	byName, rules := map[string]suite{}, ruleSets{}
	evaluateTests(t, &byName, "suites.jsonnet")
	evaluateTests(t, &rules, "rules.jsonnet")
	var suites []suite
	for name, s := range byName {
		s.name = name
		suites = append(suites, s)
	}
	if len(suites) == 0 || len(rules) == 0 {
		t.Fatal("nothing is tested")
	}
	return suites, rules
}
