package inspect

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/go-kit/log/level"

	"github.com/softdelete-exporter/softdelete_exporter/postgres"
	"github.com/softdelete-exporter/softdelete_exporter/rescue"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// visit is a pass's stay in one database.
type visit struct {
	*pass
	*postgres.Session
	relations []relation
	skipped   int
	// reopened tells that the connection was lost once already; lostFor why it could
	// not be opened anew.
	reopened bool
	lostFor  error
}

// run discovers the tables and brings their numbers up to date. Its error tells that
// the connection was lost, and why there is no new one.
func (v *visit) run(ctx context.Context) error {
	before := v.databases[v.Database]
	err := v.attempt(ctx, func() error {
		return rescue.Catch(func() (err error) {
			v.begin("discovery", "")
			v.relations, v.skipped, err = v.discover(ctx, v.Session)
			return err
		})
	})
	if err != nil {
		rescue.Log(v.Logger, err, "step", "discovery", "datname", v.Database)
		v.warn(ctx, "discovery failed", v.Database, err)
		v.left(v.Database, softdelete.Checks{Connect: true}, err)
		v.offer()
		return v.lostFor
	}
	for i := range v.relations {
		v.relations[i].remember(before.Tables)
	}
	v.keep(softdelete.Checks{Connect: true, Discovery: true, Counting: before.Checks.Counting, Indexes: before.Checks.Indexes})
	v.offer()

	var complete, indexed bool
	v.part("counting", func() { complete = v.countAll(ctx) })
	v.relations = slices.DeleteFunc(v.relations, func(r relation) bool { return r.dropped })
	v.part("checks", func() { v.checkAll(ctx) })
	v.part("indexes", func() { indexed = v.indexAll(ctx) })
	v.part("purges", func() { v.purgeAll(ctx) })
	v.keep(softdelete.Checks{Connect: true, Discovery: true, Counting: complete, Indexes: indexed})
	return v.lostFor
}

// keep puts the tables as they stand into the next Snapshot.
func (v *visit) keep(checks softdelete.Checks) {
	d := softdelete.Database{Name: v.Database, Checks: checks, Skipped: v.skipped, ColumnFacts: v.databases[v.Database].ColumnFacts, Tables: make([]softdelete.Table, len(v.relations))}
	for i := range v.relations {
		d.Tables[i] = v.relations[i].Table
	}
	v.databases[v.Database] = d
}

// remember gives a table what the previous snapshot knew of it, if it is still the
// same table with the same meaning.
func (r *relation) remember(previous []softdelete.Table) {
	i, found := slices.BinarySearchFunc(previous, &r.Table, byName)
	if found && previous[i].SameSubject(&r.Table) {
		policy := r.Policy
		r.Table = previous[i]
		if r.Policy.Method != policy.Method {
			// The numbers hold, but they are not what is asked for now.
			r.Counting, r.Failures, r.RetryAt = nil, 0, time.Time{}
		}
		r.Policy = policy
		if !policy.Integrity {
			r.Integrity = nil
		}
	}
}

// countAll brings the numbers of every table up to date, the most urgent first, and
// tells whether it came to the end of them. What the budget does not allow is carried
// over to the next pass.
func (v *visit) countAll(ctx context.Context) (complete bool) {
	if err := v.takeFingerprints(ctx); err != nil {
		// Then nothing counts as unchanged.
		v.warn(ctx, "cannot tell which tables have changed", v.Database, err)
	}
	for _, r := range queue(v.relations, v.began) {
		if ctx.Err() != nil || v.Broken() && !v.reopen(ctx) {
			level.Warn(v.log(ctx)).Log("msg", "lost the connection while counting", "datname", v.Database)
			return false
		}
		_ = v.spare(r, "count", false, func() error {
			v.countOne(ctx, r)
			return nil
		})
	}
	return true
}

