package softdelete

import (
	"slices"
	"testing"
)

// Every row of the table of kinds has everything that its readers use.
func TestTableOfKindsIsComplete(t *testing.T) {
	seen := map[Kind]bool{}
	for _, d := range KindTable {
		if seen[d.Kind] || d.Kind == "" {
			t.Errorf("kind %q stands there twice, or has no name", d.Kind)
		}
		seen[d.Kind] = true
		for what, text := range map[string]string{"Column": d.Words.Column, "Live": d.Words.Live,
			"Deleted": d.Words.Deleted, "Time": d.Words.Time} {
			if text == "" {
				t.Errorf("%s has no word for %s", d.Kind, what)
			}
		}
		if len(d.Classes) == 0 {
			continue
		}
		switch {
		case len(d.Meaning.Live) == 0 || len(d.Meaning.Deleted) == 0:
			t.Errorf("%s does not say which values are live and which are deleted", d.Kind)
		case d.Sections == Sections{}:
			t.Errorf("%s names no sections", d.Kind)
		case d.Type == "":
			t.Errorf("%s has no type", d.Kind)
		case !d.KeepsTime && d.Sections.Plain != "" && d.Words.Decision == "":
			t.Errorf("%s has no sentence on a decision", d.Kind)
		}
	}
	for name, class := range Classes {
		if KindOf(class) == "" {
			t.Errorf("no kind takes %s", name)
		}
	}
	if KindOf(OtherClass) != "" {
		t.Error("a kind takes any type")
	}
}

// No letter means live in one alphabet and deleted in another.
func TestAlphabetsDoNotContradictEachOther(t *testing.T) {
	for _, a := range Alphabets {
		if slices.Contains(DeletedLetters, a.Live) {
			t.Errorf("%q is live beside %q, and deleted elsewhere", a.Live, a.Deleted)
		}
	}
}
