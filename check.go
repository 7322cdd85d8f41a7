package main

import (
	"context"
	"fmt"
	"io"

	"github.com/go-kit/log"

	"github.com/softdelete-exporter/softdelete_exporter/config"
)

// checkConfig loads the configuration file and, when asked to, holds it against
// the database.
func checkConfig(f flags, connect bool, stdout io.Writer) error {
	c, err := config.Load(defaults, f.configFile)
	if err != nil {
		return usage{err}
	}
	if connect {
		if err := newInspector(c, log.NewNopLogger()).Check(context.Background()); err != nil {
			return usage{err}
		}
	}
	fmt.Fprintln(stdout, "The configuration is valid.")
	return nil
}
