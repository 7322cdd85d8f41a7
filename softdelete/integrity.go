package softdelete

import (
	"fmt"
	"slices"
	"time"
)

// Check is one integrity check of a table and its result: rows that contradict their own marker, or live rows that
// reference deleted ones. It does not change once it is part of a Snapshot.
type Check struct {
	// Constraint is the foreign key to check, and Key says what it compares. The check of the table's own rows has
	// neither.
	Constraint string
	Key        *Reference
	// Found is nil if nothing is known.
	Found *Found
	// At is when the result was last confirmed.
	At time.Time
	// Problem is why the check could not be made, or would cost too much; nil if it was made.
	Problem *Problem
	// RetryAt is the earliest time of the next attempt after one that took too long.
	RetryAt time.Time
	// Waiting is true if the last refresh ended before this check's turn.
	Waiting bool
	// Fingerprint changes if the result may have changed; empty if that cannot be known.
	Fingerprint string
	// Asked is when it was last tried, with or without a result.
	Asked time.Time
}

// Reference says how a foreign key references another watched table.
type Reference struct {
	// Schema, Name and Markers belong to the other table.
	Schema, Name string
	Markers      Markers
	// Columns[i] of the key references Referenced[i] of the other table, and Operators[i] compares the two.
	Columns, Referenced, Operators []string
}

// Parent returns the other table as schema.table.
func (r *Reference) Parent() string { return r.Schema + "." + r.Name }

// Found is the result of a check; nil means not applicable, or unknown.
type Found struct {
	// Inconsistent are rows whose flag and time disagree.
	Inconsistent *float64
	// Future are rows whose deletion time is in the future.
	Future *float64
	// Orphaned are live rows that reference a deleted one.
	Orphaned *float64
}

// Changing reports whether time alone can change the result.
func (f *Found) Changing() bool { return f.Future != nil && *f.Future > 0 }

// Pairs returns the markers whose flag and time can disagree.
func (ms Markers) Pairs() Markers {
	return slices.DeleteFunc(slices.Clone(ms), func(m Marker) bool { return m.Kind != Pair || m.Time == nil })
}

// KnowsFuture reports whether the exporter can tell that a deletion time is in the future. For this, it must know the
// clock of every time column. If the zone of a local time or a date is only assumed, the time may be wrong by hours.
func (t *Table) KnowsFuture() bool {
	timed := t.Markers.WithTime()
	return len(timed) > 0 && !slices.ContainsFunc(timed, func(m Marker) bool {
		local := m.Time.Type == LocalTimestamp || m.Time.Type == Date
		return !m.Time.Known() || local && !t.Policy.ZoneKnown
	})
}

// WithTime returns the markers that have a deletion time.
func (ms Markers) WithTime() Markers {
	return slices.DeleteFunc(slices.Clone(ms), func(m Marker) bool { return m.Time == nil })
}

// CanContradict reports whether rows of the table can contradict their own marker in a way that can be found.
func (t *Table) CanContradict() bool { return len(t.Markers.Pairs()) > 0 || t.KnowsFuture() }

// Check returns the table's check of a foreign key, or of its own rows if constraint is empty. It returns the zero
// value if there is no such check.
func (t *Table) Check(constraint string) Check {
	for _, c := range t.Integrity {
		if c.Constraint == constraint {
			return c
		}
	}
	return Check{}
}

// outdated reports whether the result is too old to be shown.
func (c Check) outdated(now time.Time, maxStale time.Duration) bool {
	return c.Found != nil && !c.Waiting && now.Sub(c.At) > maxStale
}

// ContradictionKind says how rows contradict the soft delete of their table.
type ContradictionKind string

// The kinds of contradiction.
const (
	Inconsistent ContradictionKind = "inconsistent" // flag and time disagree
	Future       ContradictionKind = "future"       // deleted later than now
	Orphaned     ContradictionKind = "orphaned"     // live, and references a deleted row
)

// Contradiction is what is wrong with some rows of a table.
type Contradiction struct {
	Kind ContradictionKind
	Rows float64
	// Check is the check that found them.
	Check Check
}

// Contradictions returns what the checks have found, in their order.
func (t *Table) Contradictions() []Contradiction {
	var all []Contradiction
	for _, c := range t.Integrity {
		if c.Found == nil {
			continue
		}
		for _, found := range []struct {
			kind ContradictionKind
			rows *float64
		}{{Inconsistent, c.Found.Inconsistent}, {Future, c.Found.Future}, {Orphaned, c.Found.Orphaned}} {
			if found.rows != nil && *found.rows > 0 {
				all = append(all, Contradiction{found.kind, *found.rows, c})
			}
		}
	}
	return all
}

// String says in a few words what is wrong.
func (c Contradiction) String() string {
	n := int(c.Rows)
	switch c.Kind {
	case Inconsistent:
		return Plural(n, "row") + " whose flag and deletion time disagree"
	case Future:
		return Plural(n, "row") + " deleted in the future"
	default:
		return fmt.Sprintf("%s whose parent in %s is deleted, by %s", Plural(n, "live row"), c.Check.Key.Parent(),
			c.Check.Constraint)
	}
}

// Unchecked says in a few words what could not be checked.
func (c Check) Unchecked() string {
	if c.Constraint != "" {
		return "foreign key " + c.Constraint + " not checked"
	}
	return "rows not checked"
}
