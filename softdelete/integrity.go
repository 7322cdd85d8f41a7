package softdelete

import (
	"slices"
	"time"
)

// Check is one question about the integrity of a table, and what it found: rows that
// contradict their own marker, or live rows that reference deleted ones. It is never
// changed once it is part of a Snapshot.
type Check struct {
	// Constraint is the foreign key whose rows are asked for, and Parent the table that
	// it references, as schema.table. Both are empty for the question about the table's
	// own rows.
	Constraint, Parent string
	// Found is nil while nothing is known.
	Found *Found
	// At is when it was last known true.
	At time.Time
	// Problem is why it could not be asked, or not at that price; nil if it could.
	Problem *Problem
	// RetryAt is the earliest time to ask again after it took too long.
	RetryAt time.Time
	// Waiting tells that the last pass ended before its turn came.
	Waiting bool
	// Fingerprint tells, by comparison with a later one, whether the answer may have
	// changed; empty when it cannot.
	Fingerprint string
	// Asked is when it was last asked, with or without an answer.
	Asked time.Time
}

// Found is what a check found; nil stands for what does not apply or is not known.
type Found struct {
	// Inconsistent are rows whose flag and time disagree.
	Inconsistent *float64
	// Future are rows that claim to have been deleted later than now.
	Future *float64
	// Orphaned are live rows that reference a deleted one.
	Orphaned *float64
}

// Changing tells that time alone may change what was found.
func (f *Found) Changing() bool { return f.Future != nil && *f.Future > 0 }

// Pairs are the markers whose flag and time can disagree.
func (ms Markers) Pairs() Markers {
	return slices.DeleteFunc(slices.Clone(ms), func(m Marker) bool { return m.Kind != Pair || m.Time == nil })
}

// KnowsFuture tells whether a deletion time can be told to lie in the future: the
// clock of every time that the markers keep is known. A local time, or a day, whose
// zone was only assumed may be hours off.
func (t *Table) KnowsFuture() bool {
	timed := t.Markers.WithTime()
	return len(timed) > 0 && !slices.ContainsFunc(timed, func(m Marker) bool {
		local := m.Time.Type == LocalTimestamp || m.Time.Type == Date
		return !m.Time.Known() || local && !t.Policy.ZoneKnown
	})
}

// WithTime are the markers that keep a time of deletion.
func (ms Markers) WithTime() Markers {
	return slices.DeleteFunc(slices.Clone(ms), func(m Marker) bool { return m.Time == nil })
}

// Contradictions tells whether rows of the table can contradict their own marker in a
// way that shows.
func (t *Table) Contradictions() bool { return len(t.Markers.Pairs()) > 0 || t.KnowsFuture() }

// Check finds the same question in an earlier state of the table; the zero value if it
// was not asked then.
func (t *Table) Check(constraint string) Check {
	for _, c := range t.Integrity {
		if c.Constraint == constraint {
			return c
		}
	}
	return Check{}
}

// outdated tells that what was found can no longer be believed.
func (c Check) outdated(now time.Time, maxStale time.Duration) bool {
	return c.Found != nil && !c.Waiting && now.Sub(c.At) > maxStale
}
