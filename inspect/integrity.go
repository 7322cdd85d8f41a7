package inspect

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/go-kit/log/level"

	"github.com/softdelete-exporter/softdelete_exporter/postgres"
	"github.com/softdelete-exporter/softdelete_exporter/queries"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

const (
	// ownShare is the part of the refresh's time that is reserved for checks: otherwise counting could use all of
	// it. The check that has waited longest goes first.
	ownShare = 10
	// uncheckableFor is how long a check that took too long is paused, failedFor how long one that failed for another
	// reason.
	uncheckableFor = 24 * time.Hour
	failedFor      = time.Hour
	// manyPairs is how many pairs of partitions of two tables are compared at most.
	manyPairs = 1000
)

var (
	// errTooLarge: a check would read more than it may. errTooMany: it would need too many queries. errUnsized: it is
	// not known how much it would read.
	errTooLarge = errors.New("too large")
	errTooMany  = fmt.Errorf("the partitions of the two tables make more than %d pairs", manyPairs)
	errUnsized  = errors.New("not all of it is in ordinary tables, whose size shows what reading them costs")
)

// check is one integrity check of a table.
type check struct {
	softdelete.Check
	child *table
	// foreign is nil for the check of the table's own rows.
	foreign *foreignKey
	// refused is true if the role lacks a grant.
	refused bool
}

// found is the result of a check for one relation, or for all.
type found struct{ Bytes, Inconsistent, Future, Orphaned int64 }

// checkAll makes the checks of the tables that have them switched on. An error here does not affect the numbers of
// the table.
func (d *databaseRefresh) checkAll(ctx context.Context) {
	opted := slices.ContainsFunc(d.tables, func(t table) bool { return t.checkable() })
	if !opted || ctx.Err() != nil || d.session.Broken() && !d.reopen(ctx) {
		return
	}
	_, checks, err := d.refresh.findChecks(ctx, d.session, d.tables)
	if err != nil {
		d.refresh.warn(ctx, "cannot find out what to check", d.session.Database, err)
		return
	}
	slices.SortStableFunc(checks, func(a, b *check) int { return a.Asked.Compare(b.Asked) })
	deadline := time.Now().Add(d.refresh.config.Counting.PassTime.Std() / ownShare)
	if d.refresh.budget.deadline.After(deadline) {
		deadline = d.refresh.budget.deadline
	}
	for _, c := range checks {
		if ctx.Err() == nil && (!d.session.Broken() || d.reopen(ctx)) {
			err := d.refresh.catchStep(d.session, "check", c.child.Schema, c.child.Name, func() error {
				d.checkOne(ctx, c, deadline)
				return nil
			})
			if err != nil {
				why := postgres.Problem(err)
				c.Problem, c.Waiting, c.Asked, c.RetryAt = &why, false, d.refresh.began, d.refresh.began.Add(failedFor)
			}
		}
	}
	d.storeChecks(checks)
}

// checkable reports whether the rows of the table should be checked, and can be read.
func (t *table) checkable() bool {
	return t.Policy.Integrity && t.catalogProblem == nil && t.Problem == nil && len(t.partitions) > 0
}

// storeChecks gives each table its checks, sorted by constraint.
func (d *databaseRefresh) storeChecks(checks []*check) {
	for i := range d.tables {
		if d.tables[i].checkable() {
			d.tables[i].Integrity = nil
		}
	}
	slices.SortFunc(checks, func(a, b *check) int { return cmp.Compare(a.Constraint, b.Constraint) })
	for _, c := range checks {
		c.child.Integrity = append(c.child.Integrity, c.Check)
	}
}

// findChecks returns the checks with their last results, and the foreign keys of all tables that have checks switched
// on.
func (r *refresh) findChecks(ctx context.Context, s *postgres.Session, relations []table) (keys []foreignKey,
	checks []*check, err error) {
	for i := range relations {
		if t := &relations[i]; t.checkable() && t.CanContradict() {
			checks = append(checks, &check{Check: t.Check(""), child: t})
		}
	}
	keys, err = r.foreignKeys(ctx, s, relations)
	if err != nil {
		return nil, nil, err
	}
	for i := range keys {
		if k := &keys[i]; k.child.checkable() {
			c := check{Check: k.child.Check(k.Name), child: k.child, foreign: k}
			c.Constraint, c.Key = k.Name, k.reference()
			checks = append(checks, &c)
		}
	}
	return keys, checks, findRefused(ctx, s, checks)
}

