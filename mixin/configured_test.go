//go:build e2e

package mixin

import (
	"encoding/json"
	"strings"
	"testing"
)

// configured returns the dashboards with _config patched.
func configured(t *testing.T, patch string) map[string]string {
	t.Helper()
	output, ok := evaluate(t, "grafanaDashboards", patch)
	if !ok {
		t.Fatal(output)
	}
	var all map[string]json.RawMessage
	if err := json.Unmarshal([]byte(output), &all); err != nil {
		t.Fatal(err)
	}
	texts := map[string]string{}
	for name, content := range all {
		texts[name] = string(content)
	}
	return texts
}

func TestDashboardsFollowTheirSettings(t *testing.T) {
	for name, text := range configured(t, `{
		reportURL: 'https://exporter/report?target=${instance:percentencode}&auth_module=main',
		dashboards+: { prefix: 'Shop: ', timezone: 'utc', path: '/grafana', showMultiCluster: true },
	}`) {
		for _, want := range []string{
			`"title": "Shop: `, `"timezone": "utc"`,
			// A row keeps its cluster, and names the target of its report.
			`"/grafana/d/softdelete-`, `&var-cluster=${__data.fields.cluster:percentencode}&var-job=`,
			`"https://exporter/report?target=${__data.fields.instance:percentencode}&auth_module=main"`,
		} {
			if !strings.Contains(text, want) {
				t.Errorf("%s: no %s", name, want)
			}
		}
		if strings.Contains(text, `"/d/`) || strings.Contains(text, "Soft delete / ") {
			t.Errorf("%s does not follow the settings everywhere", name)
		}
	}
	for name, text := range configured(t, "{ reportURL: '' }") {
		if strings.Contains(text, `"Report`) {
			t.Errorf("%s has a link to a report", name)
		}
	}
	folder, ok := evaluate(t, "grafanaDashboardFolder", "{ dashboards+: { folder: 'Data' } }")
	if !ok || strings.TrimSpace(folder) != `"Data"` {
		t.Errorf("the folder is %s", folder)
	}
}
