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

// databaseRefresh refreshes one database.
type databaseRefresh struct {
	refresh *refresh
	session *postgres.Session
	tables  []table
	skipped int
	// candidates are shown if nothing is watched.
	candidates []softdelete.Candidate
	// repeated are the questions that the next refresh will ask, too.
	repeated []string
	// reopened is true if the connection was lost once already; lostFor is why it could not be reopened.
	reopened bool
	lostFor  error
}

// run discovers the tables and counts them. It returns an error if the connection was lost and could not be reopened.
func (d *databaseRefresh) run(ctx context.Context) error {
	before := d.refresh.databases[d.session.Database]
	d.repeated = before.Repeated
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

// store puts the tables in their current state into the next Snapshot.
func (d *databaseRefresh) store(checks softdelete.Checks) {
	name := d.session.Database
	next := softdelete.Database{Name: name, Checks: checks, Skipped: d.skipped, Candidates: d.candidates,
		ColumnFacts: d.refresh.databases[name].ColumnFacts, Repeated: d.repeated,
		Tables: make([]softdelete.Table, len(d.tables))}
	for i := range d.tables {
		next.Tables[i] = d.tables[i].Table
	}
	d.refresh.databases[name] = next
}

// carryOver gives a table what the previous Snapshot knew about it, if it is the same table with the same meaning.
func (t *table) carryOver(previous []softdelete.Table) {
	i, found := slices.BinarySearchFunc(previous, &t.Table, byName)
	if found && previous[i].SameSubject(&t.Table) {
		policy := t.Policy
		t.Table = previous[i]
		if t.Policy.Method != policy.Method {
			// The numbers are still valid, but were not counted by the method that is configured now.
			t.Counting, t.Failures, t.RetryAt = nil, 0, time.Time{}
		}
		t.Policy = policy
		if !policy.Integrity {
			t.Integrity = nil
		}
	}
}

// countAll counts every table, the most urgent first, and reports whether it reached the last one. Tables beyond the
// budget wait for the next refresh.
func (d *databaseRefresh) countAll(ctx context.Context) (complete bool) {
	if err := d.takeFingerprints(ctx); err != nil {
		// Every table then counts as changed.
		d.refresh.warn(ctx, "cannot find out which tables have changed", d.session.Database, err)
	}
	d.repeated = slices.Clone(d.session.Repeated)
	d.session.Forget() // what is asked no more
	waiting := queue(d.tables, d.refresh.began)
	var ahead lookahead
	for n, t := range waiting {
		if ctx.Err() != nil || d.session.Broken() && !d.reopen(ctx) {
			level.Warn(d.refresh.log(ctx)).Log("msg", "lost the connection while counting", "datname", d.session.Database)
			d.interruptAsked(waiting[n:])
			return false
		}
		ahead.before(d, n, len(waiting), func(next int) bool { return d.askAhead(waiting[next]) })
		_ = d.catchTable(t, "count", false, func() error {
			d.countOne(ctx, t)
			return nil
		})
		t.asked = false
	}
	return true
}

// countOne counts one table.
func (d *databaseRefresh) countOne(ctx context.Context, t *table) {
	if d.isDue(t) {
		numbers, err := d.recount(ctx, t)
		d.record(ctx, t, numbers, err)
	}
}

// isDue reports whether a table must be counted now. If not, it updates the table's state.
func (d *databaseRefresh) isDue(t *table) bool {
	switch d.turn(t) {
	case fails:
		// Discovery finds this problem again at no cost, so the table is never paused.
		d.markFailed(t, *t.catalogProblem, true)
	case stays:
		t.Confirm(time.Now())
	case waits:
		t.Waiting = true
	case counts:
		return true
	}
	return false
}

// turn is what happens to a table when its turn has come.
type turn int

const (
	// fails: the catalogs show a problem. rests: nothing happens. stays: its numbers are still right. waits: the budget
	// is used up. counts: it is counted.
	fails turn = iota
	rests
	stays
	waits
	counts
)

func (d *databaseRefresh) turn(t *table) turn {
	sampled := t.Numbers != nil && t.Numbers.Method == softdelete.Sampled
	switch {
	case t.catalogProblem != nil:
		return fails
	case t.dropped || d.refresh.began.Before(t.RetryAt):
		return rests
	case d.unchanged(t) && !aged(&t.Table, d.refresh.began):
		return stays
	case t.asked: // the answer comes, whatever the budget is
		return counts
	case d.refresh.budget.over() || sampled && d.refresh.budget.blocks < d.refresh.config.Counting.Batch:
		return waits
	}
	return counts
}

// recount counts a table. It returns no numbers if the table no longer exists, or if it is sampled and has not
// changed; then only its ages are updated.
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

// record records the result of counting a table.
func (d *databaseRefresh) record(ctx context.Context, t *table, numbers *softdelete.Numbers, err error) {
	switch {
	case t.dropped || err != nil && ctx.Err() != nil: // or the exporter is ending
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
		// A lost connection is not a passing problem: this table may be the cause, and the tables after it must get
		// their turn.
		if d.lostFor != nil {
			t.Interrupt(p, d.refresh.began, d.refresh.config.TTL.Std())
			return
		}
		d.markFailed(t, p, p.Reason == softdelete.Locked || postgres.IsConflict(err) || postgres.IsGone(err))
	case numbers == nil:
		t.Confirm(time.Now())
	default:
		t.Succeed(numbers, t.began)
	}
}

// conflicts is how often a query that a standby cancelled is repeated. Once is not enough: the same recovery can
// cancel the second one.
const conflicts = 3

// withRetry runs a query, and repeats it after a standby conflict or a lost connection.
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

// refindPartitions finds out what is left of a table if one of its relations was dropped since discovery. It reports
// whether the table can still be counted.
func (d *databaseRefresh) refindPartitions(ctx context.Context, t *table) bool {
	one := []table{*t}
	one[0].partitions, one[0].ungranted = nil, nil
	if d.refresh.findPartitions(ctx, d.session, one) != nil {
		return false
	}
	*t = one[0]
	return !t.dropped && t.catalogProblem == nil
}

// problem returns what went wrong with a table.
func (d *databaseRefresh) problem(ctx context.Context, err error, t *table) softdelete.Problem {
	relations := []uint32{t.OID}
	for _, l := range t.partitions {
		relations = append(relations, l.OID)
	}
	return unsupported(d.session.Problem(ctx, err, relations...), err)
}

// markFailed records a problem of a table; its last good numbers stay.
func (d *databaseRefresh) markFailed(t *table, p softdelete.Problem, passing bool) {
	if t.Problem == nil || t.Problem.Reason != p.Reason {
		level.Warn(d.refresh.Logger).Log("msg", "cannot read table", "datname", d.session.Database, "schemaname", t.Schema,
			"relname", t.Name, "reason", p.Reason, "err", p.Message, "remedy", p.Remedy)
	}
	t.Fail(p, passing, d.refresh.began, d.refresh.config.TTL.Std())
}

// reopen reopens a lost connection, once in a refresh.
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
	for i := range d.tables {
		d.tables[i].asked = false // that was on the lost connection
	}
	return true
}
