package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"
)

const examples = "../../examples/kubernetes"

// names returns the names of the files with manifests, sorted.
func names(t *testing.T) (names []string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(examples, "*.yaml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no manifests: %v", err)
	}
	for _, file := range files {
		names = append(names, filepath.Base(file))
	}
	return names
}

// manifests returns all objects of the examples, each parsed strictly.
func manifests(t *testing.T) (all []any) {
	t.Helper()
	for _, file := range names(t) {
		text, err := os.ReadFile(filepath.Join(examples, file))
		if err != nil {
			t.Fatal(err)
		}
		for documents := yaml.NewDecoder(bytes.NewReader(text)); ; {
			var document yaml.Node
			err := documents.Decode(&document)
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatalf("%s: %v", file, err)
			}
			o, err := read(&document)
			if err != nil {
				t.Fatalf("%s: %v", file, err)
			}
			all = append(all, o)
		}
	}
	return all
}

// read returns the object in a document.
func read(document *yaml.Node) (any, error) {
	var o object
	if err := document.Decode(&o); err != nil {
		return nil, err
	}
	kind := o.APIVersion + " " + o.Kind
	if kinds[kind] == nil {
		return nil, errors.New("unknown kind " + kind)
	}
	text, err := yaml.Marshal(document)
	if err != nil {
		return nil, err
	}
	into := kinds[kind]()
	strict := yaml.NewDecoder(bytes.NewReader(text))
	strict.KnownFields(true)
	return into, strict.Decode(into)
}

// find returns the object of its type with this name; there must be exactly one.
func find[T any](t *testing.T, all []any, name func(*T) string, want string) *T {
	t.Helper()
	var found *T
	for _, o := range all {
		if o, ok := o.(*T); ok && name(o) == want {
			if found != nil {
				t.Fatalf("two %T are named %s", o, want)
			}
			found = o
		}
	}
	if found == nil {
		t.Fatalf("no %T is named %s", found, want)
	}
	return found
}

const name = "softdelete-exporter"

func exporter(t *testing.T, all []any) *deployment {
	return find(t, all, func(d *deployment) string { return d.Metadata.Name }, name)
}

func TestManifestWithAnUnknownFieldIsNoticed(t *testing.T) {
	for _, text := range []string{
		"{apiVersion: v1, kind: Service, metadata: {name: a}, spec: {prots: []}}",
		"{apiVersion: v1, kind: Servise}",
	} {
		var document yaml.Node
		if err := yaml.Unmarshal([]byte(text), &document); err != nil {
			t.Fatal(err)
		}
		if _, err := read(&document); err == nil {
			t.Errorf("%s: no error", text)
		}
	}
}

