package main

import (
	"fmt"
	"io"
	"log/slog"

	"github.com/go-kit/log"
	"github.com/go-kit/log/level"

	"github.com/softdelete-exporter/softdelete_exporter/config"
)

// newLogger writes log lines, free of passwords.
func newLogger(w io.Writer, format string) log.Logger {
	w = log.NewSyncWriter(w)
	logger := log.NewLogfmtLogger(w)
	if format == "json" {
		logger = log.NewJSONLogger(w)
	}
	return redacting{logger}
}

// redacting takes the passwords out of whatever is logged.
type redacting struct{ log.Logger }

// Log implements log.Logger.
func (r redacting) Log(keyvals ...any) error {
	clean := make([]any, len(keyvals))
	for i, v := range keyvals {
		switch v.(type) {
		case string, error, fmt.Stringer, []any:
			v = config.Redact(fmt.Sprint(v))
		}
		clean[i] = v
	}
	return r.Logger.Log(clean...)
}

// filter drops what is below the level, and says when and where each line arose.
func filter(logger log.Logger, least string) log.Logger {
	logger = level.NewFilter(logger, level.Allow(level.ParseDefault(least, level.InfoValue())))
	return log.With(logger, "ts", log.DefaultTimestampUTC, "caller", log.DefaultCaller)
}

// slogLevel is the level for libraries that log by slog.
func slogLevel(least string) slog.Level {
	var l slog.Level
	if err := l.UnmarshalText([]byte(least)); err != nil {
		return slog.LevelInfo
	}
	return l
}
