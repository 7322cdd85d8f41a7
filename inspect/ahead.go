package inspect

import (
	"github.com/softdelete-exporter/softdelete_exporter/postgres"
	"github.com/softdelete-exporter/softdelete_exporter/rescue"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// lookahead asks the first questions about several things before they have their turns, so that they share the time to
// the server and back.
type lookahead struct {
	// next is the first thing that was not asked about.
	next int
}

// before asks about the thing that has its turn and those after it, while there is room. Ask returns false if a thing
// must be dealt with before those after it are asked about.
//
// After a connection was lost nothing is asked ahead: if it is lost again, it is clear at what.
func (l *lookahead) before(d *databaseRefresh, turn, things int, ask func(thing int) bool) {
	if d.reopened {
		return
	}
	for l.next = max(l.next, turn); l.next < things && d.session.Room(); l.next++ {
		asked := false
		if rescue.Catch(func() error { asked = ask(l.next); return nil }) != nil || !asked {
			return // a panic happens again in the thing's turn, which then concerns only that
		}
	}
}

// askAhead asks the first question of a table's count. It returns false if the table must be counted by itself: after
// an error its count may be what costs the connection, and nothing else must then be under way.
func (d *databaseRefresh) askAhead(t *table) bool {
	if d.turn(t) != counts {
		return true
	}
	if t.Failures > 0 || len(t.partitions) == 0 || t.Policy.Method == softdelete.Statistics {
		return false
	}
	c, l := d.newCount(t), t.partitions[0]
	t.asked = d.session.Ask(c.question(l, l.limit(c.gate())), t.guardedPartitions())
	return true
}

// interruptAsked records that the server went away while the counts of tables were under way: any of them can be the
// cause, and is next counted by itself.
func (d *databaseRefresh) interruptAsked(tables []*table) {
	for _, t := range tables {
		if t.asked && d.lostFor != nil {
			t.Interrupt(postgres.Problem(d.lostFor), d.refresh.began, d.refresh.config.TTL.Std())
		}
	}
}
