package assess

import (
	"fmt"
	"strings"

	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// recommendValues recommends to correct configured values that no row has: with a misspelled value, a table could
// look as if it had no deleted rows.
func (t *TableHealth) recommendValues() []Recommendation {
	if t.Numbers == nil || t.Problem != nil || len(t.Numbers.Unseen) == 0 {
		return nil
	}
	quoted := make([]string, len(t.Numbers.Unseen))
	for i, v := range t.Numbers.Unseen {
		quoted[i] = fmt.Sprintf("%q", v)
	}
	values := strings.Join(quoted, ", ")
	return []Recommendation{{
		Kind: Configure, Urgency: softdelete.Good, Database: t.Database, Table: t,
		Title: fmt.Sprintf("Check the configured values of %s.", t.FullName()),
		Reason: fmt.Sprintf("No row of the table has %s in column %q. If the value is misspelled, deleted rows are "+
			"counted as live, or live rows as deleted.", values, t.Markers[0].Column),
		Gain:     Gain{Text: "Rows are counted as what they are."},
		Remedies: []string{"softdelete_exporter check-config --connect"},
		Notes:    []string{"If the value is right but not used yet, there is nothing to do."},
	}}
}

// recommendDecider recommends to say which column of a pair decides, if that is not certain.
func (t *TableHealth) recommendDecider() []Recommendation {
	if t.Numbers == nil || t.Problem != nil {
		return nil
	}
	var all []Recommendation
	for _, d := range t.Disputes() {
		flag, time := d.Marker.Column, d.Marker.Time.Column
		r := Recommendation{
			Kind: Configure, Urgency: softdelete.Good, Database: t.Database, Table: t,
			Title: fmt.Sprintf("Say whether %s or %s decides which rows of %s are deleted.", flag, time, t.FullName()),
			Reason: fmt.Sprintf("Rows are counted by %q, because most applications filter by the flag, but %s.", flag,
				d.Why()),
			Gain: Gain{Text: "Rows are counted by the column by which the application filters."},
		}
		if d.Settled() {
			r.Notes = []string{"The two agree in every row now, so the numbers are right either way."}
		}
		for _, decider := range d.Marker.Deciders() {
			r.Remedies = append(r.Remedies, "# "+softdelete.QuoteYAML(decider.Column)+" decides\n"+t.entry(decider.Settings))
		}
		all = append(all, r)
	}
	return all
}
