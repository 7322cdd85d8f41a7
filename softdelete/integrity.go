package softdelete

import (
	"fmt"
	"slices"
	"time"
)

// Check is one question about the integrity of a table, and what it found: rows that
// contradict their own marker, or live rows that reference deleted ones. It is never
// changed once it is part of a Snapshot.
type Check struct {
	// Constraint is the foreign key whose rows are asked for, and Key what it compares;
	// empty and nil for the question about the table's own rows.
	Constraint string
	Key        *Reference
	// Found is nil while nothing is known.
	Found *Found
	// At is when it was last known true.
	At time.Time
	// Problem is why it could not be asked, or not at that price; nil if it could.
	Problem *Problem
	// RetryAt is the earliest time to ask again after it took too long.
	RetryAt time.Time
	// Waiting means that the last refresh ended before its turn came.
	Waiting bool
	// Fingerprint tells, by comparison with a later one, whether the answer may have
	// changed; empty when it cannot.
	Fingerprint string
	// Asked is when it was last asked, with or without an answer.
	Asked time.Time
}

// Reference is how a foreign key references another watched table.
type Reference struct {
	// Schema, Name and Markers are those of the other table.
	Schema, Name string
	Markers      Markers
	// Columns are those of the key, Referenced the other table's, and Operators compare
	// a referenced column with its own; all in parallel.
	Columns, Referenced, Operators []string
}

// Parent is the other table, as schema.table.
func (r *Reference) Parent() string { return r.Schema + "." + r.Name }

// Found is what a check found; nil stands for what does not apply or is not known.
type Found struct {
	// Inconsistent are rows whose flag and time disagree.
	Inconsistent *float64
	// Future are rows that claim to have been deleted later than now.
	Future *float64
	// Orphaned are live rows that reference a deleted one.
	Orphaned *float64
}

// Changing means that time alone may change what was found.
func (f *Found) Changing() bool { return f.Future != nil && *f.Future > 0 }

// Pairs are the markers whose flag and time can disagree.
func (ms Markers) Pairs() Markers {
	return slices.DeleteFunc(slices.Clone(ms), func(m Marker) bool { return m.Kind != Pair || m.Time == nil })
}

// KnowsFuture reports whether a deletion time can be told to lie in the future: the
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

// CanContradict reports whether rows of the table can contradict their own marker in a
// way that shows.
func (t *Table) CanContradict() bool { return len(t.Markers.Pairs()) > 0 || t.KnowsFuture() }

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

// outdated means that what was found can no longer be believed.
func (c Check) outdated(now time.Time, maxStale time.Duration) bool {
	return c.Found != nil && !c.Waiting && now.Sub(c.At) > maxStale
}

// ContradictionKind is how rows contradict the soft delete of their table.
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
	// Check is the one that found them.
	Check Check
}

// Contradictions are what the checks found wrong, in their order.
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
