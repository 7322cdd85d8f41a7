package assess

import "github.com/softdelete-exporter/softdelete_exporter/indexes"

// recommendIndexes recommends what to do about a table's indexes.
func (t *TableHealth) recommendIndexes() []Recommendation {
	var all []Recommendation
	for _, advice := range indexes.Advise(t.Table) {
		r := Recommendation{
			Kind: FixIndex, Database: t.Database, Table: t, Advice: &advice,
			Urgency: advice.Health, Title: advice.Title, Reason: advice.Reason, Notes: advice.Costs, Source: advice.Source,
			Gain: Gain{Text: advice.Gain, Rows: advice.Rows, Bytes: advice.Bytes, Estimated: !advice.Proved},
		}
		all = append(all, r)
	}
	return all
}
