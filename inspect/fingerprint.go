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
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// fingerprintRow is a row of queries.Fingerprint.
type fingerprintRow struct {
	OID    uint32
	Writes int64
	// Print is nil if the counters prove nothing.
	Print *string
}

// takeFingerprints reads a fingerprint of every table, by which a later refresh sees whether the table has changed.
// It does so before anything is counted, in a separate transaction. If the counters are behind what a count sees,
// they differ the next time, and the table is counted again.
func (d *databaseRefresh) takeFingerprints(ctx context.Context) error {
	var oids []uint32
	var columns []string
	for i := range d.tables {
		t := &d.tables[i]
		if t.catalogProblem != nil {
			continue
		}
		for _, l := range t.partitions {
			oids = append(oids, l.OID)
		}
		for _, c := range t.Markers.Columns() {
			if !slices.Contains(columns, c) {
				columns = append(columns, c)
			}
		}
	}
	if len(oids) == 0 {
		return nil
	}
	var marks []fingerprintRow
	err := d.withRetry(ctx, func() (err error) {
		marks, err = postgres.Repeat[fingerprintRow](ctx, d.session, queries.Fingerprint(oids, columns))
		return err
	})
	if err != nil {
		return fmt.Errorf("reading what has changed in database %q: %w", d.session.Database, err)
	}
	known := make(map[uint32]fingerprintRow, len(marks))
	for _, m := range marks {
		known[m.OID] = m
	}
	for i := range d.tables {
		d.tables[i].noteFingerprint(known)
	}
	return nil
}

// noteFingerprint combines the fingerprints of the table's partitions. If one is missing, or the rows are elsewhere,
// there is no proof.
func (t *table) noteFingerprint(known map[uint32]fingerprintRow) {
	t.writes, t.fingerprint = 0, ""
	proved := len(t.partitions) > 0
	var sum hash.Hash
	if len(t.partitions) > 1 {
		sum = sha256.New()
	}
	text := ""
	for _, l := range t.partitions {
		m, found := known[l.OID]
		t.writes += m.Writes
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
		t.fingerprint = string(sum.Sum(nil))
	default:
		t.fingerprint = text
	}
}

// unchanged reports whether the counted numbers are still right, except for changes by time alone. Counters arrive
// late, so after recount_after they are not trusted. An index that was found since can make them uncertain.
func (d *databaseRefresh) unchanged(t *table) bool {
	return t.Numbers != nil && t.Problem == nil && t.fingerprint != "" && t.fingerprint == t.Kept().Fingerprint &&
		d.refresh.began.Sub(t.Counted) < d.refresh.config.Counting.RecountAfter.Std() && !t.undecidable()
}

// aged reports whether time alone has changed a number, or may have: a row has become old, or is no longer recent.
func aged(t *softdelete.Table, now time.Time) bool {
	next := t.Kept().NextChange
	return !next.IsZero() && !now.Before(next) || t.Numbers.Recent != nil && t.Numbers.Recent.Value > 0
}
