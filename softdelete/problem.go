package softdelete

import "time"

// Reason says why a table could not be read, one of a short list.
type Reason string

// The reasons of a problem.
const (
	PermissionDenied Reason = "permission_denied"
	RowSecurity      Reason = "row_security"
	Locked           Reason = "locked"
	TimedOut         Reason = "timeout"
	MarkerMissing    Reason = "marker_missing"
	MarkerUnclear    Reason = "marker_unclear"
	Unsupported      Reason = "unsupported"
	OtherError       Reason = "error"
	// TooLarge applies only to integrity checks, not to tables.
	TooLarge Reason = "too_large"
)

// Problem describes what went wrong with one table, for a person.
type Problem struct {
	Reason  Reason
	Message string
	// Remedy is what to do about it: a statement to run or a setting to change; empty if there is none.
	Remedy string
}

// patience is how often a table can fail in a row before it is paused.
const patience = 2

// longestPause is the longest pause for a table that keeps failing.
const longestPause = time.Hour

// Fail records that an attempt at now did not succeed. The last good numbers stay, unless it is no longer known what
// they mean. After the first two failures the next refresh tries again. Then the table is paused for 2, 4, 8 … times
// ttl, so that a table that always fails costs less each time. A passing problem, such as a lock, never causes a
// pause.
func (t *Table) Fail(p Problem, passing bool, now time.Time, ttl time.Duration) {
	t.Problem = &p
	if p.Reason == MarkerUnclear {
		t.Numbers, t.Counting, t.Purging = nil, nil, nil
	}
	t.Waiting, t.Tried = false, now
	t.RetryAt = time.Time{}
	if passing {
		return
	}
	t.Failures++
	if t.Failures > patience {
		pause := longestPause
		if doublings := t.Failures - patience; doublings < 16 {
			pause = min(pause, ttl<<doublings)
		}
		t.RetryAt = now.Add(pause)
	}
}

// Interrupt records that an attempt at now ended because the server went away. A restart ends all queries, so the
// first two in a row are not a problem of the table. More are: its count may be what crashes the server.
func (t *Table) Interrupt(p Problem, now time.Time, ttl time.Duration) {
	if t.Failures >= patience {
		t.Fail(p, false, now, ttl)
		return
	}
	t.Failures++
	t.Waiting, t.Tried = true, now
}

// Succeed records numbers that were counted at now.
func (t *Table) Succeed(n *Numbers, now time.Time) {
	t.Numbers, t.Counted, t.Checked, t.Tried = n, now, now, now
	t.Problem, t.Waiting, t.Failures, t.RetryAt = nil, false, 0, time.Time{}
}
