// Package rescue limits the damage of a panic. A panic is a fault of the exporter itself: the operation fails,
// the stack is logged once, and everything else continues.
package rescue

import (
	"errors"
	"fmt"
	"path"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"

	"github.com/go-kit/log"
	"github.com/go-kit/log/level"
)

// Panic is a caught panic.
type Panic struct {
	Value any
	// Where is the line that caused it.
	Where string
	Stack []byte
}

// Error implements error.
func (p *Panic) Error() string {
	return fmt.Sprintf("a fault of the exporter itself, at %s: %v; please report it", p.Where, p.Value)
}

// Catch calls a function and returns its error. A panic becomes a *Panic.
func Catch(do func() error) (err error) {
	defer func() {
		if value := recover(); value != nil {
			err = &Panic{Value: value, Where: where(), Stack: debug.Stack()}
		}
	}()
	return do()
}

// Is reports whether an error is a caught panic.
func Is(err error) bool { return errors.As(err, new(*Panic)) }

// told are the lines whose panics were logged. Their number is limited by the program.
var told sync.Map

// Log logs an error if it is a panic, with its stack, but only the first panic of each line, because it may
// happen again in every refresh. The keyvals say what was affected.
func Log(logger log.Logger, err error, keyvals ...any) {
	var p *Panic
	if !errors.As(err, &p) {
		return
	}
	if _, before := told.LoadOrStore(p.Where, true); before {
		return
	}
	level.Error(logger).Log(append([]any{"msg", "panic", "err", err, "stack", string(p.Stack)}, keyvals...)...)
}

// where returns the line, of the exporter or of a library, that panicked.
func where() string {
	callers := make([]uintptr, 64)
	frames := runtime.CallersFrames(callers[:runtime.Callers(1, callers)])
	panicked := false
	for {
		f, more := frames.Next()
		if panicked && !strings.HasPrefix(f.Function, "runtime.") {
			return fmt.Sprintf("%s (%s:%d)", path.Base(f.Function), path.Base(f.File), f.Line)
		}
		panicked = panicked || f.Function == "runtime.gopanic"
		if !more {
			return "an unknown line"
		}
	}
}
