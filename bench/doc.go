// Package bench measures the exporter beside its peers, and what its defaults rest on.
// Run it by make bench; docs/performance.md and docs/counting.md show what it prints.
package bench
