package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"github.com/softdelete-exporter/softdelete_exporter/config"
)

// exampleConfigurations returns the files in examples/ that are for --config.file, including the one in the
// ConfigMap.
func exampleConfigurations(t *testing.T) map[string][]byte {
	t.Helper()
	all := map[string][]byte{}
	read := func(file string) []byte {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	files, err := filepath.Glob("examples/exporter/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no files: %v", err)
	}
	for _, file := range files {
		all[file] = read(file)
	}
	const file = "examples/kubernetes/configmap.yaml"
	var m struct{ Data map[string]string }
	if err := yaml.Unmarshal(read(file), &m); err != nil || len(m.Data) == 0 {
		t.Fatalf("%s: no data: %v", file, err)
	}
	for key, text := range m.Data {
		all[file+": "+key] = []byte(text)
	}
	return all
}

func TestExampleConfigurationsAreLoaded(t *testing.T) {
	for name, text := range exampleConfigurations(t) {
		file := filepath.Join(t.TempDir(), "config.yaml")
		if err := os.WriteFile(file, text, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := config.Load(defaults, file); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// The exporter's configuration must allow the targets that Prometheus is told to probe.
func TestExampleProbesAreAllowed(t *testing.T) {
	c, err := config.Load(defaults, "examples/exporter/probe.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var found int
	files, err := filepath.Glob("examples/prometheus/*.yml")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var p struct {
			Jobs []struct {
				Path    string                       `yaml:"metrics_path"`
				Params  map[string][]string          `yaml:"params"`
				Configs []struct{ Targets []string } `yaml:"static_configs"`
			} `yaml:"scrape_configs"`
		}
		if err := yaml.Unmarshal(text, &p); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		for _, job := range p.Jobs {
			if job.Path != "/probe" {
				continue
			}
			for _, target := range job.Configs[0].Targets {
				found++
				if _, err := c.NewTarget(target, job.Params["auth_module"][0]); err != nil {
					t.Errorf("%s: %v", file, err)
				}
			}
		}
	}
	if found == 0 {
		t.Error("nothing is probed")
	}
}

func TestExampleInhibitionIsThatOfTheMixin(t *testing.T) {
	type inhibition struct {
		Rules []any `yaml:"inhibit_rules"`
	}
	var got, want inhibition
	for file, into := range map[string]*inhibition{"examples/alertmanager/alertmanager.yml": &got,
		"mixin/inhibit_rules.yaml": &want} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := yaml.Unmarshal(text, into); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" || len(want.Rules) == 0 {
		t.Errorf("-mixin +example:\n%s", diff)
	}
}
