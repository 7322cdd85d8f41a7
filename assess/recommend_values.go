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
