package softdelete

import (
	"fmt"
	"strings"
)

// Health says how good something is. In its order, the worst of many is their maximum, and something unreadable
// never hides something poor.
type Health int

// The verdicts. The mixin's recording rules use the same numbers.
const (
	Good Health = iota
	Fair
	Unknown
	Poor
)

var healths = [...]string{Good: "good", Fair: "fair", Unknown: "unknown", Poor: "poor"}

// String returns the verdict in one word.
func (h Health) String() string { return healths[h] }

// MarshalText writes the word.
func (h Health) MarshalText() ([]byte, error) { return []byte(h.String()), nil }

// UnmarshalText reads the word.
func (h *Health) UnmarshalText(text []byte) error {
	for known, word := range healths {
		if word == string(text) {
			*h = Health(known)
			return nil
		}
	}
	return fmt.Errorf("%q is not a verdict; the verdicts are %s", text, strings.Join(healths[:], ", "))
}
