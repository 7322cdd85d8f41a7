package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func TestTheHelpOfACommandIsAboutIt(t *testing.T) {
	for _, args := range [][]string{{"report", "--help"}, {"help", "report"}, {"report", "-h"}} {
		code, text, _ := command(args...)
		if code != 0 || !strings.Contains(text, "usage: softdelete_exporter report") ||
			!strings.Contains(text, "--fail-on") || strings.Contains(text, "--accept-trigger") {
			t.Errorf("%v: exit code %d:\n%s", args, code, text)
		}
	}
	code, text, _ := command("--help")
	for _, part := range []string{"--fail-on", "--accept-trigger", "--web.listen-address", "purge-script"} {
		if code != 0 || !strings.Contains(text, part) {
			t.Errorf("the help of the program does not mention %s", part)
		}
	}
}

func TestVersionHasAShortFlag(t *testing.T) {
	_, long, _ := command("--version")
	if code, short, _ := command("-v"); code != 0 || short != long ||
		!strings.Contains(short, "softdelete_exporter, version") {
		t.Errorf("exit code %d: %s", code, short)
	}
}

// printed runs a command of kingpin itself, which prints to the process's output, whatever the writer is.
func printed(t *testing.T, args ...string) string {
	t.Helper()
	file, err := os.Create(filepath.Join(t.TempDir(), "out"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	stdout := os.Stdout
	os.Stdout = file
	code, _, complaints := command(args...)
	os.Stdout = stdout
	text, err := os.ReadFile(file.Name())
	if err != nil || code != 0 {
		t.Fatalf("%v: exit code %d, %v %s", args, code, err, complaints)
	}
	return string(text)
}

// Readers of man pages need the parts of the first line, and the name with a dash.
func TestTheManPageIsWellFormed(t *testing.T) {
	page := printed(t, "--help-man")
	lines := strings.Split(page, "\n")
	if !strings.HasPrefix(lines[0], `.TH softdelete_exporter 1 "" "softdelete_exporter `) ||
		strings.Count(lines[0], `"`) != 4 || !strings.Contains(page, "\nsoftdelete_exporter \\- ") {
		t.Errorf("it begins with\n%s", strings.Join(lines[:4], "\n"))
	}
	for _, line := range lines {
		macro, _, _ := strings.Cut(line, " ")
		known := strings.Contains(" .TH .SH .SS .TP .PP ", " "+macro+" ")
		if strings.HasPrefix(line, "'") || strings.HasPrefix(line, ".") && !known {
			t.Errorf("this line would be taken for a macro: %s", line)
		}
	}
}

func TestBashCompletes(t *testing.T) {
	script := printed(t, "--completion-script-bash")
	// The completion asks the program itself, for which a function stands here.
	c := exec.CommandContext(t.Context(), "bash", "-euc", script+`
		softdelete_exporter() { [ "$*" = '--completion-bash report --f' ] && echo --format --fail-on; }
		COMP_WORDS=(softdelete_exporter report --f); COMP_CWORD=2
		_softdelete_exporter_bash_autocomplete
		echo "${COMPREPLY[*]}"`)
	out, err := c.CombinedOutput()
	if err != nil || string(out) != "--format --fail-on\n" {
		t.Errorf("%v: %s", err, out)
	}
	for args, want := range map[string]string{
		"--completion-bash":           "check-config",
		"--completion-bash report --": "--fail-on",
	} {
		if words := printed(t, strings.Fields(args)...); !strings.Contains(words, want) {
			t.Errorf("%s: %q, want %s", args, words, want)
		}
	}
}
