package report

import (
	"strings"
	"testing"
)

func TestWhatIsToBeConsideredRefersToAStatementOnlyWhereThereIsOne(t *testing.T) {
	r := scenes()["trouble"]
	for _, shown := range []string{asText(t, r, false), asHTML(t, r, false)} {
		shown = strings.Join(strings.Fields(shown), " ")
		for _, rec := range r.Recommendations {
			run, consider := statements(&rec)
			if len(consider) == 0 {
				continue
			}
			_, after, _ := strings.Cut(shown, rec.Title)
			before, _, _ := strings.Cut(after, "onsider:")
			if got := strings.HasSuffix(before, "If that works, c"); got != (len(run) > 0) {
				t.Errorf("%s: %d statements stand before, and it says that they worked: %t", rec.Title, len(run), got)
			}
		}
	}
}

func TestRemediesOfSeveralLinesStandApart(t *testing.T) {
	if text := asText(t, scenes()["none"], false); !strings.Contains(text,
		"column: <fill in>\n\n       softdelete_exporter check-config") {
		t.Errorf("a command follows a file at once:\n%s", text)
	}
}

func TestTheTextTellsOfWhatWasNotChecked(t *testing.T) {
	r := scenes()["shop"]
	text := strings.Join(strings.Fields(asText(t, r, false)), " ")
	for _, table := range r.Tables {
		for _, c := range table.Integrity {
			if c.Problem != nil && !strings.Contains(text, c.Unchecked()+": "+c.Problem.Message) {
				t.Errorf("it does not say: %s: %s", c.Unchecked(), c.Problem.Message)
			}
		}
	}
}
