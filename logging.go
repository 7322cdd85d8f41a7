package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"reflect"
	"time"

	"github.com/go-kit/log"
	"github.com/go-kit/log/level"
	sloggokit "github.com/tjhop/slog-gokit"

	"github.com/softdelete-exporter/softdelete_exporter/conninfo"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// newLogger returns a logger that removes passwords, and the characters that a terminal would act on.
func newLogger(w io.Writer, format string) log.Logger {
	w = log.NewSyncWriter(w)
	logger := log.NewLogfmtLogger(w)
	if format == "json" {
		logger = log.NewJSONLogger(w)
	}
	return redacting{logger}
}

// redacting removes passwords from everything that is logged, and characters that the log formats do not
// escape. They do escape line breaks.
type redacting struct{ log.Logger }

// Log implements log.Logger.
func (r redacting) Log(keyvals ...any) error {
	clean := make([]any, len(keyvals))
	for i, v := range keyvals {
		switch reflect.ValueOf(v).Kind() {
		case reflect.String, reflect.Pointer, reflect.Struct, reflect.Slice, reflect.Array, reflect.Map:
			v = softdelete.PrintableLines(conninfo.Redact(fmt.Sprint(v)))
		}
		clean[i] = v
	}
	return r.Logger.Log(clean...)
}

// filter drops lines below the level, and adds to each line its time and its place in the code.
func filter(logger log.Logger, least string) log.Logger {
	logger = level.NewFilter(logger, level.Allow(level.ParseDefault(least, level.InfoValue())))
	return log.With(logger, "ts", log.DefaultTimestampUTC, "caller", log.DefaultCaller)
}

// bridge takes the log lines of libraries that use slog.
func bridge(base log.Logger, least string) *slog.Logger {
	base = log.With(base, "ts", log.DefaultTimestampUTC)
	return slog.New(untimed{sloggokit.NewGoKitHandler(base, slogLevel(least))})
}

// untimed drops the time of a line, because the logger behind it adds its own.
type untimed struct{ slog.Handler }

// Handle implements slog.Handler.
func (u untimed) Handle(ctx context.Context, r slog.Record) error {
	r.Time = time.Time{}
	return u.Handler.Handle(ctx, r)
}

// WithAttrs implements slog.Handler.
func (u untimed) WithAttrs(attrs []slog.Attr) slog.Handler {
	return untimed{u.Handler.WithAttrs(attrs)}
}

// WithGroup implements slog.Handler.
func (u untimed) WithGroup(name string) slog.Handler { return untimed{u.Handler.WithGroup(name)} }

// slogLevel returns the level for libraries that use slog.
func slogLevel(least string) slog.Level {
	var l slog.Level
	if err := l.UnmarshalText([]byte(least)); err != nil {
		return slog.LevelInfo
	}
	return l
}