// checkOne makes one check if it is due.
func (d *databaseRefresh) checkOne(ctx context.Context, c *check, deadline time.Time) {
	before := c.child.Check(c.Constraint).Problem
	switch {
	case c.refused:
		c.Waiting = false
	case c.foreign != nil && c.foreign.problem != nil:
		c.Problem, c.Waiting = c.foreign.problem, false
	case c.foreign != nil && c.foreign.parent.catalogProblem != nil:
		problem := c.foreign.parent.catalogProblem
		c.Problem, c.Waiting = &softdelete.Problem{Reason: problem.Reason,
			Message: fmt.Sprintf("%s, which it references, cannot be read: %s", c.Key.Parent(), problem.Message)}, false
	case d.refresh.began.Before(c.RetryAt):
		c.Waiting = false
	case c.holds(d):
		c.At, c.Waiting = time.Now(), false
		return
	default:
		c.ask(ctx, d, deadline)
	}
	if c.Problem != nil && (before == nil || before.Reason != c.Problem.Reason) {
		level.Warn(d.refresh.Logger).Log("msg", "cannot check the integrity of a table", "datname", d.session.Database,
			"schemaname", c.child.Schema, "relname", c.child.Name,
			"constraint", c.Constraint, "reason", c.Problem.Reason, "err", c.Problem.Message, "remedy", c.Problem.Remedy)
	}
}

// holds reports whether the last result is still valid.
func (c *check) holds(d *databaseRefresh) bool {
	print := c.fingerprint()
	return c.Found != nil && c.Problem == nil && !c.Found.Changing() && print != "" && print == c.Fingerprint &&
		d.refresh.began.Sub(c.Asked) < d.refresh.config.Counting.RecountAfter.Std()
}

// fingerprint returns the fingerprint of the check and of everything that it reads; empty if there is no proof.
func (c *check) fingerprint() string {
	read := []*table{c.child}
	if c.foreign != nil {
		read = append(read, c.foreign.parent)
	}
	question := []any{c.Key}
	for _, t := range read {
		if t.fingerprint == "" {
			return ""
		}
		question = append(question, t.Markers, t.Policy, t.fingerprint)
	}
	text, err := json.Marshal(question)
	if err != nil {
		return "" // there is no proof then
	}
	sum := sha256.Sum256(text)
	return string(sum[:])
}

// ask makes the check again and records its result, or why there is none.
func (c *check) ask(ctx context.Context, d *databaseRefresh, deadline time.Time) {
	var sum found
	began := time.Now()
	err := d.withRetry(ctx, func() (err error) {
		sum, err = c.askAll(ctx, d, deadline)
		return err
	})
	now := time.Now()
	if errors.Is(err, errSpent) || ctx.Err() != nil {
		c.Waiting = true
		if began.Before(deadline) {
			c.Asked = now // a check that does not fit goes to the end of the queue
		}
		return
	}
	if d.lostFor != nil {
		// It is repeated, but not soon: it may be what crashed the server.
		c.Asked, c.Waiting, c.RetryAt = now, true, d.refresh.began.Add(failedFor)
		return
	}
	c.Asked, c.Waiting, c.Problem, c.RetryAt = now, false, nil, time.Time{}
	switch {
	case err == nil:
		c.At, c.Fingerprint, c.Found = now, c.fingerprint(), c.found(sum)
	case errors.Is(err, errTooLarge):
		c.Found = nil
		c.Problem = &softdelete.Problem{Reason: softdelete.TooLarge,
			Message: fmt.Sprintf("it would read more than counting.exact_max_bytes (%s)",
				d.refresh.config.Counting.ExactMaxBytes)}
	case errors.Is(err, errTooMany):
		c.Found = nil
		c.Problem = &softdelete.Problem{Reason: softdelete.TooLarge, Message: err.Error()}
	case errors.Is(err, errUnsized):
		c.Found = nil
		c.Problem = &softdelete.Problem{Reason: softdelete.Unsupported, Message: err.Error()}
	case postgres.Code(err) == postgres.QueryCanceled:
		c.Found, c.RetryAt = nil, d.refresh.began.Add(uncheckableFor)
		c.Problem = &softdelete.Problem{Reason: softdelete.TimedOut,
			Message: fmt.Sprintf("it took longer than limits.statement_timeout (%s) and is not repeated for a day",
				d.refresh.config.Limits.StatementTimeout)}
	default:
		p := d.problem(ctx, err, c.child)
		c.Problem = &p
		if p.Reason != softdelete.Locked && !postgres.IsConflict(err) && !postgres.IsGone(err) {
			c.RetryAt = d.refresh.began.Add(failedFor)
		}
	}
}

