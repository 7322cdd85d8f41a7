package queries

import (
	"strings"

	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// strange asks, for each marker in turn, for a value of its deciding column of which it is not
// certain what it means; NULL where there is none, or the configuration says it.
func strange(t *softdelete.Table) string {
	each := make([]string, len(t.Markers))
	for i, m := range t.Markers {
		each[i] = "NULL"
		isTime := m.Time != nil && m.Time.Column == m.Column && m.Time.Type != softdelete.EpochTime
		switch {
		case m.Given:
		case m.Decides() == softdelete.Letter:
			each[i] = ask("strange letter", vars{"column": m.Column, "values": list(softdelete.KnownLetters())})
		case isTime:
			each[i] = ask("strange time", vars{"column": m.Column, "deleted": decide(m, "deleted"),
				"earliest": instant(m.Time, t.Policy.TimeZone, ask("earliest", nil))})
		}
	}
	return "ARRAY[" + strings.Join(each, ", ") + "]::text[]"
}
