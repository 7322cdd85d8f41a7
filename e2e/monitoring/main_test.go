//go:build e2e

// Package monitoring tests the exporter, the mixin and the examples together with the
// programs that they are for: Prometheus, Alertmanager, systemd.
package monitoring

import (
	"os"
	"testing"

	"github.com/softdelete-exporter/softdelete_exporter/internal/pgserver/pgtest"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }
