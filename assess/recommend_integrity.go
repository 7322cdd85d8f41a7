package assess

import (
	"fmt"
	"slices"
	"strings"

	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// recommendIntegrity says what to do about rows that contradict the soft delete of
// their table, and about checks that lack a grant. None of it changes a verdict.
func (t *TableHealth) recommendIntegrity() []Recommendation {
	var all []Recommendation
	for _, c := range t.Contradictions() {
		r := Recommendation{Kind: FixIntegrity, Urgency: softdelete.Good, Database: t.Database, Table: t, Contradiction: &c}
		r.Gain.Rows = int64(c.Rows)
		rows := softdelete.Plural(int(c.Rows), "row")
		switch c.Kind {
		case softdelete.Inconsistent:
			r.Title = fmt.Sprintf("Settle flag and time of %s of %s.", rows, t.FullName())
			r.Reason = "They disagree: deleted without a time, a time on a live row, or a flag that is NULL. The flag " +
				"decides, and a deleted row without a time never grows old, so that no purge finds it."
			r.Gain.Text = "Every query and every purge sees the same rows as deleted."
		case softdelete.Future:
			r.Title = fmt.Sprintf("Correct the deletion time of %s of %s.", rows, t.FullName())
			r.Reason = "They claim to be deleted later than now: a clock or a time zone that is wrong, or a plan that is " +
				"kept in the wrong column."
			r.Gain.Text = "They grow old, and are purged, when they should be."
		case softdelete.Orphaned:
			r.Title = fmt.Sprintf("Decide on %s of %s whose parent is deleted.", rows, t.FullName())
			r.Reason = fmt.Sprintf(
				"They are live and reference deleted rows of %s by %s, whose purge they make fail, or which takes them along by "+
					"ON DELETE CASCADE.", c.Check.Key.Parent(), c.Check.Constraint)
			r.Gain.Text = "The purge of the parents neither fails nor takes live rows along."
		}
		all = append(all, r)
	}
	if r, denied := t.recommendGrants(); denied {
		all = append(all, r)
	}
	return all
}

// recommendGrants says once for a table what its checks may not read.
func (t *TableHealth) recommendGrants() (r Recommendation, denied bool) {
	r = Recommendation{Kind: FixAccess, Urgency: softdelete.Good, Database: t.Database, Table: t,
		Title: "Let the integrity of " + t.FullName() + " be checked.",
		Gain:  Gain{Text: "Rows that contradict each other are found."}}
	var reasons []string
	for _, c := range t.Integrity {
		if c.Problem != nil && c.Problem.Remedy != "" {
			reasons = append(reasons, c.Problem.Message)
			if !slices.Contains(r.Remedies, c.Problem.Remedy) {
				r.Remedies = append(r.Remedies, c.Problem.Remedy)
			}
		}
	}
	r.Reason = "A check that is opted in lacks a grant: " + strings.Join(reasons, "; ") + "."
	return r, len(reasons) > 0
}
