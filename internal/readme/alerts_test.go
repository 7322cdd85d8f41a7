package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const compiled = `
groups:
  - name: a
    rules:
      - alert: Down
        for: 2m
        labels: {severity: critical}
        annotations: {runbook_url: https://example.com/blob/main/mixin/runbook.md#down}
      - alert: Bulk
        labels: {severity: warning}
        annotations: {runbook_url: https://wiki.example.com/bulk}
`

func TestListHasARowForEachCompiledAlert(t *testing.T) {
	got, err := alertsTable([]byte(compiled), `
| alert | severity | fires when | for |
|---|---|---|---|
| [Bulk](runbook.md#bulk) | warning | many rows go | at once |
| [Down](runbook.md#down) | info | no answer | 7m |
| [Off](runbook.md#off) | info | never | 1m |
`)
	if err != nil {
		t.Fatal(err)
	}
	want := "| alert | severity | fires when | for |\n|---|---|---|---|\n" +
		"| [Down](mixin/runbook.md#down) | critical | no answer | 2m |\n" +
		"| [Bulk](https://wiki.example.com/bulk) | warning | many rows go | at once |\n"
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestAlertThatNobodyPutIntoWordsIsAnError(t *testing.T) {
	if _, err := alertsTable([]byte(compiled), "| [Down](runbook.md#down) | info | no answer | 7m |"); err == nil ||
		!strings.Contains(err.Error(), "Bulk") {
		t.Errorf("the error is %v", err)
	}
}

func TestPagesAreThoseOfTheCode(t *testing.T) {
	for _, p := range parts {
		page, err := os.ReadFile(filepath.Join("../..", p.page))
		if err != nil {
			t.Fatal(err)
		}
		part, err := p.write("../..")
		if err != nil {
			t.Fatal(err)
		}
		if now, err := replace(string(page), p.name, part); err != nil || now != string(page) {
			t.Errorf("the part %s of %s is not up to date; run make generate (%v)", p.name, p.page, err)
		}
	}
}
