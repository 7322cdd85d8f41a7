// Package softdelete defines the facts: what a table that uses soft delete is, and what is known about it. It
// does no I/O and makes no judgements. Everything that the exporter knows about one server is a Snapshot:
// inspect makes it, cache keeps it, collector shows it, assess judges it.
package softdelete

import (
	"cmp"
	"math"
	"reflect"
	"slices"
	"strings"
	"time"
)

// Snapshot is what was known about one server at one moment. It is plain data, and never changes after it is
// published: a refresh makes a new one.
type Snapshot struct {
	// Taken is when the last refresh that could connect began; zero if none could.
	Taken time.Time
	// Databases are sorted by name.
	Databases []Database
}

// Empty returns the Snapshot before the first refresh: nothing is known, and no check has succeeded for the database
// in the connection string.
func Empty(datname string) *Snapshot {
	return &Snapshot{Databases: []Database{{Name: datname}}}
}

// Database is what is known about one database of the server.
type Database struct {
	Name   string
	Checks Checks
	// Problem says why the last refresh could not read the database; nil if it could. It says nothing about the
	// tables, which keep their last results.
	Problem *Problem
	// Skipped counts the watched tables beyond the cap, which are left out.
	Skipped int
	// Tables has every watched table, sorted by schema and name; nil before the first discovery of the
	// database.
	Tables []Table
	// Candidates are some of the columns that may mark deleted rows but that no rule matches. They are set only
	// if no table is watched.
	Candidates []Candidate
	// ColumnFacts is what is known about columns beyond their catalog rows.
	ColumnFacts map[ColumnID]ColumnFacts
	// Repeated are the questions about the whole database that a refresh asked. The next one asks them, too, all at
	// once.
	Repeated []string
	// Visit is when and under which circumstances the database was last read completely; nil if that cannot be
	// compared with those of the next refresh.
	Visit *Visit
}

// Visit says what a database looked like from outside when it was read.
type Visit struct {
	At time.Time
	// Activity changes whenever something is written to the database.
	Activity string
	// Reloads is the number of configurations that there were before.
	Reloads int
}

// Candidate is a column of a table that is not watched.
type Candidate struct {
	Schema, Table, Column string
	// Why says why no rule matches it, Remedy what to write into the configuration to watch it.
	Why, Remedy string
}

// Watched reports whether there is a watched table.
func (d *Database) Watched() bool { return len(d.Tables)+d.Skipped > 0 }

// OldestTurn returns when the table that has waited longest had its last turn, among the tables that may be
// counted now; zero if one of them never had a turn.
func (d Database) OldestTurn(now time.Time) time.Time {
	oldest := now
	for i := range d.Tables {
		if t := &d.Tables[i]; !now.Before(t.RetryAt) && t.turn().Before(oldest) {
			oldest = t.turn()
		}
	}
	return oldest
}

// Checks says which parts of the last refresh succeeded for a database. A Problem of a single table does not
// make a check fail.
type Checks struct {
	Connect, Discovery, Counting, Indexes bool
}

// Table is one watched table: what it is, its numbers, and how fresh they are. It has numbers or a problem, or it is
// pending.
type Table struct {
	Schema, Name string
	// OID is the relation's object identifier; 0 for a configured table that does not exist.
	OID uint32
	// Partitioned is true if the rows are in the table's partitions.
	Partitioned bool
	Markers     Markers
	Policy      Policy

	// Numbers is nil if nothing is known.
	Numbers *Numbers
	// Counted is when the numbers were last counted; Checked is when they were last counted or confirmed
	// unchanged.
	Counted, Checked time.Time
	// Indexing is nil if nothing is known about the table's indexes.
	Indexing *Indexing
	// Counting is what the next count needs from the last one; nil before the first count.
	Counting *Counting
	// Integrity are the checks of the table's rows; none if they are switched off.
	Integrity []Check
	// Purging is nil if nothing is known about a purge, or there is nothing to purge.
	Purging *Purging

	// Problem is nil if the last attempt succeeded, or if there was none.
	Problem *Problem
	// Waiting is true if the last refresh ended before this table's turn.
	Waiting bool
	// Failures counts the failed attempts in a row; RetryAt is the earliest time of the next attempt.
	Failures int
	RetryAt  time.Time
	// Tried is when the table was last counted, with or without success.
	Tried time.Time
}

// FullName returns schema and name, as patterns and people write it.
func (t *Table) FullName() string { return t.Schema + "." + t.Name }

// Policy is what the configuration says about a table, beyond its marker.
type Policy struct {
	// Service is the service that owns the table; empty if not configured.
	Service string
	// Retention is how long deleted rows should be kept; 0 for tables that are never purged, which then have no
	// old rows.
	Retention time.Duration
	// TimeZone is the zone of a time column without one, an IANA name.
	TimeZone string
	// ZoneKnown is true if the zone was configured, not just assumed.
	ZoneKnown bool
	// Recent is the window in which a deletion is recent.
	Recent time.Duration
	// Method is how to count the table.
	Method Method
	// Integrity switches on the checks of the table's rows.
	Integrity bool
}

// Numbers are the counts of one table at one moment.
type Numbers struct {
	Method Method
	// Rows by state; Active + Deleted = Total.
	Total, Active, Deleted Estimate
	// Ratio is deleted / total, from 0 to 1; 0 for an empty table.
	Ratio Estimate
	// Old are the rows deleted longer ago than the retention; nil if unknown.
	Old *Estimate
	// Recent are the rows deleted within the recent window, at most RecentLimit for a sampled table; nil if not
	// known exactly.
	Recent *Estimate
	// Oldest is the deletion time of the row deleted longest ago; zero if it is not known exactly, or no row is
	// deleted.
	Oldest time.Time
	// OldestSeen is the oldest deletion time in the sample of a table whose Oldest is not known: the oldest deletion
	// is this one or an earlier one. Zero if the sample has no deleted row.
	OldestSeen time.Time
	// Ages says when the deleted rows were deleted; nil if that is not known well enough to be shown.
	Ages *Ages
	// Agreements say, for each marker in turn, how often flag and time agree; nil for a marker that is not a pair, or
	// where it is unknown.
	Agreements []*Agreement
	// Unseen are the configured values that no row has. They are known only if every row was read.
	Unseen []string
	// DeletedBytes is the estimated size of the deleted rows in the heap; nil if unknown.
	DeletedBytes *float64
	// Duration is how long the last count took, from sending the query to the last row.
	Duration time.Duration
}

// RecentLimit is how many recent rows of a large table are counted at most.
const RecentLimit = 100_000

// AtLeast returns "at least " if counting the recent rows may have ended at the limit.
func (n *Numbers) AtLeast() string {
	if n.Recent != nil && n.Recent.Value == RecentLimit {
		return "at least "
	}
	return ""
}

// Estimate is a number and the distance to the farther end of its 95% confidence interval: 0 if it is exact,
// NoMargin if its error is unknown.
type Estimate struct {
	Value, Margin float64
}

// NoMargin is the margin of a number that is known from statistics only.
var NoMargin = math.Inf(1)

// Bounded reports whether the number has a margin.
func (e Estimate) Bounded() bool { return !math.IsInf(e.Margin, 0) && !math.IsNaN(e.Margin) }

// Low returns the lower end of the interval, which is never below 0.
func (e Estimate) Low() float64 { return max(0, e.Value-e.Margin) }

// High returns the upper end of the interval.
func (e Estimate) High() float64 { return e.Value + e.Margin }

// Exactly returns an estimate without error.
func Exactly(n int64) Estimate { return Estimate{Value: float64(n)} }

// ExactNumbers returns the numbers of a count of every row.
func ExactNumbers(total, deleted int64) *Numbers {
	n := &Numbers{Method: Exact, Total: Exactly(total), Active: Exactly(total - deleted), Deleted: Exactly(deleted)}
	if total > 0 {
		n.Ratio = Estimate{Value: float64(deleted) / float64(total)}
	}
	return n
}

// Bare returns the table with only its names, its policy and a problem, for a table about which nothing else
// can be said.
func (t *Table) Bare(p Problem) Table {
	return Table{Schema: t.Schema, Name: t.Name, OID: t.OID, Policy: t.Policy, Problem: &p}
}

// State is the state of a table in one word.
type State string

// The states of a table. They are disjoint.
const (
	Counted State = "counted"
	Pending State = "pending" // not counted yet, or carried over to the next refresh
	Failed  State = "failed"
)

// States are the states that a table can be in.
var States = []State{Counted, Pending, Failed}

// Compare orders tables by schema and name.
func (t *Table) Compare(other *Table) int {
	return cmp.Or(strings.Compare(t.Schema, other.Schema), strings.Compare(t.Name, other.Name))
}

// SameSubject reports whether the numbers of one table are valid for the other: both are the same relation,
// with the same definition of deleted and old rows.
func (t *Table) SameSubject(other *Table) bool {
	a, b := t.Policy, other.Policy
	a.Service, b.Service, a.Method, b.Method = "", "", "", ""
	a.Integrity, b.Integrity = false, false
	return t.OID == other.OID && a == b && reflect.DeepEqual(t.Markers, other.Markers)
}

// HasAges reports whether the table can have old rows: its markers have a deletion time, and it has a
// retention.
func (t *Table) HasAges() bool { return t.Markers.Timed() && t.Policy.Retention > 0 }

// State returns the state of the table.
func (t *Table) State() State {
	switch {
	case t.Problem != nil:
		return Failed
	case t.Waiting || t.Numbers == nil && t.Checked.IsZero():
		return Pending
	case t.Numbers == nil: // too old to be shown
		return Failed
	default:
		return Counted
	}
}

// Expire returns the snapshot without the numbers, indexes and checks that were last confirmed more than
// maxStale before now, or the same snapshot if there are none. A table that only waits for its turn keeps its
// numbers.
func (s *Snapshot) Expire(now time.Time, maxStale time.Duration) *Snapshot {
	old := func(t Table) bool { return t.Numbers != nil && !t.Waiting && now.Sub(t.Checked) > maxStale }
	unindexed := func(t Table) bool { return t.Indexing != nil && now.Sub(t.Indexing.At) > maxStale }
	unchecked := func(t Table) bool {
		return slices.ContainsFunc(t.Integrity, func(c Check) bool { return c.outdated(now, maxStale) })
	}
	stale := func(t Table) bool { return old(t) || unindexed(t) || unchecked(t) }
	if !slices.ContainsFunc(s.Databases, func(d Database) bool { return slices.ContainsFunc(d.Tables, stale) }) {
		return s
	}
	next := &Snapshot{Taken: s.Taken, Databases: slices.Clone(s.Databases)}
	for i := range next.Databases {
		d := &next.Databases[i]
		d.Tables = slices.Clone(d.Tables)
		for j := range d.Tables {
			if old(d.Tables[j]) {
				d.Tables[j].Numbers = nil
			}
			if unindexed(d.Tables[j]) {
				d.Tables[j].Indexing = nil
			}
			d.Tables[j].Integrity = slices.Clone(d.Tables[j].Integrity)
			for k, c := range d.Tables[j].Integrity {
				if c.outdated(now, maxStale) {
					d.Tables[j].Integrity[k].Found = nil
				}
			}
		}
	}
	return next
}