func TestManifestsFindOneAnother(t *testing.T) {
	all := manifests(t)
	d := exporter(t, all)
	pod := d.Spec.Template.Spec
	s := find(t, all, func(s *service) string { return s.Metadata.Name }, name)
	m := find(t, all, func(m *serviceMonitor) string { return m.Metadata.Name }, name)
	b := find(t, all, func(b *disruptionBudget) string { return b.Metadata.Name }, name)
	n := find(t, all, func(n *networkPolicy) string { return n.Metadata.Name }, name)
	for what, chosen := range map[string][2]map[string]string{
		"the Deployment's pods": {d.Spec.Selector.MatchLabels, d.Spec.Template.Metadata.Labels},
		"the Service's pods":    {s.Spec.Selector, d.Spec.Template.Metadata.Labels},
		"the monitor's Service": {m.Spec.Selector.MatchLabels, s.Metadata.Labels},
		"the budget's pods":     {b.Spec.Selector.MatchLabels, d.Spec.Template.Metadata.Labels},
		"the policy's pods":     {n.Spec.PodSelector.MatchLabels, d.Spec.Template.Metadata.Labels},
	} {
		if diff := cmp.Diff(chosen[0], chosen[1]); diff != "" || len(chosen[0]) == 0 {
			t.Errorf("%s: -selector +labels:\n%s", what, diff)
		}
	}
	port, out, endpoint := pod.Containers[0].Ports[0], s.Spec.Ports[0], m.Spec.Endpoints[0]
	if out.TargetPort != port.Name || endpoint.Port != out.Name || port.ContainerPort != 10862 {
		t.Errorf("the scrape goes from %+v to %+v to %+v", endpoint, out, port)
	}
	if open := n.Spec.Ingress[0].Ports[0].Port; open != port.Name {
		t.Errorf("the policy opens port %q, the container has %q", open, port.Name)
	}
	if b.Spec.MaxUnavailable < d.Spec.Replicas {
		t.Error("the budget keeps a node from being drained")
	}
	if endpoint.ScrapeTimeout == 0 || endpoint.ScrapeTimeout > endpoint.Interval {
		t.Errorf("a scrape may take %v of %v", endpoint.ScrapeTimeout, endpoint.Interval)
	}
	// Dashboards link to the report at the instance, so the instance is the Service's address.
	instance := endpoint.Relabelings[0]
	from := map[string]string{"__meta_kubernetes_service_name": s.Metadata.Name, "__meta_kubernetes_namespace": "shop"}
	var parts []string
	for _, label := range instance.SourceLabels {
		parts = append(parts, from[label])
	}
	got := strings.ReplaceAll(instance.Replacement, "$1", strings.Join(parts, instance.Separator))
	if want := fmt.Sprintf("%s.shop.svc:%d", s.Metadata.Name, out.Port); instance.TargetLabel != "instance" ||
		got != want {
		t.Errorf("the label %s is %s, want the instance to be %s", instance.TargetLabel, got, want)
	}
	// A label that changes with each pod would make new series of the same tables.
	dropped := regexp.MustCompile("^(?:" + endpoint.Relabelings[1].Regex + ")$")
	for label, want := range map[string]bool{"pod": true, "container": true, "endpoint": true, "service": true,
		"namespace": false, "job": false, "instance": false} {
		if got := endpoint.Relabelings[1].Action == "labeldrop" && dropped.MatchString(label); got != want {
			t.Errorf("the label %s of a target is dropped: %v, want %v", label, got, want)
		}
	}
	for _, probe := range []probe{pod.Containers[0].LivenessProbe, pod.Containers[0].ReadinessProbe} {
		if probe.HTTPGet.Port != port.Name {
			t.Errorf("a probe asks port %q, the container has %q", probe.HTTPGet.Port, port.Name)
		}
	}
	// The exporter finds the mounted files.
	configuration := find(t, all, func(c *configMap) string { return c.Metadata.Name }, pod.Volumes[0].ConfigMap.Name)
	create := "create secret generic " + pod.Volumes[1].Secret.SecretName + " --from-file=dsn="
	if text, err := os.ReadFile(filepath.Join(examples, "kustomization.yaml")); err != nil ||
		!strings.Contains(string(text), create) {
		t.Errorf("kustomization.yaml does not say %s: %v", create, err)
	}
	mounts := pod.Containers[0].VolumeMounts
	for i, key := range []string{only(t, configuration.Data), "dsn"} {
		if mounts[i].Name != pod.Volumes[i].Name || !mounts[i].ReadOnly {
			t.Errorf("%s is mounted as %+v", pod.Volumes[i].Name, mounts[i])
		}
		path := mounts[i].MountPath + "/" + key
		wanted := slices.Contains(pod.Containers[0].Args, "--config.file="+path) ||
			pod.Containers[0].Env[0].Name == "DATA_SOURCE_NAME_FILE" && pod.Containers[0].Env[0].Value == path
		if !wanted {
			t.Errorf("the exporter is not told of %s", path)
		}
	}
}

// only returns the key of a map with exactly one entry.
func only(t *testing.T, m map[string]string) string {
	t.Helper()
	for key := range m {
		if len(m) == 1 {
			return key
		}
	}
	t.Fatalf("want one key, not %v", m)
	return ""
}

// What is applied must not replace a Secret that holds a real password.
func TestKustomizationAppliesEverythingButASecret(t *testing.T) {
	all := manifests(t)
	var files []string
	for _, file := range names(t) {
		if file != "kustomization.yaml" {
			files = append(files, file)
		}
	}
	for _, o := range all {
		if k, ok := o.(*kustomization); ok {
			if diff := cmp.Diff(files, slices.Sorted(slices.Values(k.Resources))); diff != "" {
				t.Errorf("-files +resources:\n%s", diff)
			}
			return
		}
	}
	t.Error("there is no kustomization")
}

