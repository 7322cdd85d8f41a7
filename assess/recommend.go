package assess

import (
	"cmp"
	"math"
	"slices"

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
	// Withheld is why no statement is given for a PurgeRows; empty if one is.
	Withheld []string
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
	watched := map[string]bool{}
	for i := range a.Tables {
		watched[a.Tables[i].Database+" "+a.Tables[i].FullName()] = true
	}
	for i := range a.Tables {
		t := &a.Tables[i]
		indexes := t.recommendIndexes()
		// A purge goes better with its index: that comes first.
		slices.SortStableFunc(indexes, func(a, b Recommendation) int {
			return cmp.Compare(b.Urgency, a.Urgency)
		})
		a.Recommendations = append(a.Recommendations, indexes...)
		if t.purgePaysOff() {
			a.Recommendations = append(a.Recommendations, t.purge(watched))
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
