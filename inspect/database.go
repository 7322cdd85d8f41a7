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

// databaseRefresh brings one database up to date.
type databaseRefresh struct {
	refresh *refresh
	session *postgres.Session
	tables  []table
	skipped int
	// candidates are for who sees that nothing is watched.
	candidates []softdelete.Candidate
	// reopened means that the connection was lost once already; lostFor why it could
	// not be opened anew.
	reopened bool
	lostFor  error
}

// run discovers the tables and brings their numbers up to date. Its error means that
// the connection was lost, and why there is no new one.
func (d *databaseRefresh) run(ctx context.Context) error {
	before := d.refresh.databases[d.session.Database]
	err := d.withRetry(ctx, func() error {
		return rescue.Catch(func() (err error) {
			d.refresh.beginStep("discovery", "")
			d.tables, d.skipped, err = d.refresh.discover(ctx, d.session)
			if err == nil && len(d.tables) == 0 {
				d.candidates, err = d.refresh.candidates(ctx, d.session)
			}
			return err
		})
	})
	if err != nil {
		rescue.Log(d.refresh.Logger, err, "step", "discovery", "datname", d.session.Database)
		d.refresh.warn(ctx, "discovery failed", d.session.Database, err)
		d.refresh.markSkipped(d.session.Database, softdelete.Checks{Connect: true}, err)
		d.refresh.publishSnapshot()
		return d.lostFor
	}
	for i := range d.tables {
		d.tables[i].carryOver(before.Tables)
	}
	d.store(softdelete.Checks{Connect: true, Discovery: true, Counting: before.Checks.Counting,
		Indexes: before.Checks.Indexes})
	d.refresh.publishSnapshot()

	var complete, indexed bool
	d.catchPart("counting", func() { complete = d.countAll(ctx) })
	d.tables = slices.DeleteFunc(d.tables, func(t table) bool { return t.dropped })
	d.catchPart("checks", func() { d.checkAll(ctx) })
	d.catchPart("indexes", func() { indexed = d.indexAll(ctx) })
	d.catchPart("purges", func() { d.purgeAll(ctx) })
	d.store(softdelete.Checks{Connect: true, Discovery: true, Counting: complete, Indexes: indexed})
	return d.lostFor
}

// store puts the tables as they stand into the next Snapshot.
func (d *databaseRefresh) store(checks softdelete.Checks) {
	name := d.session.Database
	next := softdelete.Database{Name: name, Checks: checks, Skipped: d.skipped, Candidates: d.candidates,
		ColumnFacts: d.refresh.databases[name].ColumnFacts, Tables: make([]softdelete.Table, len(d.tables))}
	for i := range d.tables {
		next.Tables[i] = d.tables[i].Table
	}
	d.refresh.databases[name] = next
}

// carryOver gives a table what the previous snapshot knew of it, if it is still the
// same table with the same meaning.
func (t *table) carryOver(previous []softdelete.Table) {
	i, found := slices.BinarySearchFunc(previous, &t.Table, byName)
	if found && previous[i].SameSubject(&t.Table) {
		policy := t.Policy
		t.Table = previous[i]
		if t.Policy.Method != policy.Method {
			// The numbers hold, but they are not what is asked for now.
			t.Counting, t.Failures, t.RetryAt = nil, 0, time.Time{}
		}
		t.Policy = policy
		if !policy.Integrity {
			t.Integrity = nil
		}
	}
}

// countAll brings the numbers of every table up to date, the most urgent first, and
// reports whether it came to the end of them. What the budget does not allow is carried
// over to the next refresh.
func (d *databaseRefresh) countAll(ctx context.Context) (complete bool) {
	if err := d.takeFingerprints(ctx); err != nil {
		// Then nothing counts as unchanged.
		d.refresh.warn(ctx, "cannot find out which tables have changed", d.session.Database, err)
	}
	for _, t := range queue(d.tables, d.refresh.began) {
		if ctx.Err() != nil || d.session.Broken() && !d.reopen(ctx) {
			level.Warn(d.refresh.log(ctx)).Log("msg", "lost the connection while counting", "datname", d.session.Database)
			return false
		}
		_ = d.catchTable(t, "count", false, func() error {
			d.countOne(ctx, t)
			return nil
		})
	}
	return true
}

// countOne brings the numbers of one table up to date.
func (d *databaseRefresh) countOne(ctx context.Context, t *table) {
	if d.isDue(t) {
		numbers, err := d.recount(ctx, t)
		d.record(ctx, t, numbers, err)
	}
}

