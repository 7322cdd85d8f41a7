package softdelete

import "time"

// Method says how a table was counted: the least certain method, if several were used.
type Method string

// The methods of counting, most certain first.
const (
	Exact      Method = "exact"      // one read of the whole relation
	Sampled    Method = "sampled"    // a stratified random sample of its blocks
	Statistics Method = "statistics" // what ANALYZE left in the catalogs; no row is read
)

// Auto leaves the choice of the method to the size of the table.
const Auto Method = "auto"

// Methods are the methods that can be configured for a table.
var Methods = []Method{Auto, Exact, Sampled, Statistics}

// Drawn are the blocks of a table that were sampled. A Snapshot carries them to the
// next refresh, which renews an eighth of them: so differences between refreshes are
// differences of the same blocks. Only inspect uses its content.
type Drawn interface{ Len() int }

// Counting is what the counting of a table keeps for the next refresh. It is never
// changed once it is part of a Snapshot.
type Counting struct {
	// Fingerprint tells, by comparison with a later one, whether the table may have
	// changed since the count; empty when it cannot. Writes is the number of rows that
	// had been written by then, which orders what changed most.
	Fingerprint string
	Writes      int64
	// NextChange is when time alone changes a number next: a row becomes old, or a
	// deletion in the future comes to pass. Zero when nothing will, or nobody knows.
	NextChange time.Time
	// TooLarge is until when the table is sampled because an exact count took too long.
	TooLarge time.Time
	// Blocks is the last sample; nil when there was none.
	Blocks Drawn
	// Proofs are what the planner answered about the table's relations, for a day.
	Proofs map[Asked]Proof
}

// Asked is a question about a relation.
type Asked struct {
	Relation uint32
	Question string
}

// Proof is what the planner answered; unsound too when the question took too long.
type Proof struct {
	At time.Time
	// Index is the name of the index that answers the question, where one must.
	Index string
	// Sound means that the plan has the shape that bounds its cost.
	Sound bool
}

// Kept is what is kept of the last count; the zero value when there was none.
func (t *Table) Kept() Counting {
	if t.Counting == nil {
		return Counting{}
	}
	return *t.Counting
}

// turn is when the table last had its turn: when it was last known true, or tried.
func (t *Table) turn() time.Time {
	if t.Tried.After(t.Checked) {
		return t.Tried
	}
	return t.Checked
}

// Urgency orders the tables that wait for a count: the longer ago its last turn and
// the more of it was written since, the sooner. How much was written weighs no more
// than a factor of four, so that every table's turn comes.
func (t *Table) Urgency(now time.Time, writes int64) float64 {
	const never = 100 * 365 * 24 * time.Hour
	age := never
	if turn := t.turn(); !turn.IsZero() {
		age = now.Sub(turn)
	}
	changed := 1.0
	if t.Numbers != nil {
		changed = float64(max(writes-t.Kept().Writes, 0)) / max(t.Numbers.Total.Value, 1)
	}
	return age.Seconds() * (1 + 3*min(changed, 1))
}

// Confirm notes that the table did not change since it was counted.
func (t *Table) Confirm(now time.Time) {
	t.Checked, t.Waiting = now, false
}

// KnowsRecent reports whether recent deletions can be told: the markers keep instants.
// A day is too coarse for that, and a local time whose zone was only assumed may be
// hours off.
func (t *Table) KnowsRecent() bool {
	for _, m := range t.Markers {
		switch {
		case !m.Time.Known() || m.Time.Type == Date:
			return false
		case m.Time.Type == LocalTimestamp && !t.Policy.ZoneKnown:
			return false
		}
	}
	return len(t.Markers) > 0 && t.Policy.Recent > 0
}
