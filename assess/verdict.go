package assess

import (
	"fmt"
	"slices"
	"strings"

	"github.com/softdelete-exporter/softdelete_exporter/indexes"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// Verdict says how good a table is, and why.
type Verdict struct {
	// Health is judged by the better end of estimated numbers, AtWorst by the worse end. They differ if a limit
	// is within the interval.
	Health, AtWorst softdelete.Health
	// Reasons are those that decided; there are none if the table is good.
	Reasons []string
}

// String returns the verdict with its reasons.
func (v Verdict) String() string {
	if len(v.Reasons) == 0 {
		return v.Health.String()
	}
	return v.Health.String() + " - " + strings.Join(v.Reasons, ", ")
}

// Straddles reports whether a limit is within the interval of a number.
func (v Verdict) Straddles() bool { return v.AtWorst > v.Health }

// Range returns the possible verdicts, such as "between fair and poor"; it is empty if only one is possible.
func (v Verdict) Range() string {
	if !v.Straddles() {
		return ""
	}
	return fmt.Sprintf("between %s and %s", v.Health, v.AtWorst)
}

// worse combines two verdicts on the same table.
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
func certainly(h softdelete.Health, reasons ...string) Verdict {
	return Verdict{Health: h, AtWorst: h, Reasons: reasons}
}

// problemWords say for people why a table could not be read.
var problemWords = map[softdelete.Reason]string{
	softdelete.PermissionDenied: "permission denied",
	softdelete.RowSecurity:      "row-level security hides rows",
	softdelete.Locked:           "locked",
	softdelete.TimedOut:         "counting timed out",
	softdelete.MarkerMissing:    "the table or its marker column is missing",
	softdelete.MarkerUnclear:    "it is not certain which rows are deleted",
	softdelete.Unsupported:      "this kind of table cannot be counted",
	softdelete.OtherError:       "an error",
}

// rows judges the numbers of a table.
func (l Limits) rows(t *softdelete.Table) Verdict {
	n := t.Numbers
	switch {
	case t.Problem != nil:
		return certainly(softdelete.Unknown, problemWords[t.Problem.Reason])
	case n == nil && t.Checked.IsZero():
		return certainly(softdelete.Unknown, "not counted yet")
	case n == nil:
		return certainly(softdelete.Unknown, "not confirmed for too long")
	}
	old := softdelete.Estimate{}
	if n.Old != nil {
		old = *n.Old
	}
	ratioHealth, oldHealth := l.ratio(n.Ratio.Low(), n.Total.Value), l.OldDeletedRows.health(old.Low())
	v := certainly(max(ratioHealth, oldHealth))
	if v.Health != softdelete.Poor && !(n.Ratio.Bounded() && old.Bounded()) {
		return certainly(softdelete.Unknown, "known from statistics only")
	}
	v.AtWorst = max(v.Health, l.ratio(n.Ratio.High(), n.Total.Value), l.OldDeletedRows.health(old.High()))
	switch v.Health {
	case softdelete.Poor:
		if ratioHealth == softdelete.Poor {
			v.Reasons = append(v.Reasons, "high deletion ratio")
		}
		if oldHealth == softdelete.Poor {
			v.Reasons = append(v.Reasons, "too many old deleted records")
		}
	case softdelete.Fair:
		v.Reasons = []string{"cleanup recommended"}
	}
	return v
}

// indexVerdict judges the indexes of a table.
func indexVerdict(findings []indexes.Finding, needs []indexes.Need) Verdict {
	v := certainly(softdelete.Good)
	for _, f := range findings {
		if health, reason := f.Problem.Verdict(); health != softdelete.Good {
			v = v.worse(certainly(health, reason))
		}
	}
	for _, n := range needs {
		if !n.Present {
			v = v.worse(certainly(softdelete.Fair, n.For.Missing()))
		}
	}
	return v
}
