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
	// ownShare is the part of the pass's time that is the checks' own: else they would
	// starve where counting spends all of it. The one that waits longest goes first.
	ownShare = 10
	// uncheckableFor is how long a check is left alone that took too long, failedFor one
	// that failed otherwise.
	uncheckableFor = 24 * time.Hour
	failedFor      = time.Hour
	// manyPairs is how many partitions of two tables are compared with each other.
	manyPairs = 1000
)

var (
	// errTooLarge tells that a check would read more than it may, errTooMany that it would
	// ask too often, errUnsized that nobody knows how much it would read.
	errTooLarge = errors.New("too large")
	errTooMany  = fmt.Errorf("the partitions of the two tables make more than %d pairs", manyPairs)
	errUnsized  = errors.New("not all of it is in ordinary tables, of which the size tells what reading them costs")
)

// check is one question about the integrity of a table.
type check struct {
	softdelete.Check
	r *relation
	// foreign is nil for the question about the table's own rows.
	foreign *foreignKey
	// refused tells that the role lacks a grant.
	refused bool
}

// findings is what a check found in one relation, or in all.
type findings struct{ Bytes, Inconsistent, Future, Orphaned int64 }

// checkAll brings the checks up to date of the tables that opted in. What fails here
// leaves the numbers of the table alone.
func (v *visit) checkAll(ctx context.Context) {
	opted := slices.ContainsFunc(v.relations, func(r relation) bool { return r.checkable() })
	if !opted || ctx.Err() != nil || v.Broken() && !v.reopen(ctx) {
		return
	}
	_, checks, err := v.findChecks(ctx, v.Session, v.relations)
	if err != nil {
		v.warn(ctx, "cannot find out what to check", v.Database, err)
		return
	}
	slices.SortStableFunc(checks, func(a, b *check) int { return a.Asked.Compare(b.Asked) })
	deadline := time.Now().Add(v.config.Counting.PassTime.Std() / ownShare)
	if v.budget.deadline.After(deadline) {
		deadline = v.budget.deadline
	}
	for _, c := range checks {
		if ctx.Err() == nil && (!v.Broken() || v.reopen(ctx)) {
			err := v.catch(v.Session, "check", c.r.Schema, c.r.Name, func() error {
				v.checkOne(ctx, c, deadline)
				return nil
			})
			if err != nil {
				why := postgres.Problem(err)
				c.Problem, c.Waiting, c.Asked, c.RetryAt = &why, false, v.began, v.began.Add(failedFor)
			}
		}
	}
	v.show(checks)
}

// checkable tells whether the rows of the table are to be checked, and can be read.
func (r *relation) checkable() bool {
	return r.Policy.Integrity && r.obstacle == nil && r.Problem == nil && len(r.leaves) > 0
}

// show gives each table its checks, in the order of their constraints.
func (v *visit) show(checks []*check) {
	for i := range v.relations {
		if v.relations[i].checkable() {
			v.relations[i].Integrity = nil
		}
	}
	slices.SortFunc(checks, func(a, b *check) int { return cmp.Compare(a.Constraint, b.Constraint) })
	for _, c := range checks {
		c.r.Integrity = append(c.r.Integrity, c.Check)
	}
}

// findChecks puts together what there is to ask, with what was found the last time, and
// the foreign keys of all tables that opted in.
func (p *pass) findChecks(ctx context.Context, s *postgres.Session, relations []relation) (keys []foreignKey, checks []*check, err error) {
	for i := range relations {
		if r := &relations[i]; r.checkable() && r.CanContradict() {
			checks = append(checks, &check{Check: r.Check(""), r: r})
		}
	}
	keys, err = p.foreignKeys(ctx, s, relations)
	if err != nil {
		return nil, nil, err
	}
	for i := range keys {
		if k := &keys[i]; k.child.checkable() {
			c := check{Check: k.child.Check(k.Name), r: k.child, foreign: k}
			c.Constraint, c.Key = k.Name, k.reference()
			checks = append(checks, &c)
		}
	}
	return keys, checks, findRefused(ctx, s, checks)
}

