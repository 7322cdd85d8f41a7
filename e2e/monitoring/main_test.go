//go:build e2e

// Package monitoring tests the exporter, the mixin and the examples together with Prometheus, Alertmanager and
// systemd.
package monitoring

import (
	"os"
	"testing"

	"github.com/softdelete-exporter/softdelete_exporter/internal/pgserver/pgtest"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }
