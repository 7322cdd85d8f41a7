package softdelete

import (
	"fmt"
	"slices"
)

// recommendCleanup says how a table gets rid of its deleted rows.
func (t *TableHealth) recommendCleanup() []Recommendation {
	if !t.CleanupRecommended() {
		return nil
	}
	n := t.Numbers
	left := n.Ratio.Low()
	var all []Recommendation
	if n.Old != nil && n.Old.Value >= 1 {
		purge := t.purge()
		left = t.ratioAfterPurge()
		if n.Old.Low() > t.Limits.OldDeletedRows.Fair || t.Limits.DeletionRatio.health(left) < t.Rows.Health {
			all = append(all, purge)
		}
	}
	if t.Limits.DeletionRatio.health(left) == Good || t.Policy.Retention == 0 {
		return all
	}
	retention := Recommendation{Kind: FixRetention, Urgency: t.Rows.Health, Database: t.Database, Table: t}
	if t.Markers.Timed() {
		retention.Title = fmt.Sprintf("Ask whether deleted rows of %s must be kept for %s.", t.FullName(), Days(t.Policy.Retention))
		retention.Reason = fmt.Sprintf("%s of its rows are deleted and not yet past retention: no purge may touch them.", Percent(left))
		retention.Gain = Gain{Text: "With a shorter retention a purge can remove them."}
		retention.Remedies = []string{t.entry("retention: 30d")}
		retention.Notes = []string{"Or move them out of the table when they are deleted, so that live rows need not share their blocks."}
	} else {
		retention.Title = fmt.Sprintf("Note in %s when a row is deleted.", t.FullName())
		retention.Reason = fmt.Sprintf("%s of its rows are deleted, and %s does not tell since when: nobody knows which are past retention.", Percent(left), t.Markers.Label())
		retention.Gain = Gain{Text: "With a time of deletion a purge can remove what is past retention."}
		retention.Remedies = []string{t.entry("column: " + t.Markers[0].Column + "\n    time_column: deleted_at")}
	}
	return append(all, retention)
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
	about := ""
	if n.Old.Margin > 0 {
		about = "about "
	}
	r := Recommendation{
		Kind: PurgeRows, Urgency: t.Rows.Health, Database: t.Database, Table: t,
		Title: fmt.Sprintf("Purge %s%s old deleted rows of %s.", about, Thousands(n.Old.Value), t.FullName()),
		Reason: fmt.Sprintf("They were deleted longer ago than the retention of %s, and every scan and backup still reads them.",
			Days(t.Policy.Retention)),
		Gain: Gain{
			Text:      fmt.Sprintf("The deletion ratio falls from %s to %s.", Percent(n.Ratio.Value), Percent(t.ratioAfterPurge())),
			Rows:      int64(n.Old.Value),
			Estimated: n.Old.Margin > 0,
		},
		Notes: []string{"What is purged is gone: have a backup, and run the DELETE alone in a transaction first, to be rolled back."},
	}
	if x := t.Indexing; x != nil {
		if slices.ContainsFunc(x.Indexes, func(i Index) bool { return i.Referenced }) {
			r.Notes = append(r.Notes, "Foreign keys reference this table: with ON DELETE CASCADE their rows go too, else a batch fails while there are any. Purge those tables first.")
		}
		if len(t.unpurgeable()) > 0 {
			r.Notes = append(r.Notes, "No index finds these rows, so each batch reads the table until it has enough of them.")
		}
	}
	if t.Partitioned {
		r.Notes = append(r.Notes, "It goes through the partitions one after another. One that holds nothing to keep is gone faster by DETACH PARTITION CONCURRENTLY and DROP TABLE.")
	}
	if !t.Policy.ZoneKnown && slices.ContainsFunc(t.Markers, func(m Marker) bool { return m.Time != nil && m.Time.Type != Timestamptz }) {
		r.Notes = append(r.Notes, fmt.Sprintf("Its times carry no zone and are taken for %s; set time_zone if they are not.", t.Policy.TimeZone))
	}
	r.Notes = append(r.Notes, "VACUUM then makes the space free for new rows; the files do not shrink.")
	return r
}

// PurgeOrder is the column by which an index finds the rows to purge, the oldest
// first; empty where none is known to.
func (t *Table) PurgeOrder() string {
	if t.Indexing == nil || len(t.Markers) != 1 || len(t.unpurgeable()) > 0 {
		return ""
	}
	return t.Markers[0].Time.Column
}

// entry is a table's entry in the configuration, with one setting more.
func (t *TableHealth) entry(setting string) string {
	return fmt.Sprintf("tables:\n  - schema: %s\n    table: %s\n    %s", yamlText(t.Schema), yamlText(t.Name), setting)
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
	for _, advice := range Advise(t.Table) {
		r := Recommendation{
			Kind: FixIndex, Database: t.Database, Table: t, Advice: &advice,
			Title: t.indexTitle(advice), Reason: advice.Reason, Notes: advice.Costs, Source: advice.Source,
			Gain: Gain{Rows: advice.Rows, Bytes: advice.Bytes, Estimated: !advice.Proved},
		}
		switch {
		case advice.Problem == UniqueAllowsLiveDuplicate:
			r.Urgency = Poor
		case advice.Problem == Invalid || advice.Problem == "":
			r.Urgency = Fair
		}
		r.Gain.Text = gainWords(advice)
		all = append(all, r)
	}
	return all
}

func (t *TableHealth) indexTitle(a Advice) string {
	name := ""
	if a.Index != nil {
		name = a.Index.Name
	}
	switch a.Problem {
	case Invalid:
		return fmt.Sprintf("Repair invalid index %s of %s.", name, t.FullName())
	case Unused:
		return fmt.Sprintf("Ask whether %s needs index %s.", t.FullName(), name)
	case Duplicate:
		return fmt.Sprintf("Ask whether %s needs index %s twice.", t.FullName(), name)
	case PlainFlag:
		return fmt.Sprintf("Ask whether %s needs index %s on a flag.", t.FullName(), name)
	case UniqueIgnoresDeleted:
		return fmt.Sprintf("Ask whether deleted rows of %s should keep their keys.", t.FullName())
	case UniqueAllowsLiveDuplicate:
		return fmt.Sprintf("Make %s unique among live rows.", t.FullName())
	case HoldsDeleted:
		return fmt.Sprintf("Take the deleted rows out of index %s of %s.", name, t.FullName())
	}
	if a.Purpose == Purge {
		return fmt.Sprintf("Index the deletion time of %s for its purge.", t.FullName())
	}
	return fmt.Sprintf("Take the deleted rows out of index %s of %s.", name, t.FullName())
}

// gainWords put the gain of an advice into a sentence.
func gainWords(a Advice) string {
	about := "About "
	if a.Proved {
		about = ""
	}
	switch {
	case a.Problem == UniqueAllowsLiveDuplicate && a.Rows > 0:
		return fmt.Sprintf("%s live rows are unique in truth.", Thousands(float64(a.Rows)))
	case a.Problem == UniqueAllowsLiveDuplicate:
		return "Live rows are unique in truth."
	case a.Rows > 0:
		return fmt.Sprintf("The keys of %s deleted rows are free again.", Thousands(float64(a.Rows)))
	case a.Purpose == Purge:
		return fmt.Sprintf("%s%s less to read for each batch.", about, size(a.Bytes))
	case a.Bytes > 0:
		return fmt.Sprintf("%s%s less of disk, cache and writes.", about, size(a.Bytes))
	default:
		return "Less to maintain at each write."
	}
}