// countOne brings the numbers of one table up to date.
func (v *visit) countOne(ctx context.Context, r *relation) {
	if r.obstacle != nil {
		// It costs nothing to find it again, so the table is never left alone.
		v.failed(r, *r.obstacle, true)
		return
	}
	if r.dropped || v.began.Before(r.RetryAt) {
		return
	}
	unchanged := v.unchanged(r)
	if unchanged && !r.aged(v.began) {
		r.Confirm(time.Now())
		return
	}
	if v.budget.over() || r.Numbers != nil && r.Numbers.Method == softdelete.Sampled && v.budget.blocks < v.config.Counting.Batch {
		r.Waiting = true
		return
	}
	var numbers *softdelete.Numbers
	count := func() (err error) {
		numbers, err = v.count(ctx, r)
		return err
	}
	if unchanged && r.Numbers.Method == softdelete.Sampled {
		recount := count
		count = func() error {
			if done, err := v.age(ctx, r); done || err != nil {
				return err
			}
			return recount()
		}
	}
	err := v.attempt(ctx, count)
	if postgres.IsGone(err) && v.lookAgain(ctx, r) {
		err = v.attempt(ctx, count)
	}
	switch {
	case r.dropped || err != nil && ctx.Err() != nil: // or it is we who end
	case errors.Is(err, errSpent):
		r.Waiting = true
	case err != nil:
		// A lost connection is no passing trouble: it may be this table that costs it,
		// and those behind it must have their turn some day.
		p := v.problem(ctx, err, r)
		if p.Reason == softdelete.TimedOut && len(r.ungranted) > 0 {
			p.Remedy = "let the role read each partition by itself: run what softdelete_exporter grants prints"
		}
		v.failed(r, p, p.Reason == softdelete.Locked || postgres.IsConflict(err) || postgres.IsGone(err))
	case numbers == nil:
		r.Confirm(time.Now())
	default:
		r.Succeed(numbers, time.Now())
	}
}

// conflicts is how often a question that a standby cancelled is asked again. Once is
// not enough: what cancelled the first can still hit the second.
const conflicts = 3

// attempt asks a question, and once more where that is worth while: a standby went on
// with recovery, or the connection was lost and there is a new one.
func (v *visit) attempt(ctx context.Context, ask func() error) error {
	err := ask()
	for tries := 0; postgres.IsConflict(err) && tries < conflicts; tries++ {
		err = ask()
	}
	if err != nil && v.Broken() && v.reopen(ctx) {
		err = ask()
	}
	return err
}

// lookAgain finds out what is left of a table of which a relation went away since
// discovery, and tells whether it can still be counted.
func (v *visit) lookAgain(ctx context.Context, r *relation) bool {
	one := []relation{*r}
	one[0].leaves, one[0].ungranted = nil, nil
	if v.findLeaves(ctx, v.Session, one) != nil {
		return false
	}
	*r = one[0]
	return !r.dropped && r.obstacle == nil
}

// problem says what went wrong with a table.
func (v *visit) problem(ctx context.Context, err error, r *relation) softdelete.Problem {
	relations := []uint32{r.OID}
	for _, l := range r.leaves {
		relations = append(relations, l.OID)
	}
	return unsupported(v.Session.Problem(ctx, err, relations...), err)
}

// failed notes a table's problem; its last good numbers stay.
func (v *visit) failed(r *relation, p softdelete.Problem, passing bool) {
	if r.Problem == nil || r.Problem.Reason != p.Reason {
		level.Warn(v.Logger).Log("msg", "cannot read table", "datname", v.Database, "schemaname", r.Schema, "relname", r.Name, "reason", p.Reason, "err", p.Message, "remedy", p.Remedy)
	}
	r.Fail(p, passing, v.began, v.config.TTL.Std())
}

// reopen opens a lost connection anew, once in a visit.
func (v *visit) reopen(ctx context.Context) bool {
	if v.reopened {
		return false
	}
	v.reopened = true
	v.Close()
	s, err := v.open(ctx, v.Database)
	if err != nil {
		v.warn(ctx, "cannot connect again", v.Database, err)
		v.lostFor = err
		return false
	}
	v.Session = s
	return true
}
