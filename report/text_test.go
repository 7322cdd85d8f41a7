package report

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/softdelete-exporter/softdelete_exporter/indexes"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// golden compares a text with a file of testdata.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-want +got), go test ./report -update writes it anew:\n%s", file, diff)
	}
}

func asText(t *testing.T, r Report, colour bool) string {
	t.Helper()
	var out bytes.Buffer
	if err := Text(&out, r, Screen{Width: 80, Colour: colour}); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestText(t *testing.T) {
	for name, r := range scenes() {
		t.Run(name, func(t *testing.T) { golden(t, name+".txt", []byte(asText(t, r, false))) })
	}
}

// In the scene of troubles, each table has the problem after which it is named.
func TestTroublesAreWhatTheyAreCalled(t *testing.T) {
	for _, table := range troubles().Databases[0].Tables {
		var got []string
		if table.Problem != nil {
			got = append(got, string(table.Problem.Reason))
		}
		for _, f := range indexes.Findings(&table) {
			got = append(got, string(f.Problem))
		}
		if !slices.Equal(got, []string{table.Name}) {
			t.Errorf("%s has %q", table.Name, got)
		}
	}
}

func TestTextKeepsToEightyColumnsAndToOneLineForEach(t *testing.T) {
	for name, r := range scenes() {
		sql := ""
		for i := range r.Recommendations {
			run, consider := statements(&r.Recommendations[i])
			sql += strings.Join(slices.Concat(run, consider, r.Recommendations[i].Remedies), "\n")
		}
		for line := range strings.Lines(asText(t, r, false)) {
			line = strings.TrimSuffix(line, "\n")
			if n := utf8.RuneCountInString(line); n > 80 && !strings.Contains(sql, strings.TrimSpace(line)) {
				t.Errorf("%s: %d columns: %q", name, n, line)
			}
			if strings.TrimRight(line, " ") != line {
				t.Errorf("%s: spaces at the end of %q", name, line)
			}
		}
	}
}

func TestTextObeysNoNameOfATable(t *testing.T) {
	if text := asText(t, scenes()["shop"], false); strings.ContainsRune(text, '\x1b') {
		t.Error("the text has an escape sequence")
	}
}

func TestColourChangesNothingElse(t *testing.T) {
	for name, r := range scenes() {
		plain, coloured := asText(t, r, false), asText(t, r, true)
		if diff := cmp.Diff(plain, escape.ReplaceAllString(coloured, "")); diff != "" {
			t.Errorf("%s (-plain +coloured):\n%s", name, diff)
		}
		if !strings.Contains(coloured, "\x1b["+colours[r.Health]+"m"+strings.ToUpper(r.Health.String())) {
			t.Errorf("%s: the verdict is not coloured", name)
		}
	}
}
