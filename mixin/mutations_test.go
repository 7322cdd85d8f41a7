//go:build e2e

package mixin

import (
	"bytes"
	"encoding/json"
	"flag"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
)

var update = flag.Bool("update", false, "look for the cases of tests/guards.json that are missing")

// guards has, for each mutation, the names of cases that fail with it: one for the alerts and one for the verdicts.
// Searching all cases for them would take many times as long.
type guards map[string]map[string]string

const guardsFile = "tests/guards.json"

// Each limit and each time is moved up and down, past cases on both of its sides. A mutation that changes alerts and
// verdicts needs a guard in both.
func TestEveryLimitIsGuardedByACase(t *testing.T) {
	content, err := os.ReadFile(guardsFile)
	if err != nil {
		t.Fatal(err)
	}
	known := guards{}
	if err := json.Unmarshal(content, &known); err != nil {
		t.Fatalf("%s: %v", guardsFile, err)
	}
	suites, rules := load(t)
	mutations := map[string]json.RawMessage{}
	evaluateTests(t, &mutations, "mutations.jsonnet")
	if len(mutations) == 0 {
		t.Fatal("nothing is moved")
	}

	found := guards{}
	var mu sync.Mutex
	t.Run("mutations", func(t *testing.T) {
		for name, mutation := range mutations {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				configs := configsOf(suites, known[name])
				mutants := rules.mutated(t, string(mutation), configs)
				cases := map[string][]experiment{}
				for _, suite := range suites {
					if !slices.Contains(configs, suite.Config) {
						continue
					}
					kind := "alerts"
					if strings.HasPrefix(suite.name, "health_") {
						kind = "verdicts"
					}
					cases[kind] = append(cases[kind], suite.against(rules, mutants)...)
				}
				guarded := map[string]string{}
				for kind, cases := range cases {
					if len(cases) > 0 {
						guarded[kind] = guard(t, cases, known[name][kind])
					}
				}
				if len(guarded) == 0 {
					t.Error("no rule depends on it")
				}
				mu.Lock()
				defer mu.Unlock()
				found[name] = guarded
			})
		}
	})

	after, err := json.MarshalIndent(found, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	after = append(after, '\n')
	switch {
	case bytes.Equal(content, after) || t.Failed():
	case !*update:
		t.Errorf("%s is not what it should be: run this test with -update", guardsFile)
	default:
		if err := os.WriteFile(guardsFile, after, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// configsOf returns the configurations to evaluate: those of the known cases, and the default one, which shows whether
// alerts and verdicts change. Without a known case, or to search for one, it returns all configurations.
func configsOf(suites []suite, known map[string]string) []string {
	wanted := func(s suite) bool {
		return len(known) == 0 || *update || s.Config == "default" ||
			slices.ContainsFunc(slices.Collect(maps.Values(known)), func(name string) bool {
				return strings.HasPrefix(name, s.name+": ")
			})
	}
	configs := map[string]bool{}
	for _, s := range suites {
		if wanted(s) {
			configs[s.Config] = true
		}
	}
	return slices.Sorted(maps.Keys(configs))
}

// guard returns the name of a case that fails: the known one, or, with -update, the first one found, beginning with
// the cases that run quickly.
func guard(t *testing.T, cases []experiment, known string) string {
	t.Helper()
	fails := func(one experiment) bool {
		output, ok := run(t, find(t, "promtool")[0], "test", "rules", one.write(t))
		if !ok && !strings.Contains(output, "got:") {
			t.Fatalf("promtool cannot run the test: %s", output)
		}
		return !ok
	}
	i := slices.IndexFunc(cases, func(one experiment) bool { return one.name == known })
	if i >= 0 && fails(cases[i]) {
		return known
	}
	if !*update {
		t.Errorf("no case is known to notice (%q does not): run this test with -update to look for one", known)
		return known
	}
	slices.SortFunc(cases, func(a, b experiment) int { return a.cost(t) - b.cost(t) })
	i = slices.IndexFunc(cases, fails)
	if i < 0 {
		t.Errorf("none of %d cases notices", len(cases))
		return known
	}
	return cases[i].name
}
