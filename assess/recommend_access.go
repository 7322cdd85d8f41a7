package assess

import (
	"fmt"
	"slices"
	"strings"

	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// recommendAccess recommends, once per database and reason, how to make tables readable.
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

// access returns the recommendation for the tables that cannot be read for one reason.
func access(database string, reason softdelete.Reason, tables []*TableHealth) Recommendation {
	r := Recommendation{Kind: FixAccess, Urgency: softdelete.Unknown, Database: database}
	message := tables[0].Problem.Message
	if len(tables) == 1 {
		r.Table = tables[0]
		r.Title = "Make " + r.Table.FullName() + " readable."
		if reason == softdelete.MarkerUnclear {
			r.Title = "Say which rows of " + r.Table.FullName() + " are deleted."
		}
		r.Reason = fmt.Sprintf("It could not be counted (%s): %s.", problemWords[reason], message)
		r.Gain.Text = "The table gets numbers and a verdict."
	} else {
		r.Title = fmt.Sprintf("Make %s of database %s readable.", softdelete.Plural(len(tables), "table"), database)
		if reason == softdelete.MarkerUnclear {
			r.Title = fmt.Sprintf("Say which rows of %s of database %s are deleted.", softdelete.Plural(len(tables), "table"),
				database)
		}
		if name := tables[0].FullName(); !strings.HasPrefix(message, name) {
			message = name + ": " + message
		}
		r.Reason = fmt.Sprintf("They could not be counted (%s). The first: %s.", problemWords[reason], message)
		r.Gain.Text = "The tables get numbers and verdicts."
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
		r.Locked = true
		r.Notes = []string{"The exporter tries again at each refresh, and succeeds when the lock is gone. The statement " +
			"shows who holds it now, and what it runs: end a session only if it is stuck."}
	}
	if len(r.Remedies) == 0 && !r.Locked {
		r.Remedies = []string{"softdelete_exporter check-config --connect"}
	}
	return r
}
