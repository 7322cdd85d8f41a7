package assess

import (
	"fmt"
	"slices"
	"strings"

	"github.com/softdelete-exporter/softdelete_exporter/indexes"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// purgePaysOff tells that a purge would make the table better, or at least end a
// broken promise.
func (t *TableHealth) purgePaysOff() bool {
	return t.CleanupRecommended() && t.Numbers.Old != nil && t.Numbers.Old.Value >= 1 &&
		(t.Numbers.Old.Low() > t.Limits.OldDeletedRows.Fair || t.Limits.DeletionRatio.health(t.ratioAfterPurge()) < t.Rows.Health)
}

// few are the first of some reasons.
func few(reasons []string) string {
	text := strings.Join(reasons[:min(len(reasons), named)], "; ")
	if more := len(reasons) - named; more > 0 {
		text += fmt.Sprintf("; and %s more", softdelete.Thousands(float64(more)))
	}
	return text
}

// ratioAfterPurge is the share of deleted rows when the old ones are gone.
func (t *TableHealth) ratioAfterPurge() float64 {
	n := t.Numbers
	total := n.Total.Value - n.Old.Value
	if total < 1 {
		return 0
	}
	return max(0, n.Deleted.Value-n.Old.Value) / total
}

// purge recommends to remove what is past retention.
func (t *TableHealth) purge() Recommendation {
	n := t.Numbers
	likely, Likely := "", ""
	if n.Old.Margin > 0 {
		likely, Likely = "about ", "About "
	}
	r := Recommendation{
		Kind: PurgeRows, Urgency: t.Rows.Health, Database: t.Database, Table: t,
		Title: fmt.Sprintf("Purge %s%s old deleted rows of %s.", likely, softdelete.Thousands(n.Old.Value), t.FullName()),
		Reason: fmt.Sprintf("They were deleted longer ago than the retention of %s, and every scan and backup still reads them.",
			softdelete.Days(t.Policy.Retention)),
		Gain: Gain{
			Text:      fmt.Sprintf("%s%s rows less to read and to keep", Likely, softdelete.Thousands(n.Old.Value)),
			Rows:      int64(n.Old.Value),
			Estimated: n.Old.Margin > 0,
		},
		Notes: []string{"What is purged is gone: have a backup, and run the DELETE alone in a transaction first, to be rolled back."},
	}
	if t.Partitioned {
		r.Notes = []string{"What is purged is gone: have a backup, and first run the SELECT, which counts what will go."}
	}
	withheld := t.Withheld()
	if len(withheld) > 0 {
		r.Notes = []string{"No statement is given, because a DELETE may remove other rows, or do more than remove them: " + few(withheld) + "."}
	}
	if now, then := softdelete.Percent(n.Ratio.Value), softdelete.Percent(t.ratioAfterPurge()); now != then {
		r.Gain.Text += fmt.Sprintf("; the deletion ratio falls from %s to %s", now, then)
	}
	r.Gain.Text += "."
	if t.stuck() {
		r.Notes = append(r.Notes, fmt.Sprintf("After it %s of its rows are still deleted, and not yet past retention: ask whether they must be kept for %s.",
			softdelete.Percent(t.ratioAfterPurge()), softdelete.Days(t.Policy.Retention)))
	}
	if x := t.Indexing; x != nil {
		if len(indexes.Unpurgeable(t.Table)) > 0 {
			r.Notes = append(r.Notes, "No index finds these rows, so each batch reads the table until it has enough of them.")
		}
	}
	if t.Partitioned && len(withheld) == 0 {
		r.Notes = append(r.Notes, "It goes through the partitions one after another. One that holds nothing to keep is gone faster by DETACH PARTITION CONCURRENTLY and DROP TABLE.")
	}
	if !t.Policy.ZoneKnown && slices.ContainsFunc(t.Markers, func(m softdelete.Marker) bool { return m.Time != nil && m.Time.Type != softdelete.Timestamptz }) {
		r.Notes = append(r.Notes, fmt.Sprintf("Its times carry no zone and are taken for %s; set time_zone if they are not.", t.Policy.TimeZone))
	}
	r.Notes = append(r.Notes, "VACUUM then makes the space free for new rows; the files do not shrink.")
	return r
}
