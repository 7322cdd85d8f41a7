package inspect

import (
	"context"
	"crypto/sha256"
	"fmt"
	"hash"
	"slices"
	"time"

	"github.com/softdelete-exporter/softdelete_exporter/postgres"
	"github.com/softdelete-exporter/softdelete_exporter/queries"
)

// mark is what queries.Fingerprint answers.
type mark struct {
	OID    uint32
	Writes int64
	// Print is nil where the counters prove nothing.
	Print *string
}

// takeFingerprints notes of every table what will tell, later, whether it has changed.
// It is asked before anything is counted, in a transaction that has ended by then: the
// counters can be behind what a count sees, but then they differ the next time.
func (v *visit) takeFingerprints(ctx context.Context) error {
	var oids []uint32
	var columns []string
	for i := range v.relations {
		r := &v.relations[i]
		if r.obstacle != nil {
			continue
		}
		for _, l := range r.leaves {
			oids = append(oids, l.OID)
		}
		for _, c := range r.Markers.Columns() {
			if !slices.Contains(columns, c) {
				columns = append(columns, c)
			}
		}
	}
	if len(oids) == 0 {
		return nil
	}
	var marks []mark
	err := v.attempt(ctx, func() (err error) {
		marks, err = postgres.Query[mark](ctx, v.Session, queries.Fingerprint(oids, columns))
		return err
	})
	if err != nil {
		return fmt.Errorf("reading what has changed in database %q: %w", v.Database, err)
	}
	known := make(map[uint32]mark, len(marks))
	for _, m := range marks {
		known[m.OID] = m
	}
	for i := range v.relations {
		v.relations[i].note(known)
	}
	return nil
}

// note puts the prints of the table's leaves together. Without one of them, or where
// the rows are elsewhere, nothing is proved.
func (r *relation) note(known map[uint32]mark) {
	r.writes, r.fingerprint = 0, ""
	proved := len(r.leaves) > 0
	var sum hash.Hash
	if len(r.leaves) > 1 {
		sum = sha256.New()
	}
	text := ""
	for _, l := range r.leaves {
		m, found := known[l.OID]
		r.writes += m.Writes
		if !found || m.Print == nil || !l.Heap {
			proved = false
			continue
		}
		text = *m.Print
		if sum != nil {
			fmt.Fprintln(sum, text)
		}
	}
	switch {
	case !proved:
	case sum != nil:
		r.fingerprint = string(sum.Sum(nil))
	default:
		r.fingerprint = text
	}
}

// unchanged tells whether what was counted still holds, but for what time changes.
// Counters arrive late, so that after recount_after nothing is believed any more.
func (v *visit) unchanged(r *relation) bool {
	return r.Numbers != nil && r.Problem == nil && r.fingerprint != "" && r.fingerprint == r.Kept().Fingerprint &&
		v.began.Sub(r.Counted) < v.config.Counting.RecountAfter.Std()
}

// aged tells whether time alone has changed, or may have changed, a number: a row
// became old, or ceased to be recent.
func (r *relation) aged(now time.Time) bool {
	next := r.Kept().NextChange
	return !next.IsZero() && !now.Before(next) || r.Numbers.Recent != nil && r.Numbers.Recent.Value > 0
}
