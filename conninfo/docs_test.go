package conninfo

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the table of docs/connection.md")

func TestTheDocumentationListsEveryParameter(t *testing.T) {
	const page, begin, end = "../docs/connection.md", "<!-- parameters:begin -->\n", "<!-- parameters:end -->"
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, opened := strings.Cut(string(text), begin)
	got, after, closed := strings.Cut(rest, end)
	if !opened || !closed {
		t.Fatalf("want a line %s and, after it, one %s", begin, end)
	}
	want := "\n" + table() + "\n"
	if *update {
		if err := os.WriteFile(page, []byte(before+begin+want+end+after), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("run go test ./conninfo -update (-want +got):\n%s", diff)
	}
}

// table describes for a reader how each parameter is treated.
func table() string {
	var out strings.Builder
	out.WriteString("| parameter | variable | treatment |\n|---|---|---|\n")
	for _, p := range Parameters() {
		what := string(p.Treatment)
		if len(p.Harmless) > 0 {
			what += ", except " + strings.Join(p.Harmless, ", ")
		}
		if p.Note != "" {
			what += ": " + p.Note
		}
		variable := ""
		if p.Variable != "" {
			variable = "`" + p.Variable + "`"
		}
		fmt.Fprintf(&out, "| `%s` | %s | %s |\n", p.Name, variable, what)
	}
	return out.String()
}
