package softdelete

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// Health is how good something is. Its order lets the worst of many be their
// maximum, and never hides something poor behind something that could not be read.
type Health int

// The verdicts. The mixin's recording rules use the same numbers.
const (
	Good Health = iota
	Fair
	Unknown
	Poor
)

var healths = [...]string{Good: "good", Fair: "fair", Unknown: "unknown", Poor: "poor"}

// String is the verdict in one word.
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
	return fmt.Errorf("%q is no verdict; they are %s", text, strings.Join(healths[:], ", "))
}

// Verdict is how good a table is, and why.
type Verdict struct {
	// Health is judged by the kinder end of what was estimated, AtWorst by the other
	// end; they differ where an interval straddles a limit.
	Health, AtWorst Health
	// Reasons are those that decided; none for what is good.
	Reasons []string
}

// String is the verdict with its reasons, in the words of the reference.
func (v Verdict) String() string {
	if len(v.Reasons) == 0 {
		return v.Health.String()
	}
	return v.Health.String() + " - " + strings.Join(v.Reasons, ", ")
}

// Straddles tells that the numbers are not sure enough to decide.
func (v Verdict) Straddles() bool { return v.AtWorst > v.Health }

// Range says where the truth may lie, such as "between fair and poor"; empty where
// there is no doubt.
func (v Verdict) Range() string {
	if !v.Straddles() {
		return ""
	}
	return fmt.Sprintf("between %s and %s", v.Health, v.AtWorst)
}

// worse joins two verdicts on the same table.
func (v Verdict) worse(other Verdict) Verdict {
	joined := Verdict{Health: max(v.Health, other.Health), AtWorst: max(v.AtWorst, other.AtWorst)}
	for _, one := range []Verdict{v, other} {
		for _, reason := range one.Reasons {
			if one.Health == joined.Health && !slices.Contains(joined.Reasons, reason) {
				joined.Reasons = append(joined.Reasons, reason)
			}
		}
	}
	return joined
}

// certainly is a verdict about which there is no doubt.
func certainly(h Health, reasons ...string) Verdict {
	return Verdict{Health: h, AtWorst: h, Reasons: reasons}
}

// problemWords say for people why a table could not be read.
var problemWords = map[Reason]string{
	PermissionDenied: "permission denied",
	RowSecurity:      "row-level security hides rows",
	Locked:           "locked",
	TimedOut:         "counting timed out",
	MarkerMissing:    "the table or its marker column is missing",
	Unsupported:      "this kind of table cannot be counted",
	OtherError:       "an error",
}

// rows judges the numbers of a table.
func (l Limits) rows(t *Table) Verdict {
	n := t.Numbers
	switch {
	case t.Problem != nil:
		return certainly(Unknown, problemWords[t.Problem.Reason])
	case n == nil && t.Checked.IsZero():
		return certainly(Unknown, "not counted yet")
	case n == nil:
		return certainly(Unknown, "not confirmed for too long")
	}
	old := Estimate{}
	if n.Old != nil {
		old = *n.Old
	}
	ratioHealth, oldHealth := l.DeletionRatio.health(n.Ratio.Low()), l.OldDeletedRows.health(old.Low())
	v := certainly(max(ratioHealth, oldHealth))
	if v.Health != Poor && !(n.Ratio.Bounded() && old.Bounded()) {
		return certainly(Unknown, "known from statistics only")
	}
	v.AtWorst = max(v.Health, l.DeletionRatio.health(n.Ratio.High()), l.OldDeletedRows.health(old.High()))
	switch v.Health {
	case Poor:
		if ratioHealth == Poor {
			v.Reasons = append(v.Reasons, "high deletion ratio")
		}
		if oldHealth == Poor {
			v.Reasons = append(v.Reasons, "too many old deleted records")
		}
	case Fair:
		v.Reasons = []string{"cleanup recommended"}
	}
	return v
}

// indexes judges what is known of a table's indexes.
func indexes(findings []Finding, presences []Presence) Verdict {
	v := certainly(Good)
	for _, f := range findings {
		switch f.Problem {
		case UniqueAllowsLiveDuplicate:
			v = v.worse(certainly(Poor, "a unique index lets live duplicates in"))
		case Invalid:
			v = v.worse(certainly(Fair, "an index is invalid"))
		}
	}
	for _, p := range presences {
		if !p.Present {
			v = v.worse(certainly(Fair, p.Purpose.Missing()))
		}
	}
	return v
}

// Missing says that there is no index for the purpose.
func (p Purpose) Missing() string {
	if p == Purge {
		return "an index for the purge would pay"
	}
	return "an index without deleted rows would pay"
}

// NoMargin is the margin of a number that is known from statistics only.
var NoMargin = math.Inf(1)

// Bounded tells that the number has an error bar.
func (e Estimate) Bounded() bool { return !math.IsInf(e.Margin, 0) && !math.IsNaN(e.Margin) }

// Low is the lower end of the interval; nothing that is counted is less than none.
func (e Estimate) Low() float64 { return max(0, e.Value-e.Margin) }

// High is the upper end of the interval.
func (e Estimate) High() float64 { return e.Value + e.Margin }
