package rescue

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/go-kit/log"
)

func TestAPanicBecomesAnErrorThatSaysWhere(t *testing.T) {
	fault := errors.New("an ordinary error")
	if err := Catch(func() error { return fault }); !errors.Is(err, fault) || Is(err) {
		t.Errorf("an error becomes %v", err)
	}
	if err := Catch(func() error { return nil }); err != nil {
		t.Errorf("nothing becomes %v", err)
	}
	var none []int
	var nothing *struct{ field int }
	var unmade map[int]int
	for value, do := range map[string]func() error{
		"index out of range [3]": func() error { none[3]++; return nil },
		"nil pointer":            func() error { nothing.field++; return nil },
		"just so":                func() error { panic("just so") },
		"nil map":                func() error { unmade[1]++; return nil },
	} {
		err := Catch(do)
		if !Is(err) || !strings.Contains(err.Error(), value) || !strings.Contains(err.Error(), "rescue_test.go:") {
			t.Errorf("%s becomes %v", value, err)
		}
	}
}

func TestTheStackOfALineIsLoggedOnce(t *testing.T) {
	told.Clear()
	var out bytes.Buffer
	logger := log.NewLogfmtLogger(&out)
	Log(logger, nil)
	Log(logger, errors.New("an ordinary error"))
	if out.Len() > 0 {
		t.Errorf("something other than a panic was logged: %s", &out)
	}
	for _, table := range []string{"users", "users", "orders"} {
		Log(logger, errors.Join(errors.New("reading"), Catch(func() error { panic("one line") })), "relname", table)
	}
	Log(logger, Catch(func() error { panic("another line") }), "relname", "users")
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) != 2 {
		t.Fatalf("%d lines, want 2: %s", len(lines), &out)
	}
	for n, words := range [][]string{{"one line", "level=error", "relname=users", "TestTheStackOfALineIsLoggedOnce"},
		{"another line"}} {
		for _, word := range words {
			if !strings.Contains(lines[n], word) {
				t.Errorf("line %d lacks %q: %s", n, word, lines[n])
			}
		}
	}
}
