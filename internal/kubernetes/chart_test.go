//go:build e2e

package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"
)

const chart = "../../charts/softdelete-exporter"

// helm runs helm and returns what it prints.
func helm(t *testing.T, args ...string) []byte {
	t.Helper()
	path, err := exec.LookPath("helm")
	if err != nil {
		t.Fatal("helm is missing: run scripts/tools.sh e2e, and put .cache/bin on PATH")
	}
	var complaints bytes.Buffer
	c := exec.CommandContext(t.Context(), path, args...)
	c.Stderr = &complaints
	out, err := c.Output()
	if err != nil {
		t.Fatalf("helm %v: %v\n%s%s", args, err, out, &complaints)
	}
	return out
}

// objects returns the objects in a stream of YAML by kind and name, without what Helm adds to each.
func objects(t *testing.T, stream []byte) map[string]map[string]any {
	t.Helper()
	all := map[string]map[string]any{}
	for documents := yaml.NewDecoder(bytes.NewReader(stream)); ; {
		var o map[string]any
		err := documents.Decode(&o)
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		if o == nil {
			continue
		}
		metadata := o["metadata"].(map[string]any)
		labels := metadata["labels"].(map[string]any)
		for _, label := range []string{"app.kubernetes.io/version", "app.kubernetes.io/managed-by", "helm.sh/chart"} {
			delete(labels, label)
		}
		if o["kind"] == "Deployment" {
			template := o["spec"].(map[string]any)["template"].(map[string]any)
			delete(template["metadata"].(map[string]any), "annotations")
			delete(template["spec"].(map[string]any)["containers"].([]any)[0].(map[string]any), "imagePullPolicy")
		}
		all[o["kind"].(string)+" "+metadata["name"].(string)] = o
	}
}

// The chart and the example are two ways to the same objects.
func TestTheChartMakesTheObjectsOfTheExample(t *testing.T) {
	helm(t, "lint", "--strict", chart)
	want := map[string]map[string]any{}
	for _, file := range names(t) {
		if file == "kustomization.yaml" {
			continue
		}
		text, err := os.ReadFile(filepath.Join(examples, file))
		if err != nil {
			t.Fatal(err)
		}
		maps.Copy(want, objects(t, text))
	}
	// The configuration is text in a ConfigMap, and a value of the chart.
	configuration := func(o map[string]any) (parsed map[string]any) {
		text := o["data"].(map[string]any)["config.yaml"].(string)
		if err := yaml.Unmarshal([]byte(text), &parsed); err != nil {
			t.Fatal(err)
		}
		delete(o, "data")
		return parsed
	}
	config := configuration(want["ConfigMap "+name])
	value, err := json.Marshal(config)
	if err != nil {
		t.Fatal(err)
	}
	got := objects(t, helm(t, "template", name, chart, "--set-json", "config="+string(value)))
	if diff := cmp.Diff(config, configuration(got["ConfigMap "+name])); diff != "" {
		t.Errorf("-example's configuration +chart's:\n%s", diff)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-example +chart:\n%s", diff)
	}
}

func TestTheChartDoesWhatItsValuesSay(t *testing.T) {
	text := helm(t, "template", "shop", chart,
		"--set", "networkPolicy.enabled=false,podDisruptionBudget.enabled=false,dashboards.enabled=false",
		"--set", "secret.name=ours,secret.key=url,image.tag=9.9.9,args={--log.level=debug}",
		"--set-json", `monitoringLabels={"release": "kube-prometheus-stack"}`)
	for _, part := range []string{
		"softdelete_exporter:9.9.9", "secretName: ours", "secret/url", "- --log.level=debug", "targetLabel: job",
	} {
		if !bytes.Contains(text, []byte(part)) {
			t.Errorf("the chart's objects do not contain %q", part)
		}
	}
	got := objects(t, text)
	const full = "shop-softdelete-exporter"
	for _, kind := range []string{"Deployment", "ConfigMap", "Service", "ServiceMonitor", "PrometheusRule"} {
		o := got[kind+" "+full]
		if o == nil {
			t.Fatalf("there is no %s named %s", kind, full)
		}
		release := o["metadata"].(map[string]any)["labels"].(map[string]any)["release"]
		if wanted := kind == "ServiceMonitor" || kind == "PrometheusRule"; (release == "kube-prometheus-stack") != wanted {
			t.Errorf("%s has the label release: %v", kind, release)
		}
		delete(got, kind+" "+full)
	}
	if len(got) > 0 {
		t.Errorf("there are objects that no value asks for: %v", got)
	}
}
