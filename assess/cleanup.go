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

// stuck tells that too many rows are deleted and no purge may touch them.
func (t *TableHealth) stuck() bool {
	if !t.CleanupRecommended() || t.Policy.Retention == 0 {
		return false
	}
	left := t.Numbers.Ratio.Low()
	if t.Numbers.Old != nil {
		left = min(left, t.ratioAfterPurge())
	}
	return t.Limits.DeletionRatio.health(left) > softdelete.Good
}

// recommendRetention asks once, for all tables that no purge can help, whether so
// much must be kept. A table that has a purge to begin with is told there.
func (a *Assessment) recommendRetention() {
	var kept, timeless []*TableHealth
	for i := range a.Tables {
		switch t := &a.Tables[i]; {
		case !t.stuck() || t.purgePaysOff():
		case t.Markers.Timed():
			kept = append(kept, t)
		default:
			timeless = append(timeless, t)
		}
	}
	if len(kept) > 0 {
		r := about(kept)
		r.Title = fmt.Sprintf("Ask whether deleted rows of %s must be kept so long.", several(kept))
		r.Reason = fmt.Sprintf("Hardly any of them is past retention, so a purge does not help: deleted are %s.", shares(kept))
		r.Gain = Gain{Text: "With a shorter retention a purge can remove them."}
		r.Remedies = []string{entries(kept, func(*TableHealth) string { return "retention: 30d" })}
		r.Notes = []string{"Or move rows to another table when they are deleted, so that live ones need not share their blocks."}
		a.Recommendations = append(a.Recommendations, r)
	}
	if len(timeless) > 0 {
		r := about(timeless)
		r.Title = fmt.Sprintf("Note when rows of %s are deleted.", several(timeless))
		r.Reason = fmt.Sprintf("The marker does not tell, so nobody knows which rows are past retention: %s.", shares(timeless))
		r.Gain = Gain{Text: "With a time of deletion a purge can remove what is past retention."}
		r.Remedies = []string{entries(timeless, func(t *TableHealth) string {
			return "column: " + yamlText(t.Markers[0].Column) + "\n    time_column: deleted_at"
		})}
		a.Recommendations = append(a.Recommendations, r)
	}
}

// about is a recommendation on some tables, the worst first.
func about(tables []*TableHealth) Recommendation {
	r := Recommendation{Kind: FixRetention, Urgency: tables[0].Rows.Health}
	if len(tables) == 1 {
		r.Database, r.Table = tables[0].Database, tables[0]
	}
	return r
}

// named is how many tables a recommendation on several names.
const named = 5

func several(tables []*TableHealth) string {
	if len(tables) == 1 {
		return tables[0].FullName()
	}
	return softdelete.Plural(len(tables), "table")
}

// shares are how much of each table is deleted.
func shares(tables []*TableHealth) string {
	var parts []string
	for _, t := range tables[:min(len(tables), named)] {
		parts = append(parts, fmt.Sprintf("%s of %s", softdelete.Percent(t.Numbers.Ratio.Value), t.FullName()))
	}
	if more := len(tables) - named; more > 0 {
		parts = append(parts, fmt.Sprintf("and %s more", softdelete.Thousands(float64(more))))
	}
	return strings.Join(parts, ", ")
}

// entries are entries of the configuration, with one setting each.
func entries(tables []*TableHealth, setting func(*TableHealth) string) string {
	text := "tables:"
	for _, t := range tables[:min(len(tables), named)] {
		text += fmt.Sprintf("\n  - schema: %s\n    table: %s\n    %s", yamlText(t.Schema), yamlText(t.Name), setting(t))
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
	if now, then := softdelete.Percent(n.Ratio.Value), softdelete.Percent(t.ratioAfterPurge()); now != then {
		r.Gain.Text += fmt.Sprintf("; the deletion ratio falls from %s to %s", now, then)
	}
	r.Gain.Text += "."
	if t.stuck() {
		r.Notes = append(r.Notes, fmt.Sprintf("After it %s of its rows are still deleted, and not yet past retention: ask whether they must be kept for %s.",
			softdelete.Percent(t.ratioAfterPurge()), softdelete.Days(t.Policy.Retention)))
	}
	if x := t.Indexing; x != nil {
		if slices.ContainsFunc(x.Indexes, func(i softdelete.Index) bool { return i.Referenced }) {
			r.Notes = append(r.Notes, "Foreign keys reference this table: with ON DELETE CASCADE their rows go too, else a batch fails while there are any. Purge those tables first.")
		}
		if len(indexes.Unpurgeable(t.Table)) > 0 {
			r.Notes = append(r.Notes, "No index finds these rows, so each batch reads the table until it has enough of them.")
		}
	}
	if t.Partitioned {
		r.Notes = append(r.Notes, "It goes through the partitions one after another. One that holds nothing to keep is gone faster by DETACH PARTITION CONCURRENTLY and DROP TABLE.")
	}
	if !t.Policy.ZoneKnown && slices.ContainsFunc(t.Markers, func(m softdelete.Marker) bool { return m.Time != nil && m.Time.Type != softdelete.Timestamptz }) {
		r.Notes = append(r.Notes, fmt.Sprintf("Its times carry no zone and are taken for %s; set time_zone if they are not.", t.Policy.TimeZone))
	}
	r.Notes = append(r.Notes, "VACUUM then makes the space free for new rows; the files do not shrink.")
	return r
}

// yamlText quotes a name where YAML could take it for something else.
func yamlText(name string) string {
	for _, r := range name {
		if !(r == '_' || 'a' <= r && r <= 'z' || '0' <= r && r <= '9') {
			return fmt.Sprintf("%q", name)
		}
	}
	switch name {
	case "true", "false", "yes", "no", "on", "off", "null", "y", "n", "":
		return fmt.Sprintf("%q", name)
	}
	if '0' <= name[0] && name[0] <= '9' {
		return fmt.Sprintf("%q", name)
	}
	return name
}

// recommendIndexes says what to do about a table's indexes.
func (t *TableHealth) recommendIndexes() []Recommendation {
	var all []Recommendation
	for _, advice := range indexes.Advise(t.Table) {
		r := Recommendation{
			Kind: FixIndex, Database: t.Database, Table: t, Advice: &advice,
			Urgency: advice.Health, Title: advice.Title, Reason: advice.Reason, Notes: advice.Costs, Source: advice.Source,
			Gain: Gain{Text: advice.Gain, Rows: advice.Rows, Bytes: advice.Bytes, Estimated: !advice.Proved},
		}
		all = append(all, r)
	}
	return all
}
