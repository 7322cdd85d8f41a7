package assess

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/softdelete-exporter/softdelete_exporter/indexes"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// Recommendation is one thing to do, for a person to weigh. We do none of them.
type Recommendation struct {
	Kind RecommendationKind
	// Urgency is the verdict that it would mend.
	Urgency softdelete.Health
	// Database is empty for what is about the server; Table is nil for what is about
	// more than one table.
	Database string
	Table    *TableHealth
	// Title says in one sentence what to do, Reason why.
	Title, Reason string
	Gain          Gain
	// Advice is what to do about an index, whose steps queries writes as SQL; nil for
	// the other kinds. So does it the batches of a Purge.
	Advice *indexes.Advice
	// Contradiction is what FixIntegrity is about, of which queries shows the rows; nil
	// for the other kinds.
	Contradiction *softdelete.Contradiction
	// Remedies are the settings to change, or the commands and statements to run,
	// where neither says it.
	Remedies []string
	// Notes are what to know before: what it costs, and what it does not do.
	Notes []string
	// Source is a page of PostgreSQL's documentation; empty if there is none to name.
	Source string
}

// RecommendationKind is what a Recommendation is about, one of a short list.
type RecommendationKind string

// The kinds of recommendation.
const (
	FixConnection RecommendationKind = "connection"
	FixAccess     RecommendationKind = "access"
	Configure     RecommendationKind = "configuration"
	PurgeRows     RecommendationKind = "purge"
	FixRetention  RecommendationKind = "retention"
	FixIndex      RecommendationKind = "index"
	FixIntegrity  RecommendationKind = "integrity"
)

// Gain is what is to be expected.
type Gain struct {
	Text string
	// Rows and Bytes put it in numbers; 0 where they are not the point.
	Rows, Bytes int64
	// Estimated tells that the numbers come from samples, sizes or statistics.
	Estimated bool
}

// recommend says what to do, the most urgent first; of one urgency what the data itself
// suffers from before what it weighs, then in the order of the tables, and what to index
// last, by what is won.
func (a *Assessment) recommend() {
	a.recommendForServer()
	a.recommendAccess()
	a.recommendRetention()
	for i := range a.Tables {
		t := &a.Tables[i]
		indexes := t.recommendIndexes()
		// A purge goes better with its index: that comes first.
		slices.SortStableFunc(indexes, func(a, b Recommendation) int {
			return cmp.Compare(b.Urgency, a.Urgency)
		})
		a.Recommendations = append(a.Recommendations, indexes...)
		if t.purgePaysOff() {
			a.Recommendations = append(a.Recommendations, t.purge())
		}
		a.Recommendations = append(a.Recommendations, t.recommendIntegrity()...)
	}
	slices.SortStableFunc(a.Recommendations, func(a, b Recommendation) int {
		return cmp.Or(cmp.Compare(b.rank(), a.rank()), cmp.Compare(a.scope(), b.scope()), cmp.Compare(b.won(), a.won()))
	})
}

// rank is the urgency; that of an index which a purge of the same table waits for is
// the purge's.
func (r Recommendation) rank() softdelete.Health {
	if r.Advice != nil && r.Advice.Purpose == indexes.Purge && r.Table.purgePaysOff() {
		return max(r.Urgency, r.Table.Rows.Health)
	}
	return r.Urgency
}

// won puts indexes into the order of what they win, behind what is no index. That of a
// purge stays in front of the purge.
func (r Recommendation) won() int64 {
	if r.Advice == nil || r.Advice.Purpose == indexes.Purge {
		return math.MaxInt64
	}
	return r.Gain.Bytes
}

// scope puts what is about the server before what is about its tables, of that wrong
// data that are being written before all else, and last what only asks.
func (r Recommendation) scope() int {
	switch {
	case r.Kind == FixConnection || r.Kind == FixAccess || r.Kind == Configure:
		return 0
	case r.Advice != nil && r.Advice.Problem == indexes.UniqueAllowsLiveDuplicate:
		return 1
	case r.Kind == FixRetention || r.Kind == FixIntegrity:
		return 3
	default:
		return 2
	}
}

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
			Notes:    []string{"See that the server runs, that DATA_SOURCE_NAME names it, and that pg_hba.conf lets the role in."},
		})
	case Slow:
		add(Recommendation{
			Kind: FixConnection, Urgency: softdelete.Fair,
			Title:    "Find out why the server answers slowly.",
			Reason:   fmt.Sprintf("A SELECT 1 on an open connection took %.0f ms; it takes 1 ms where neither the server nor the network is in trouble.", a.Connection.Ping.Milliseconds()),
			Gain:     Gain{Text: "Every query of every application waits less."},
			Remedies: []string{`psql "$DATA_SOURCE_NAME" -c '\timing on' -c 'SELECT 1' -c 'SELECT 1'`},
			Notes:    []string{"On the server itself the same shows whether it is the network. If not, pg_stat_activity shows what keeps it busy."},
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
			Title:  "Tell the exporter which tables use soft delete.",
			Reason: "It found none: no table has a column whose name and type it knows to mark deleted rows, or the role may not see them.",
			Gain:   Gain{Text: "There is something to report on."},
			Remedies: []string{
				"tables:\n  - schema: public\n    table: customers\n    column: deleted_at",
				"softdelete_exporter check-config --connect",
			},
		})
	}
}

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
		r.Reason = fmt.Sprintf("They could not be counted (%s). The first, %s: %s.", problemWords[reason], tables[0].FullName(), message)
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
		r.Notes = []string{"It is tried again at each refresh, and heals when the lock is gone. Where it stays, pg_locks tells who holds it."}
	}
	if len(r.Remedies) == 0 {
		r.Remedies = []string{"softdelete_exporter check-config --connect"}
	}
	return r
}
