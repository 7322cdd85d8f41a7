// Package bench compares the exporter with similar programs, and measures what justifies its defaults. Run it with
// make bench; docs/performance.md and docs/counting.md contain its results.
package bench
