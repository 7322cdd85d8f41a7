package assess

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

func (a *Assessment) recommendForServer() {
	add := func(r Recommendation) { a.Recommendations = append(a.Recommendations, r) }
	switch a.Connection.Status {
	case Unhealthy:
		add(Recommendation{
			Kind: FixConnection, Urgency: softdelete.Poor,
			Title:    "Restore the connection.",
			Reason:   "Without it, nothing is known about the tables but the last numbers.",
			Gain:     Gain{Text: "The numbers are up to date again."},
			Remedies: []string{`psql "$DATA_SOURCE_NAME" -c 'SELECT 1'`},
			Notes: []string{cmp.Or(a.Connection.Ping.Remedy, "Check that the server runs, that DATA_SOURCE_NAME points to it, "+
				"and that pg_hba.conf allows the role.")},
		})
	case Slow:
		add(Recommendation{
			Kind: FixConnection, Urgency: softdelete.Fair,
			Title: "Find out why the server answers slowly.",
			Reason: fmt.Sprintf(
				"A SELECT 1 on an open connection took %.0f ms. It takes 1 ms if server and network are healthy.",
				a.Connection.Ping.Milliseconds()),
			Gain:     Gain{Text: "Every query of every application waits less."},
			Remedies: []string{`psql "$DATA_SOURCE_NAME" -c '\timing on' -c 'SELECT 1' -c 'SELECT 1'`},
			Notes: []string{"Run the same on the server itself to see whether the network is the cause. If not, " +
				"pg_stat_activity shows what keeps the server busy."},
		})
	}
	for _, d := range a.Databases {
		switch {
		case a.Connection.Ping.Up && d.Problem != nil:
			add(Recommendation{
				Kind: FixAccess, Urgency: softdelete.Unknown, Database: d.Name,
				Title:    "Give the exporter access to database " + d.Name + ".",
				Reason:   "The last refresh failed there: " + strings.TrimSuffix(d.Problem.Message, ".") + ".",
				Gain:     Gain{Text: "The tables of the database are watched."},
				Remedies: []string{cmp.Or(d.Problem.Remedy, "softdelete_exporter check-config --connect")},
			})
		case d.Skipped > 0:
			add(Recommendation{
				Kind: Configure, Urgency: softdelete.Good, Database: d.Name,
				Title:    fmt.Sprintf("Also watch the other %s of database %s.", softdelete.Plural(d.Skipped, "table"), d.Name),
				Reason:   "It has more tables with soft delete than the exporter may watch.",
				Gain:     Gain{Text: "Every table with soft delete is watched."},
				Remedies: []string{fmt.Sprintf("discovery:\n  max_tables: %d", len(d.Tables)+d.Skipped)},
			})
		}
	}
	if a.NothingWatched() {
		add(a.tellWhichTables())
	}
}

// tellWhichTables says what to do if nothing is watched.
func (a *Assessment) tellWhichTables() Recommendation {
	r := Recommendation{
		Kind: Configure, Urgency: softdelete.Unknown,
		Title: "Tell the exporter which tables use soft delete.",
		Reason: "No table is watched: no table has a column with a name and type that a rule recognizes as a marker, or " +
			"the role cannot see the tables.",
		Gain: Gain{Text: "The tables are watched and get verdicts."},
	}
	for _, d := range a.Databases {
		for _, c := range d.Candidates {
			r.Remedies = append(r.Remedies, c.Remedy)
			r.Notes = append(r.Notes,
				fmt.Sprintf("Column %s of %s.%s in database %s may mark deleted rows. It is not used: %s.",
					c.Column, c.Schema, c.Table, d.Name, strings.TrimSuffix(c.Why, ".")))
		}
	}
	if len(r.Remedies) == 0 {
		r.Notes = append(r.Notes, "Check first that this is the right database and the right role.")
		r.Remedies = []string{"tables:\n  - schema: public\n    table: " + softdelete.FillIn + "\n    column: " +
			softdelete.FillIn}
	}
	r.Remedies = append(r.Remedies, "softdelete_exporter check-config --connect")
	return r
}
