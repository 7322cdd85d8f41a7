package config

import (
	"fmt"
	"regexp"
	"time"

	"github.com/prometheus/common/model"
	"go.yaml.in/yaml/v3"
)

// fault returns an error about one value, so that it is reported together with all others.
func fault(node *yaml.Node, format string, args ...any) error {
	return &yaml.TypeError{Errors: []string{fmt.Sprintf("line %d: ", node.Line) + fmt.Sprintf(format, args...)}}
}

// Duration is a time.Duration written like 100ms, 5m, 6h or 90d.
type Duration time.Duration

// Std returns the duration as a time.Duration.
func (d Duration) Std() time.Duration { return time.Duration(d) }

// String writes the duration as the configuration file does.
func (d Duration) String() string { return model.Duration(d).String() }

// UnmarshalYAML reads the duration as the configuration file writes it.
func (d *Duration) UnmarshalYAML(node *yaml.Node) error {
	parsed, err := model.ParseDuration(node.Value)
	if err != nil {
		return fault(node, "%q is not a duration; write one like 100ms, 5m, 6h or 90d", node.Value)
	}
	*d = Duration(parsed)
	return nil
}

// Retention is how long deleted rows should be kept: a Duration, or none.
type Retention struct {
	// Set is true if the file has a value.
	Set bool
	// For is 0 for rows that are never purged.
	For time.Duration
}

// UnmarshalYAML reads a duration or none.
func (r *Retention) UnmarshalYAML(node *yaml.Node) error {
	if node.Value == "none" {
		*r = Retention{Set: true}
		return nil
	}
	var d Duration
	if err := d.UnmarshalYAML(node); err != nil || d <= 0 {
		return fault(node, "%q is not a retention; write a duration like 90d, or none for tables that are never purged",
			node.Value)
	}
	*r = Retention{Set: true, For: d.Std()}
	return nil
}

// Pattern is an RE2 regular expression that must match a whole name.
type Pattern struct {
	*regexp.Regexp
	// text is the expression as it was written.
	text string
}

// UnmarshalYAML reads and compiles the expression.
func (p *Pattern) UnmarshalYAML(node *yaml.Node) error {
	compiled, err := regexp.Compile(whole(node.Value))
	if err != nil {
		return fault(node, "%q is not a pattern: %v; write an RE2 regular expression", node.Value, err)
	}
	p.Regexp, p.text = compiled, node.Value
	return nil
}

// Matches reports whether the whole name matches.
func (p Pattern) Matches(name string) bool { return p.MatchString(name) }

// Secret is a text that no page, log or error shows.
type Secret string

// String hides the secret.
func (Secret) String() string { return "xxxxx" }