// checkOne brings one check up to date.
func (v *visit) checkOne(ctx context.Context, c *check, deadline time.Time) {
	before := c.r.Check(c.Constraint).Problem
	switch {
	case c.refused:
		c.Waiting = false
	case c.foreign != nil && c.foreign.obstacle != nil:
		c.Problem, c.Waiting = c.foreign.obstacle, false
	case c.foreign != nil && c.foreign.parent.obstacle != nil:
		obstacle := c.foreign.parent.obstacle
		c.Problem, c.Waiting = &softdelete.Problem{Reason: obstacle.Reason, Message: fmt.Sprintf("%s, which it references, cannot be read: %s", c.Key.Parent(), obstacle.Message)}, false
	case v.began.Before(c.RetryAt):
		c.Waiting = false
	case c.unchanged(v):
		c.At, c.Waiting = time.Now(), false
		return
	default:
		c.ask(ctx, v, deadline)
	}
	if c.Problem != nil && (before == nil || before.Reason != c.Problem.Reason) {
		level.Warn(v.Logger).Log("msg", "cannot check the integrity of a table", "datname", v.Database, "schemaname", c.r.Schema, "relname", c.r.Name,
			"constraint", c.Constraint, "reason", c.Problem.Reason, "err", c.Problem.Message, "remedy", c.Problem.Remedy)
	}
}

// unchanged tells whether what was found still holds.
func (c *check) unchanged(v *visit) bool {
	print := c.print()
	return c.Found != nil && c.Problem == nil && !c.Found.Changing() && print != "" && print == c.Fingerprint &&
		v.began.Sub(c.Asked) < v.config.Counting.RecountAfter.Std()
}

// print is the fingerprint of the question and of all that it reads; empty where
// nothing is proved.
func (c *check) print() string {
	read := []*relation{c.r}
	if c.foreign != nil {
		read = append(read, c.foreign.parent)
	}
	question := []any{c.Key}
	for _, r := range read {
		if r.fingerprint == "" {
			return ""
		}
		question = append(question, r.Markers, r.Policy, r.fingerprint)
	}
	text, err := json.Marshal(question)
	if err != nil {
		return "" // then nothing is proved
	}
	sum := sha256.Sum256(text)
	return string(sum[:])
}

// ask asks anew and notes what was found, or why nothing was.
func (c *check) ask(ctx context.Context, v *visit, deadline time.Time) {
	var sum findings
	began := time.Now()
	err := v.attempt(ctx, func() (err error) {
		sum, err = c.all(ctx, v, deadline)
		return err
	})
	now := time.Now()
	if errors.Is(err, errSpent) || ctx.Err() != nil {
		c.Waiting = true
		if began.Before(deadline) {
			c.Asked = now // what does not fit goes to the end of the queue
		}
		return
	}
	c.Asked, c.Waiting, c.Problem, c.RetryAt = now, false, nil, time.Time{}
	switch {
	case err == nil:
		c.At, c.Fingerprint, c.Found = now, c.print(), c.found(sum)
	case errors.Is(err, errTooLarge):
		c.Found = nil
		c.Problem = &softdelete.Problem{Reason: softdelete.TooLarge, Message: fmt.Sprintf("what it reads is larger than counting.exact_max_bytes (%s)", v.config.Counting.ExactMaxBytes)}
	case errors.Is(err, errTooMany):
		c.Found = nil
		c.Problem = &softdelete.Problem{Reason: softdelete.TooLarge, Message: err.Error()}
	case errors.Is(err, errUnsized):
		c.Found = nil
		c.Problem = &softdelete.Problem{Reason: softdelete.Unsupported, Message: err.Error()}
	case postgres.Code(err) == postgres.QueryCanceled:
		c.Found, c.RetryAt = nil, v.began.Add(uncheckableFor)
		c.Problem = &softdelete.Problem{Reason: softdelete.TimedOut, Message: fmt.Sprintf("it took longer than limits.statement_timeout (%s) and is left alone for a day", v.config.Limits.StatementTimeout)}
	default:
		p := v.problem(ctx, err, c.r)
		c.Problem = &p
		if p.Reason != softdelete.Locked && !postgres.IsConflict(err) && !postgres.IsGone(err) {
			c.RetryAt = v.began.Add(failedFor)
		}
	}
}

