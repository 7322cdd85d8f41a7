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

// longestPause is the longest pause for a table that keeps failing.
const longestPause = time.Hour

// Fail notes an attempt at now that did not succeed; the last good numbers stay, unless it
// is not known any more what they mean.
// The first two failures are tried again at the next refresh, then the table is
// left alone for 2, 4, 8 … times ttl: what fails every time should cost less each
// time. Passing trouble, such as a lock, never makes it pause.
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
	if t.Failures > 2 {
		pause := longestPause
		if doublings := t.Failures - 2; doublings < 16 {
			pause = min(pause, ttl<<doublings)
		}
		t.RetryAt = now.Add(pause)
	}
}

// Succeed records numbers that were counted at now.
func (t *Table) Succeed(n *Numbers, now time.Time) {
	t.Numbers, t.Counted, t.Checked, t.Tried = n, now, now, now
	t.Problem, t.Waiting, t.Failures, t.RetryAt = nil, false, 0, time.Time{}
}
