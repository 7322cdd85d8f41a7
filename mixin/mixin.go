// Package mixin has the health limits that the Jsonnet mixin and the exporter's report share, so that alerts
// and report always agree.
package mixin

//go:generate ./generate.sh

import _ "embed"

// Thresholds is thresholds.json: every health limit with its default. The section "The limits" of README.md
// documents its shape; overrides have the same shape.
//
//go:embed thresholds.json
var Thresholds []byte
