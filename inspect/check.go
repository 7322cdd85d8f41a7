package inspect

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// ConfigError is a fault of the configuration that the database shows.
type ConfigError struct{ error }

// Unwrap returns what is wrong.
func (e *ConfigError) Unwrap() error { return e.error }

// Check holds the configured tables against the database. It returns a
// *ConfigError that lists every table and column that is not there, or another
// error when the database could not be asked.
func (i *Inspector) Check(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, i.config.Ping.Timeout.Std()+time.Second)
	defer cancel()
	s, err := i.open(ctx, "")
	if err != nil {
		return fmt.Errorf("connecting: %w", err)
	}
	defer s.close()
	p := &pass{Inspector: i}
	relations, err := p.discover(ctx, s)
	if err != nil {
		return err
	}
	var faults []error
	for _, r := range relations {
		if r.obstacle != nil && (r.obstacle.Reason == softdelete.MarkerMissing || r.obstacle.Reason == softdelete.Unsupported) {
			faults = append(faults, errors.New(r.obstacle.Message))
		}
	}
	if len(faults) > 0 {
		return &ConfigError{errors.Join(faults...)}
	}
	return nil
}