func TestPodHasNoRightThatItDoesNotNeed(t *testing.T) {
	pod := exporter(t, manifests(t)).Spec.Template.Spec
	c := pod.Containers[0]
	no := func(b *bool) bool { return b != nil && !*b }
	for what, right := range map[string]bool{
		"not root": pod.SecurityContext.RunAsNonRoot && pod.SecurityContext.RunAsUser > 0 &&
			pod.SecurityContext.RunAsGroup > 0,
		"the runtime's seccomp": pod.SecurityContext.SeccompProfile.Type == "RuntimeDefault",
		"no service account":    no(pod.AutomountServiceAccountToken),
		"no service variables":  no(pod.EnableServiceLinks),
		"a read-only root":      c.SecurityContext.ReadOnlyRootFilesystem,
		"no escalation":         no(c.SecurityContext.AllowPrivilegeEscalation),
		"no capability":         slices.Equal(c.SecurityContext.Capabilities.Drop, []string{"ALL"}),
		"a secret readable to us": pod.SecurityContext.FSGroup == pod.SecurityContext.RunAsGroup &&
			pod.Volumes[1].Secret.DefaultMode == 0o440,
		"a limit of memory": c.Resources.Limits["memory"] != "",
		"probes of the process": c.LivenessProbe.HTTPGet.Path == "/-/healthy" &&
			c.ReadinessProbe.HTTPGet.Path == "/-/ready",
		"one exporter, never two": exporter(t, manifests(t)).Spec.Replicas == 1 &&
			exporter(t, manifests(t)).Spec.Strategy.Type == "Recreate",
		"the version of this state": strings.HasSuffix(c.Image, ":"+version(t)),
	} {
		if !right {
			t.Errorf("want %s", what)
		}
	}
}

// The purge runs the script that is mounted, once at a time, and never again on its own after an error.
func TestCronJobRunsThePurge(t *testing.T) {
	text, err := os.ReadFile("../../examples/purge/cronjob.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var document yaml.Node
	if err := yaml.Unmarshal(text, &document); err != nil {
		t.Fatal(err)
	}
	o, err := read(&document)
	if err != nil {
		t.Fatal(err)
	}
	job := o.(*cronJob).Spec
	pod := job.JobTemplate.Spec.Template.Spec
	c := pod.Containers[0]
	if script := c.Command[len(c.Command)-1]; filepath.Dir(script) != c.VolumeMounts[0].MountPath ||
		!strings.Contains(string(text), "configmap "+pod.Volumes[0].ConfigMap.Name+" --from-file="+filepath.Base(script)) {
		t.Errorf("the job runs %s, which is not mounted", script)
	}
	if job.ConcurrencyPolicy != "Forbid" || job.JobTemplate.Spec.BackoffLimit != 0 || pod.RestartPolicy != "Never" {
		t.Errorf("the job may run twice: %+v", job)
	}
}

func version(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../../VERSION")
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(text))
}

func TestRulesAreThoseOfTheMixin(t *testing.T) {
	var want []any
	for _, file := range []string{"rules.yaml", "alerts.yaml"} {
		text, err := os.ReadFile("../../mixin/" + file)
		if err != nil {
			t.Fatal(err)
		}
		var rules struct{ Groups []any }
		if err := yaml.Unmarshal(text, &rules); err != nil {
			t.Fatal(err)
		}
		want = append(want, rules.Groups...)
	}
	var got []any
	for _, group := range find(t, manifests(t), func(r *prometheusRule) string { return r.Metadata.Name },
		name).Spec.Groups {
		var g any
		if err := group.Decode(&g); err != nil {
			t.Fatal(err)
		}
		got = append(got, g)
	}
	if diff := cmp.Diff(want, got); diff != "" || len(want) == 0 {
		t.Errorf("run make generate: -mixin +PrometheusRule:\n%s", diff)
	}
}

func TestDashboardsAreThoseOfTheMixin(t *testing.T) {
	// kubectl keeps the last applied object in an annotation of at most this many bytes.
	const most = 256 << 10
	files, err := filepath.Glob("../../mixin/dashboards/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no dashboards: %v", err)
	}
	all := manifests(t)
	for _, file := range files {
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		base := filepath.Base(file)
		m := find(t, all, func(c *configMap) string { return c.Metadata.Name },
			strings.TrimSuffix(base, ".json")+"-dashboard")
		if diff := cmp.Diff(string(want), m.Data[base]); diff != "" {
			t.Errorf("run make generate: -mixin +%s:\n%s", m.Metadata.Name, diff)
		}
		if len(m.Data[base]) > most-1000 {
			t.Errorf("%s has %d bytes", m.Metadata.Name, len(m.Data[base]))
		}
		if m.Metadata.Labels["grafana_dashboard"] != "1" {
			t.Errorf("Grafana's sidecar does not find %s", m.Metadata.Name)
		}
	}
}
