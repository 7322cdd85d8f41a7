package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// programs writes shell scripts into a directory, which it returns.
func programs(t *testing.T, dir string, texts map[string]string) string {
	t.Helper()
	for name, text := range texts {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte("#!/usr/bin/env bash\n"+text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// After a failure everything else still runs, and the failure is reported at the end.
func TestMakeTestRunsEverythingAndEndsWithWhatFailed(t *testing.T) {
	script, err := os.ReadFile("scripts/test.sh")
	if err != nil {
		t.Fatal(err)
	}
	house := programs(t, t.TempDir(), map[string]string{
		"scripts/test.sh":  string(script),
		"scripts/tools.sh": `[ "$1" = test ]`, // the other groups are incomplete
		"bin/go": `echo "$*" >> calls
			case $* in
			list*) printf 'm/cache\nm/inspect\nm/sampling\n' ;;
			*-race*)
				printf -- '--- FAIL: TestA (0.00s)\n    --- FAIL: TestA/b (0.00s)\n'
				printf '        a_test.go:1: no\nFAIL\nFAIL\tm/cache\t0.1s\n'
				printf -- '--- FAIL: TestC (0.00s)\nFAIL\nFAIL\tm/inspect\t0.1s\nFAIL\n'; exit 1 ;;
			*e2e*)
				printf 'ok  \tm/mixin\t0.1s\nFAIL\tm/e2e [build failed]\nFAIL\n'; exit 1 ;;
			*) printf 'ok  \tm/sampling\t0.1s\n' ;;
			esac`,
	})
	run := exec.CommandContext(t.Context(), "bash", "scripts/test.sh", "unit", "e2e")
	run.Dir = house
	run.Env = append(os.Environ(), "PATH="+filepath.Join(house, "bin")+":"+os.Getenv("PATH"))
	output, err := run.Output()
	if run.ProcessState.ExitCode() != 1 {
		t.Errorf("%v, want exit code 1", err)
	}
	_, list, _ := strings.Cut(string(output), "\n== failed\n")
	const want = `go test -race -timeout 30m m/cache m/inspect
scripts/tools.sh jsonnet e2e
go test -tags e2e -timeout 60m ./e2e/... ./mixin ./internal/kubernetes
  m/cache
    TestA
    TestA/b
  m/inspect
    TestC
  m/e2e
`
	if list != want {
		t.Errorf("the list of what failed is\n%s\nwant\n%s\nof\n%s", list, want, output)
	}
	calls, err := os.ReadFile(filepath.Join(house, "calls"))
	if err != nil || !strings.Contains(string(calls), "\ntest ./sampling\n") {
		t.Errorf("sampling was not tested: %v\n%s", err, calls)
	}
}
