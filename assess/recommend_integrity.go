package assess

import (
	"fmt"
	"slices"
	"strings"

	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// recommendIntegrity recommends what to do about rows that contradict the soft delete of their table, and about
// checks that lack a grant. It changes no verdict.
func (t *TableHealth) recommendIntegrity() []Recommendation {
	var all []Recommendation
	for _, c := range t.Contradictions() {
		r := Recommendation{Kind: FixIntegrity, Urgency: softdelete.Good, Database: t.Database, Table: t, Contradiction: &c}
		r.Gain.Rows = int64(c.Rows)
		rows := softdelete.Plural(int(c.Rows), "row")
		switch c.Kind {
		case softdelete.Inconsistent:
			r.Title = fmt.Sprintf("Fix %s of %s whose flag and deletion time disagree.", rows, t.FullName())
			r.Reason = "They are deleted without a time, live with a time, or have a NULL flag. The flag decides, and a " +
				"deleted row without a time never becomes old, so no purge finds it."
			r.Gain.Text = "Every query and every purge sees the same rows as deleted."
		case softdelete.Future:
			r.Title = fmt.Sprintf("Correct the deletion time of %s of %s.", rows, t.FullName())
			r.Reason = "It is in the future. The cause is a wrong clock or time zone, or a planned deletion in the wrong " +
				"column."
			r.Gain.Text = "The retention counts from the right time."
		case softdelete.Orphaned:
			r.Title = fmt.Sprintf("Decide what happens to %s of %s whose parent is deleted.", rows, t.FullName())
			r.Reason = fmt.Sprintf(
				"They are live and reference deleted rows of %s through %s. They make the purge of those rows fail, or are "+
					"removed with them by ON DELETE CASCADE.", c.Check.Key.Parent(), c.Check.Constraint)
			r.Gain.Text = "The purge of the parents neither fails nor removes live rows."
		}
		all = append(all, r)
	}
	if r, denied := t.recommendGrants(); denied {
		all = append(all, r)
	}
	return all
}

// recommendGrants recommends, once per table, the grants that its checks lack.
func (t *TableHealth) recommendGrants() (r Recommendation, denied bool) {
	r = Recommendation{Kind: FixAccess, Urgency: softdelete.Good, Database: t.Database, Table: t,
		Title: "Grant what the integrity check of " + t.FullName() + " needs.",
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
	r.Reason = "A check that is switched on lacks a grant: " + strings.Join(reasons, "; ") + "."
	return r, len(reasons) > 0
}
