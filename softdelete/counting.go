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

// Drawn are the sampled blocks of a table. A Snapshot passes them to the next refresh, which replaces an eighth of
// them. So differences between refreshes mostly come from the same blocks. Only inspect uses its content.
type Drawn interface{ Len() int }

// Counting is what a count keeps for the next refresh. It does not change once it is part of a Snapshot.
type Counting struct {
	// Fingerprint changes if the table may have changed since the count; empty if that cannot be known. Writes is
	// the number of rows that had been written by then; it orders tables by how much they have changed.
	Fingerprint string
	Writes      int64
	// NextChange is when time alone next changes a number: a row becomes old, or a deletion in the future becomes
	// due. Zero if never, or if unknown.
	NextChange time.Time
	// TooLarge is until when the table is sampled because an exact count took too long.
	TooLarge time.Time
	// Blocks is the last sample; nil if there was none.
	Blocks Drawn
	// Proofs are the planner's answers about the table's relations; each is kept for a day.
	Proofs map[Asked]Proof
}

// Asked is a question about a relation.
type Asked struct {
	Relation uint32
	Question string
}

// Proof is the planner's answer. A query that took too long is recorded as not sound.
type Proof struct {
	At time.Time
	// Index is the index that answers the question, if one is needed.
	Index string
	// Sound is true if the form of the plan limits its cost.
	Sound bool
}

// Kept returns what the last count has kept; the zero value if there was none.
func (t *Table) Kept() Counting {
	if t.Counting == nil {
		return Counting{}
	}
	return *t.Counting
}

// turn returns when the table last had its turn: when it was last confirmed, or tried.
func (t *Table) turn() time.Time {
	if t.Tried.After(t.Checked) {
		return t.Tried
	}
	return t.Checked
}

// Urgency orders the tables that wait for a count: tables whose last turn is longer ago, and to which more was
// written since, come first. Writes count for at most a factor of four, so that every table gets its turn.
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

// Confirm records that the table has not changed since it was counted.
func (t *Table) Confirm(now time.Time) {
	t.Checked, t.Waiting = now, false
}

// KnowsRecent reports whether recent deletions can be determined: the markers have instants. A day is not precise
// enough, and a local time whose zone is only assumed may be wrong by hours.
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
