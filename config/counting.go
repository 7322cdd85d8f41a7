package config

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// Counting sets how tables are counted, and how much that may cost.
type Counting struct {
	// Method is auto, exact, sampled or statistics.
	Method softdelete.Method `yaml:"method"`
	// ExactMaxBytes is the size up to which auto counts a table exactly. It also limits how much counting
	// through an index reads, and how much an integrity check reads.
	ExactMaxBytes Bytes `yaml:"exact_max_bytes"`
	// Blocks is how many blocks of a table are sampled at most.
	Blocks int `yaml:"blocks"`
	// Batch is how many blocks one short statement reads.
	Batch int `yaml:"batch"`
	// TargetMargin is the margin of the deletion ratio at which a sample is large enough.
	TargetMargin float64 `yaml:"target_margin"`
	// RecountAfter is the time after which a table is counted again even if it does not seem to have changed.
	RecountAfter Duration `yaml:"recount_after"`
	// RecentWindow is how long ago a deletion may be to count as recent.
	RecentWindow Duration `yaml:"recent_window"`
	// PassTime is how long a refresh counts before it leaves the other tables to the next refresh.
	PassTime Duration `yaml:"pass_time"`
	// PassBlocks is how many blocks a refresh samples before it leaves the other tables to the next refresh.
	PassBlocks int `yaml:"pass_blocks"`
}

// Bytes is a size written like 512kB, 64MB or 2GB, in powers of 1,024.
type Bytes int64

var byteUnits = []struct {
	name string
	size Bytes
}{{"GB", 1 << 30}, {"MB", 1 << 20}, {"kB", 1 << 10}, {"B", 1}}

// String writes the size as the configuration file does.
func (b Bytes) String() string {
	for _, u := range byteUnits {
		if b%u.size == 0 && (b != 0 || u.size == 1) {
			return strconv.FormatInt(int64(b/u.size), 10) + u.name
		}
	}
	return ""
}

// UnmarshalYAML reads the size as the configuration file writes it.
func (b *Bytes) UnmarshalYAML(node *yaml.Node) error {
	for _, u := range byteUnits {
		if number, found := strings.CutSuffix(node.Value, u.name); found {
			if n, err := strconv.ParseInt(number, 10, 64); err == nil && n >= 0 && Bytes(n) <= math.MaxInt64/u.size {
				*b = Bytes(n) * u.size
				return nil
			}
		}
	}
	return fault(node, "%q is not a size; write one like 512kB, 64MB or 2GB", node.Value)
}

func (f *faults) method(field string, m softdelete.Method) {
	if !slices.Contains(softdelete.Methods, m) {
		f.add(field, "must be auto, exact, sampled or statistics, not %q", m)
	}
}

func (f *faults) counting(c *Config) {
	f.method("counting.method", c.Counting.Method)
	for _, setting := range []struct {
		field string
		value Duration
	}{
		{"counting.recount_after", c.Counting.RecountAfter},
		{"counting.recent_window", c.Counting.RecentWindow},
		{"counting.pass_time", c.Counting.PassTime},
	} {
		f.positive(setting.field, setting.value)
	}
	if c.Counting.Batch < 5 || c.Counting.Batch > 1000 {
		f.add("counting.batch", "must be from 5 to 1000 blocks, not %d", c.Counting.Batch)
	}
	if c.Counting.Blocks < c.Counting.Batch || c.Counting.Blocks > 100_000 {
		f.add("counting.blocks", "must be from counting.batch (%d) to 100000, not %d", c.Counting.Batch, c.Counting.Blocks)
	}
	if c.Counting.PassBlocks < c.Counting.Blocks {
		f.add("counting.pass_blocks", "must be at least counting.blocks (%d), not %d, or no table can ever be sampled",
			c.Counting.Blocks, c.Counting.PassBlocks)
	}
	if c.Counting.TargetMargin < 0 || c.Counting.TargetMargin >= 1 {
		f.add("counting.target_margin", "must be from 0 to less than 1, not %g", c.Counting.TargetMargin)
	}
}
