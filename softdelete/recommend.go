package softdelete

import (
	"cmp"
	"fmt"
	"slices"
)

// Recommendation is one thing to do, for a person to weigh. We do none of them.
type Recommendation struct {
	Kind RecommendationKind
	// Urgency is the verdict that it would mend.
	Urgency Health
	// Database is empty for what is about the server; Table is nil for what is about
	// more than one table.
	Database string
	Table    *TableHealth
	// Title says in one sentence what to do, Reason why.
	Title, Reason string
	Gain          Gain
	// Advice is what to do about an index, whose steps queries writes as SQL; nil for
	// the other kinds. So does it the batches of a Purge.
	Advice *Advice
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
)

// Gain is what is to be expected.
type Gain struct {
	Text string
	// Rows and Bytes put it in numbers; 0 where they are not the point.
	Rows, Bytes int64
	// Estimated tells that the numbers come from samples, sizes or statistics.
	Estimated bool
}

// recommend says what to do, the most urgent first, and in the order of the tables
// what is of one urgency.
func (a *Assessment) recommend() {
	a.recommendForServer()
	a.recommendAccess()
	for i := range a.Tables {
		t := &a.Tables[i]
		indexes := t.recommendIndexes()
		// A purge goes better with its index: that comes first.
		slices.SortStableFunc(indexes, func(a, b Recommendation) int {
			return cmp.Compare(b.Urgency, a.Urgency)
		})
		a.Recommendations = append(a.Recommendations, indexes...)
		a.Recommendations = append(a.Recommendations, t.recommendCleanup()...)
	}
	slices.SortStableFunc(a.Recommendations, func(a, b Recommendation) int {
		return cmp.Compare(b.rank(), a.rank())
	})
}

// rank is the urgency, but for an index that a purge of the same table waits for.
func (r Recommendation) rank() Health {
	if r.Advice != nil && r.Advice.Purpose == Purge && r.Table.Rows.Health == Poor {
		return Poor
	}
	return r.Urgency
}

func (a *Assessment) recommendForServer() {
	add := func(r Recommendation) { a.Recommendations = append(a.Recommendations, r) }
	switch a.Connection.Status {
	case Unhealthy:
		add(Recommendation{
			Kind: FixConnection, Urgency: Poor,
			Title:    "Bring back the connection.",
			Reason:   "The server does not answer: " + a.Connection.Ping.Err + ".",
			Gain:     Gain{Text: "Everything below is as of the last time it did, if there was one."},
			Remedies: []string{"Check that the server runs, that DATA_SOURCE_NAME names it, and that pg_hba.conf lets the role in."},
		})
	case Slow:
		add(Recommendation{
			Kind: FixConnection, Urgency: Fair,
			Title:    "Find out why the server answers slowly.",
			Reason:   fmt.Sprintf("A SELECT 1 on an open connection took %.0f ms; it takes 1 ms where neither the server nor the network is in trouble.", a.Connection.Ping.Milliseconds()),
			Gain:     Gain{Text: "Every query of every application waits as long."},
			Remedies: []string{"Look at the load of the server, at pg_stat_activity, and at the network in between."},
		})
	}
	for _, d := range a.Databases {
		switch {
		case a.Connection.Ping.Up && !a.Taken.IsZero() && !(d.Checks.Connect && d.Checks.Discovery):
			add(Recommendation{
				Kind: FixAccess, Urgency: Unknown, Database: d.Name,
				Title:    "Let the exporter look into database " + d.Name + ".",
				Reason:   "The last refresh could not connect to it, or not read its catalogs.",
				Gain:     Gain{Text: "Its tables are watched."},
				Remedies: []string{"softdelete_exporter check-config --connect"},
			})
		case d.Skipped > 0:
			add(Recommendation{
				Kind: Configure, Urgency: Good, Database: d.Name,
				Title:    fmt.Sprintf("Watch the other %s of database %s, too.", plural(d.Skipped, "table"), d.Name),
				Reason:   "It has more tables with soft delete than the exporter may watch.",
				Gain:     Gain{Text: "None goes unseen."},
				Remedies: []string{fmt.Sprintf("discovery:\n  max_tables: %d", len(d.Tables)+d.Skipped)},
			})
		}
	}
	if len(a.Tables) == 0 && !a.Taken.IsZero() {
		add(Recommendation{
			Kind: Configure, Urgency: Good,
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
		reason   Reason
	}
	at := map[group]int{}
	for i := range a.Tables {
		t := &a.Tables[i]
		if t.Problem == nil {
			continue
		}
		key := group{t.Database, t.Problem.Reason}
		n, known := at[key]
		if !known {
			n = len(a.Recommendations)
			at[key] = n
			a.Recommendations = append(a.Recommendations, Recommendation{
				Kind: FixAccess, Urgency: Unknown, Database: t.Database, Table: t,
				Title:  "Let " + t.FullName() + " be read.",
				Reason: fmt.Sprintf("It could not be counted (%s): %s.", problemWords[t.Problem.Reason], t.Problem.Message),
				Gain:   Gain{Text: "Its state is known."},
			})
		} else {
			a.Recommendations[n].Table = nil
			a.Recommendations[n].Gain.Rows++
		}
		if t.Problem.Remedy != "" && !slices.Contains(a.Recommendations[n].Remedies, t.Problem.Remedy) {
			a.Recommendations[n].Remedies = append(a.Recommendations[n].Remedies, t.Problem.Remedy)
		}
	}
	for _, n := range at {
		r := &a.Recommendations[n]
		if r.Table == nil {
			r.Title = fmt.Sprintf("Let %s of database %s be read.", plural(int(r.Gain.Rows)+1, "table"), r.Database)
			r.Gain = Gain{Text: "Their state is known."}
		}
		if len(r.Remedies) == 0 {
			r.Remedies = []string{"softdelete_exporter check-config --connect"}
		}
	}
}
