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
			Title:    "Bring back the connection.",
			Reason:   a.Connection.Failure(),
			Gain:     Gain{Text: "The numbers are those of today again."},
			Remedies: []string{`psql "$DATA_SOURCE_NAME" -c 'SELECT 1'`},
			Notes: []string{"See that the server runs, that DATA_SOURCE_NAME names it, and that pg_hba.conf lets " +
				"the role in."},
		})
	case Slow:
		add(Recommendation{
			Kind: FixConnection, Urgency: softdelete.Fair,
			Title: "Find out why the server answers slowly.",
			Reason: fmt.Sprintf(
				"A SELECT 1 on an open connection took %.0f ms; it takes 1 ms where neither the server nor the network "+
					"is in trouble.", a.Connection.Ping.Milliseconds()),
			Gain:     Gain{Text: "Every query of every application waits less."},
			Remedies: []string{`psql "$DATA_SOURCE_NAME" -c '\timing on' -c 'SELECT 1' -c 'SELECT 1'`},
			Notes: []string{"On the server itself the same shows whether it is the network. If not, pg_stat_activity " +
				"shows what keeps it busy."},
		})
	}
	for _, d := range a.Databases {
		switch {
		case a.Connection.Ping.Up && d.Problem != nil:
			add(Recommendation{
				Kind: FixAccess, Urgency: softdelete.Unknown, Database: d.Name,
				Title:    "Let the exporter look into database " + d.Name + ".",
				Reason:   "The last refresh could not: " + strings.TrimSuffix(d.Problem.Message, ".") + ".",
				Gain:     Gain{Text: "Its tables are watched."},
				Remedies: []string{cmp.Or(d.Problem.Remedy, "softdelete_exporter check-config --connect")},
			})
		case d.Skipped > 0:
			add(Recommendation{
				Kind: Configure, Urgency: softdelete.Good, Database: d.Name,
				Title:    fmt.Sprintf("Watch the other %s of database %s, too.", softdelete.Plural(d.Skipped, "table"), d.Name),
				Reason:   "It has more tables with soft delete than the exporter may watch.",
				Gain:     Gain{Text: "None goes unseen."},
				Remedies: []string{fmt.Sprintf("discovery:\n  max_tables: %d", len(d.Tables)+d.Skipped)},
			})
		}
	}
	if len(a.Tables) == 0 && !a.Taken.IsZero() {
		add(Recommendation{
			Kind: Configure, Urgency: softdelete.Good,
			Title: "Tell the exporter which tables use soft delete.",
			Reason: "It found none: no table has a column whose name and type it knows to mark deleted rows, or the role may " +
				"not see them.",
			Gain: Gain{Text: "There is something to report on."},
			Remedies: []string{
				"tables:\n  - schema: public\n    table: customers\n    column: deleted_at",
				"softdelete_exporter check-config --connect",
			},
		})
	}
}
