package indexes

import (
	"reflect"
	"testing"
)

// Every problem has all texts that its readers use.
func TestProblemsAreDescribed(t *testing.T) {
	seen := map[Problem]bool{}
	for _, d := range problems {
		if seen[d.Problem] {
			t.Errorf("%s is listed twice", d.Problem)
		}
		seen[d.Problem] = true
		if d.found == nil || d.advise == nil {
			t.Errorf("%s is not looked for, or has no advice", d.Problem)
		}
		text := reflect.ValueOf(d.Description)
		for i := range text.NumField() {
			if text.Field(i).String() == "" {
				t.Errorf("%s has no %s", d.Problem, text.Type().Field(i).Name)
			}
		}
	}
}
