// Package mixin carries the health limits that the Jsonnet mixin and the
// exporter's report share, so that alerts and report cannot disagree.
package mixin

//go:generate ./generate.sh

import _ "embed"

// Thresholds is thresholds.json: every health limit with its default.
// README.md, "The limits", documents the shape; overrides have the same one.
//
//go:embed thresholds.json
var Thresholds []byte