// found returns the sum of the results, without those that do not apply.
func (c *check) found(sum found) *softdelete.Found {
	number := func(n int64) *float64 { f := float64(n); return &f }
	if c.foreign != nil {
		return &softdelete.Found{Orphaned: number(sum.Orphaned)}
	}
	f := &softdelete.Found{}
	if len(c.child.Markers.Pairs()) > 0 {
		f.Inconsistent = number(sum.Inconsistent)
	}
	if c.child.KnowsFuture() {
		f.Future = number(sum.Future)
	}
	return f
}

// askAll queries every relation that the check reads, each in a separate transaction, but only if all of them
// together are small enough.
func (c *check) askAll(ctx context.Context, d *databaseRefresh, deadline time.Time) (sum found, err error) {
	most := int64(d.refresh.config.Counting.ExactMaxBytes)
	questions, err := c.questions()
	if err != nil {
		return sum, err
	}
	limits := []int64{most}
	if len(questions) > 1 {
		limits = []int64{-1, most} // read the sizes first, so that nothing is read if the total is too large
	}
	for _, limit := range limits {
		sum = found{}
		for _, ask := range questions {
			if !time.Now().Before(deadline) {
				return sum, errSpent
			}
			found, err := ask(ctx, d.session, limit-sum.Bytes)
			if err != nil {
				return sum, err
			}
			sum.add(found)
			if sum.Bytes > most {
				return sum, errTooLarge
			}
		}
	}
	return sum, nil
}

func (f *found) add(o found) {
	f.Bytes += o.Bytes
	f.Inconsistent += o.Inconsistent
	f.Future += o.Future
	f.Orphaned += o.Orphaned
}

// question queries one relation, or two, unless they are larger than most bytes.
type question func(ctx context.Context, s *postgres.Session, most int64) (found, error)

// questions returns one question for each partition, or pair of partitions.
func (c *check) questions() ([]question, error) {
	children, err := c.child.heaps()
	if err != nil {
		return nil, err
	}
	var questions []question
	if c.foreign == nil {
		for _, l := range children {
			questions = append(questions, func(ctx context.Context, s *postgres.Session, most int64) (found, error) {
				rows, err := postgres.Query[struct{ Bytes, Inconsistent, Future int64 }](ctx, s, l.Contradictions(most))
				if err != nil {
					return found{}, fmt.Errorf("checking %s.%s: %w", l.Schema, l.Name, err)
				}
				return found{Bytes: rows[0].Bytes, Inconsistent: rows[0].Inconsistent, Future: rows[0].Future}, nil
			})
		}
		return questions, nil
	}
	parents, err := c.foreign.parent.heaps()
	if err != nil {
		return nil, err
	}
	if len(children)*len(parents) > manyPairs {
		return nil, errTooMany
	}
	for _, l := range children {
		for _, p := range parents {
			questions = append(questions, func(ctx context.Context, s *postgres.Session, most int64) (found, error) {
				rows, err := postgres.Query[struct{ Bytes, Orphaned int64 }](ctx, s, l.Orphans(p, c.Key, most))
				if err != nil {
					return found{}, fmt.Errorf("checking %s.%s against %s.%s: %w", l.Schema, l.Name, p.Schema, p.Name, err)
				}
				return found{Bytes: rows[0].Bytes, Orphaned: rows[0].Orphaned}, nil
			})
		}
	}
	return questions, nil
}

// heaps returns the partitions of a table as queries.Relation, if all of them are ordinary tables that are read
// separately.
func (t *table) heaps() ([]queries.Relation, error) {
	all := make([]queries.Relation, len(t.partitions))
	for i, l := range t.partitions {
		if !l.Heap {
			return nil, errUnsized
		}
		all[i] = queries.Relation{OID: l.OID, Schema: l.Schema, Name: l.Name, Table: &t.Table}
	}
	return all, nil
}