// isDue reports whether a table is to be counted now. If it is not, the table is told why.
func (d *databaseRefresh) isDue(t *table) bool {
	sampled := t.Numbers != nil && t.Numbers.Method == softdelete.Sampled
	switch {
	case t.catalogProblem != nil:
		// It costs nothing to find it again, so the table is never left alone.
		d.markFailed(t, *t.catalogProblem, true)
	case t.dropped || d.refresh.began.Before(t.RetryAt):
	case d.unchanged(t) && !t.aged(d.refresh.began):
		t.Confirm(time.Now())
	case d.refresh.budget.over() || sampled && d.refresh.budget.blocks < d.refresh.config.Counting.Batch:
		t.Waiting = true
	default:
		return true
	}
	return false
}

// recount counts a table. The numbers of a sampled one that has not changed only age; then,
// as where the table went away, it returns none.
func (d *databaseRefresh) recount(ctx context.Context, t *table) (numbers *softdelete.Numbers, err error) {
	aging := d.unchanged(t) && t.Numbers.Method == softdelete.Sampled
	count := func() (err error) {
		d.session.Guarded = t.guardedPartitions()
		defer func() { d.session.Guarded = nil }()
		if aging {
			if done, err := d.age(ctx, t); done || err != nil {
				return err
			}
		}
		numbers, err = d.count(ctx, t)
		return err
	}
	err = d.withRetry(ctx, count)
	if postgres.IsGone(err) && d.refindPartitions(ctx, t) {
		err = d.withRetry(ctx, count)
	}
	return numbers, err
}

// record notes what came of counting a table.
func (d *databaseRefresh) record(ctx context.Context, t *table, numbers *softdelete.Numbers, err error) {
	switch {
	case t.dropped || err != nil && ctx.Err() != nil: // or it is we who end
	case errors.Is(err, errSpent):
		t.Waiting = true
	case err != nil:
		p := d.problem(ctx, err, t)
		if u := (*unclearError)(nil); errors.As(err, &u) {
			p = u.Problem
		}
		if p.Reason == softdelete.TimedOut && len(t.ungranted) > 0 {
			p.Remedy = "grant the role each partition: run the statements that softdelete_exporter grants prints"
		}
		// A lost connection does not count as passing: it may be this table that costs it,
		// and those behind it must have their turn some day.
		if d.lostFor != nil {
			t.Interrupt(p, d.refresh.began, d.refresh.config.TTL.Std())
			return
		}
		d.markFailed(t, p, p.Reason == softdelete.Locked || postgres.IsConflict(err) || postgres.IsGone(err))
	case numbers == nil:
		t.Confirm(time.Now())
	default:
		t.Succeed(numbers, time.Now())
	}
}

// conflicts is how often a question that a standby cancelled is asked again. Once is
// not enough: what cancelled the first can still hit the second.
const conflicts = 3

// withRetry asks a question, and repeats it after a standby conflict or a lost connection.
func (d *databaseRefresh) withRetry(ctx context.Context, ask func() error) error {
	err := ask()
	for tries := 0; postgres.IsConflict(err) && tries < conflicts; tries++ {
		err = ask()
	}
	if err != nil && d.session.Broken() && d.reopen(ctx) {
		err = ask()
	}
	return err
}

// refindPartitions finds out what is left of a table of which a relation went away since
// discovery, and reports whether it can still be counted.
func (d *databaseRefresh) refindPartitions(ctx context.Context, t *table) bool {
	one := []table{*t}
	one[0].partitions, one[0].ungranted = nil, nil
	if d.refresh.findPartitions(ctx, d.session, one) != nil {
		return false
	}
	*t = one[0]
	return !t.dropped && t.catalogProblem == nil
}

// problem says what went wrong with a table.
func (d *databaseRefresh) problem(ctx context.Context, err error, t *table) softdelete.Problem {
	relations := []uint32{t.OID}
	for _, l := range t.partitions {
		relations = append(relations, l.OID)
	}
	return unsupported(d.session.Problem(ctx, err, relations...), err)
}

// markFailed notes a table's problem; its last good numbers stay.
func (d *databaseRefresh) markFailed(t *table, p softdelete.Problem, passing bool) {
	if t.Problem == nil || t.Problem.Reason != p.Reason {
		level.Warn(d.refresh.Logger).Log("msg", "cannot read table", "datname", d.session.Database, "schemaname", t.Schema,
			"relname", t.Name, "reason", p.Reason, "err", p.Message, "remedy", p.Remedy)
	}
	t.Fail(p, passing, d.refresh.began, d.refresh.config.TTL.Std())
}

// reopen opens a lost connection anew, once in a refresh.
func (d *databaseRefresh) reopen(ctx context.Context) bool {
	if d.reopened {
		return false
	}
	d.reopened = true
	d.session.Close()
	s, err := d.refresh.open(ctx, d.session.Database)
	if err != nil {
		d.refresh.warn(ctx, "cannot connect again", d.session.Database, err)
		d.lostFor = err
		return false
	}
	d.session = s
	return true
}