// found is the sum of what was found, without what does not apply.
func (c *check) found(sum findings) *softdelete.Found {
	number := func(n int64) *float64 { f := float64(n); return &f }
	if c.foreign != nil {
		return &softdelete.Found{Orphaned: number(sum.Orphaned)}
	}
	f := &softdelete.Found{}
	if len(c.r.Markers.Pairs()) > 0 {
		f.Inconsistent = number(sum.Inconsistent)
	}
	if c.r.KnowsFuture() {
		f.Future = number(sum.Future)
	}
	return f
}

// all asks of every relation that the check reads, each in a transaction of its own,
// and only if all of them together are small enough.
func (c *check) all(ctx context.Context, v *visit, deadline time.Time) (sum findings, err error) {
	most := int64(v.config.Counting.ExactMaxBytes)
	questions, err := c.questions()
	if err != nil {
		return sum, err
	}
	limits := []int64{most}
	if len(questions) > 1 {
		limits = []int64{-1, most} // the sizes first: what is too large is not read in part
	}
	for _, limit := range limits {
		sum = findings{}
		for _, ask := range questions {
			if !time.Now().Before(deadline) {
				return sum, errSpent
			}
			found, err := ask(ctx, v.Session, limit-sum.Bytes)
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

func (f *findings) add(o findings) {
	f.Bytes += o.Bytes
	f.Inconsistent += o.Inconsistent
	f.Future += o.Future
	f.Orphaned += o.Orphaned
}

// question asks of one relation, or two, unless they are larger than most bytes.
type question func(ctx context.Context, s *postgres.Session, most int64) (findings, error)

// questions are one for each leaf, or pair of leaves.
func (c *check) questions() ([]question, error) {
	children, err := c.r.heaps()
	if err != nil {
		return nil, err
	}
	var questions []question
	if c.foreign == nil {
		for _, l := range children {
			questions = append(questions, func(ctx context.Context, s *postgres.Session, most int64) (findings, error) {
				rows, err := postgres.Query[struct{ Bytes, Inconsistent, Future int64 }](ctx, s, l.Contradictions(most))
				if err != nil {
					return findings{}, fmt.Errorf("checking %s.%s: %w", l.Schema, l.Name, err)
				}
				return findings{Bytes: rows[0].Bytes, Inconsistent: rows[0].Inconsistent, Future: rows[0].Future}, nil
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
			questions = append(questions, func(ctx context.Context, s *postgres.Session, most int64) (findings, error) {
				rows, err := postgres.Query[struct{ Bytes, Orphaned int64 }](ctx, s, l.Orphans(p, c.Key, most))
				if err != nil {
					return findings{}, fmt.Errorf("checking %s.%s against %s.%s: %w", l.Schema, l.Name, p.Schema, p.Name, err)
				}
				return findings{Bytes: rows[0].Bytes, Orphaned: rows[0].Orphaned}, nil
			})
		}
	}
	return questions, nil
}

// heaps are the leaves of a table as queries has them, if all are ordinary ones that are
// read by themselves.
func (r *relation) heaps() ([]queries.Relation, error) {
	all := make([]queries.Relation, len(r.leaves))
	for i, l := range r.leaves {
		if !l.Heap {
			return nil, errUnsized
		}
		all[i] = queries.Relation{OID: l.OID, Schema: l.Schema, Name: l.Name, Table: &r.Table}
	}
	return all, nil
}
