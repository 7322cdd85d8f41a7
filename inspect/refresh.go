package inspect

import (
	"context"
	"slices"
	"time"

	"github.com/go-kit/log/level"

	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// pass is one refresh: it makes the next Snapshot out of the previous one.
type pass struct {
	*Inspector
	previous *softdelete.Snapshot
	began    time.Time
	publish  func(*softdelete.Snapshot)
}

// run visits the database of the connection string.
func (p *pass) run(ctx context.Context) {
	before := p.previous.Databases[0]
	s, err := p.open(ctx, "")
	if err != nil {
		level.Warn(p.logger).Log("msg", "cannot connect", "datname", before.Name, "err", err)
		p.offer(p.previous.Taken, before, softdelete.Checks{}, before.Tables)
		return
	}
	defer s.close()
	before.Name = s.datname

	relations, err := p.discover(ctx, s)
	if err != nil {
		level.Warn(p.logger).Log("msg", "discovery failed", "datname", before.Name, "err", err)
		p.offer(p.began, before, softdelete.Checks{Connect: true}, before.Tables)
		return
	}
	for i := range relations {
		relations[i].remember(before.Tables)
	}
	p.offer(p.began, before, softdelete.Checks{Connect: true, Discovery: true}, tables(relations))

	complete := p.count(ctx, s, relations)
	relations = slices.DeleteFunc(relations, func(r relation) bool { return r.dropped })
	p.offer(p.began, before, softdelete.Checks{Connect: true, Discovery: true, Counting: complete}, tables(relations))
}

// offer publishes a snapshot in which the database stands as given.
func (p *pass) offer(taken time.Time, d softdelete.Database, checks softdelete.Checks, tables []softdelete.Table) {
	d.Checks, d.Tables = checks, tables
	p.publish(&softdelete.Snapshot{Taken: taken, Databases: []softdelete.Database{d}})
}

// tables are the relations as the snapshot has them.
func tables(relations []relation) []softdelete.Table {
	all := make([]softdelete.Table, len(relations))
	for i := range relations {
		all[i] = relations[i].Table
	}
	return all
}

// remember gives a table what the previous snapshot knew of it, if it is still the
// same table with the same meaning.
func (r *relation) remember(previous []softdelete.Table) {
	i, found := slices.BinarySearchFunc(previous, &r.Table, func(t softdelete.Table, key *softdelete.Table) int { return t.Compare(key) })
	if found && previous[i].SameSubject(&r.Table) {
		policy := r.Policy
		r.Table = previous[i]
		r.Policy = policy
	}
}

// count brings the numbers of every table up to date and tells whether it came to
// the end of them.
func (p *pass) count(ctx context.Context, s *session, relations []relation) (complete bool) {
	for i := range relations {
		if s.broken() || ctx.Err() != nil {
			level.Warn(p.logger).Log("msg", "lost the connection while counting", "datname", s.datname)
			return false
		}
		p.countOne(ctx, s, &relations[i])
	}
	return !s.broken()
}

func (p *pass) countOne(ctx context.Context, s *session, r *relation) {
	if r.obstacle != nil {
		p.failed(s, r, &obstacle{*r.obstacle})
		return
	}
	numbers, err := s.count(ctx, r)
	switch {
	case code(err) == undefinedTable && !r.partitioned:
		r.dropped = true
	case err != nil:
		p.failed(s, r, err)
	default:
		now := p.now()
		r.Numbers, r.Counted, r.Checked, r.Problem = numbers, now, now, nil
	}
}

// failed notes a table's problem; its last good numbers stay.
func (p *pass) failed(s *session, r *relation, err error) {
	now := problem(err)
	if r.Problem == nil || r.Problem.Reason != now.Reason {
		level.Warn(p.logger).Log("msg", "cannot read table", "datname", s.datname, "schemaname", r.Schema, "relname", r.Name, "reason", now.Reason, "err", now.Message)
	}
	r.Problem = now
}
