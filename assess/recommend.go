package assess

import (
	"cmp"
	"math"
	"slices"

	"github.com/softdelete-exporter/softdelete_exporter/indexes"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// Recommendation is one thing that a person could do. The exporter never does it by itself.
type Recommendation struct {
	Kind RecommendationKind
	// Urgency is the verdict that it would improve.
	Urgency softdelete.Health
	// Database is empty if the recommendation is about the server. Table is nil if it is about more than one
	// table.
	Database string
	Table    *TableHealth
	// Title is a sentence that says what to do, Reason says why.
	Title, Reason string
	Gain          Gain
	// Advice is what to do about an index; nil for the other kinds. Package queries writes its steps, and the
	// script of a purge, as SQL.
	Advice *indexes.Advice
	// Contradiction is what FixIntegrity is about; nil for the other kinds. Package queries writes the
	// statement that shows its rows.
	Contradiction *softdelete.Contradiction
	// Locked is true for a FixAccess of tables that are locked. Package queries writes the statement that shows who holds
	// the locks.
	Locked bool
	// Withheld says why a PurgeRows has no statement; empty if it has one.
	Withheld []string
	// Remedies are the settings to change, or the commands and statements to run, if neither Advice,
	// Contradiction nor Locked gives them.
	Remedies []string
	// Notes say what to know before: what it costs, and what it does not do.
	Notes []string
	// Source is a page of PostgreSQL's documentation; empty if there is none.
	Source string
}

// RecommendationKind says what a Recommendation is about, one of a short list.
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

// Gain is the expected benefit.
type Gain struct {
	Text string
	// Rows and Bytes are the benefit in numbers; 0 if it cannot be expressed that way.
	Rows, Bytes int64
	// Estimated is true if the numbers come from samples, sizes or statistics.
	Estimated bool
}

// recommend makes the recommendations, most urgent first. Equally urgent ones are ordered by scope, then by won. The
// rest keep the order of the tables.
func (a *Assessment) recommend() {
	a.recommendForServer()
	a.recommendAccess()
	a.recommendRetention()
	watched := map[string]bool{}
	for i := range a.Tables {
		watched[a.Tables[i].Database+" "+a.Tables[i].FullName()] = true
	}
	for i := range a.Tables {
		t := &a.Tables[i]
		indexes := t.recommendIndexes()
		// A purge is faster with its index, so the index comes first.
		slices.SortStableFunc(indexes, func(a, b Recommendation) int {
			return cmp.Compare(b.Urgency, a.Urgency)
		})
		a.Recommendations = append(a.Recommendations, indexes...)
		if t.purgePaysOff() {
			a.Recommendations = append(a.Recommendations, t.purge(watched))
		}
		a.Recommendations = append(a.Recommendations, t.recommendIntegrity()...)
		a.Recommendations = append(a.Recommendations, t.recommendValues()...)
		a.Recommendations = append(a.Recommendations, t.recommendDecider()...)
	}
	slices.SortStableFunc(a.Recommendations, func(a, b Recommendation) int {
		return cmp.Or(cmp.Compare(b.rank(), a.rank()), cmp.Compare(a.scope(), b.scope()), cmp.Compare(b.won(), a.won()))
	})
}

// rank is the urgency. An index that a purge of the same table needs has the purge's urgency.
func (r Recommendation) rank() softdelete.Health {
	if r.servesPurge() && r.Table.purgePaysOff() {
		return max(r.Urgency, r.Table.Rows.Health)
	}
	return r.Urgency
}

// servesPurge reports whether it is an index that a purge of the table needs.
func (r Recommendation) servesPurge() bool {
	return r.Advice != nil && (r.Advice.Purpose == indexes.Purge || r.Advice.Purpose == indexes.References)
}

// won orders indexes by their gain, after everything that is not an index. The index of a purge stays before
// the purge.
func (r Recommendation) won() int64 {
	if r.Advice == nil || r.servesPurge() {
		return math.MaxInt64
	}
	return r.Gain.Bytes
}

// scope puts recommendations about the server before those about tables. Among tables, an index that lets
// wrong data in comes first, and questions about retention and integrity come last.
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
