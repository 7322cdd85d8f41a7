package assess

import (
	"fmt"
	"slices"

	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// recommendAccess says once per database and reason what lets tables be read.
func (a *Assessment) recommendAccess() {
	type group struct {
		database string
		reason   softdelete.Reason
	}
	var order []group
	tables := map[group][]*TableHealth{}
	for i := range a.Tables {
		if t := &a.Tables[i]; t.Problem != nil {
			key := group{t.Database, t.Problem.Reason}
			if tables[key] == nil {
				order = append(order, key)
			}
			tables[key] = append(tables[key], t)
		}
	}
	for _, key := range order {
		a.Recommendations = append(a.Recommendations, access(key.database, key.reason, tables[key]))
	}
}

// access is the recommendation for the tables that one reason keeps from being read.
func access(database string, reason softdelete.Reason, tables []*TableHealth) Recommendation {
	r := Recommendation{Kind: FixAccess, Urgency: softdelete.Unknown, Database: database}
	message := tables[0].Problem.Message
	if len(tables) == 1 {
		r.Table = tables[0]
		r.Title = "Let " + r.Table.FullName() + " be read."
		r.Reason = fmt.Sprintf("It could not be counted (%s): %s.", problemWords[reason], message)
		r.Gain.Text = "Its state is known."
	} else {
		r.Title = fmt.Sprintf("Let %s of database %s be read.", softdelete.Plural(len(tables), "table"), database)
		r.Reason = fmt.Sprintf("They could not be counted (%s). The first, %s: %s.", problemWords[reason],
			tables[0].FullName(), message)
		r.Gain.Text = "Their state is known."
	}
	for _, t := range tables {
		remedy := t.Problem.Remedy
		if remedy == "" && reason == softdelete.TimedOut {
			remedy = "limits:\n  statement_timeout: 5s"
		}
		if remedy != "" && !slices.Contains(r.Remedies, remedy) {
			r.Remedies = append(r.Remedies, remedy)
		}
	}
	if reason == softdelete.Locked {
		r.Notes = []string{"It is tried again at each refresh, and heals when the lock is gone. Where it stays, pg_locks " +
			"tells who holds it."}
	}
	if len(r.Remedies) == 0 {
		r.Remedies = []string{"softdelete_exporter check-config --connect"}
	}
	return r
}
