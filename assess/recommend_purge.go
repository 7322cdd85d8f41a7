package assess

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"

	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// purgePaysOff reports whether a purge would improve the verdict, or would at least remove too many rows past their
// retention.
func (t *TableHealth) purgePaysOff() bool {
	return t.CleanupRecommended() && t.Numbers.Old != nil && t.Numbers.Old.Value >= 1 &&
		(t.Numbers.Old.Low() > t.Limits.OldDeletedRows.Fair ||
			!t.Limits.small(t.Numbers) && t.Limits.DeletionRatio.health(t.ratioAfterPurge()) < t.Rows.Health)
}

// ratioAfterPurge returns the deletion ratio after the old rows are removed.
func (t *TableHealth) ratioAfterPurge() float64 {
	n := t.Numbers
	total := n.Total.Value - n.Old.Value
	if total < 1 {
		return 0
	}
	return max(0, n.Deleted.Value-n.Old.Value) / total
}

// purge recommends to remove the rows past retention. Watched are the tables with soft delete, as "database
// schema.table".
func (t *TableHealth) purge(watched map[string]bool) Recommendation {
	n := t.Numbers
	likely, Likely := "", ""
	if n.Old.Margin > 0 {
		likely, Likely = "about ", "About "
	}
	r := Recommendation{
		Kind: PurgeRows, Urgency: t.Rows.Health, Database: t.Database, Table: t, Withheld: t.Withheld(),
		Title: fmt.Sprintf("Purge %s%s of %s.", likely, softdelete.Plural(int(math.Round(n.Old.Value)), "old deleted row"),
			t.FullName()),
		Reason: fmt.Sprintf(
			"They were deleted longer ago than the retention of %s, and every scan and backup still reads them.",
			softdelete.Days(t.Policy.Retention)),
		Gain: Gain{
			Text: fmt.Sprintf("%s%s less to read and to store", Likely,
				softdelete.Plural(int(math.Round(n.Old.Value)), "row")),
			Rows:      int64(n.Old.Value),
			Estimated: n.Old.Margin > 0,
		},
	}
	if now, then := softdelete.Percent(n.Ratio.Value), softdelete.Percent(t.ratioAfterPurge()); now != then {
		r.Gain.Text += fmt.Sprintf("; the deletion ratio falls from %s to %s", now, then)
	}
	r.Gain.Text += "."
	if len(r.Withheld) > 0 {
		r.Reason += " There is no script: " + strings.Join(r.Withheld, "; ") + "."
		r.Remedies = t.settle()
		return r
	}
	r.Notes = append(r.Notes,
		"Purged rows cannot be restored: have a backup, and rehearse first ("+t.purgeCommand()+" --rehearse | psql -X).",
		"Run it as "+t.Purging.Owner+
			", the owner of the table: code in the table's indexes runs with the rights of the role that runs the script.")
	r.Notes = append(r.Notes, t.referenced(watched)...)
	if t.stuck() {
		r.Notes = append(r.Notes,
			fmt.Sprintf(
				"After the purge, %s of its rows are deleted but not yet past retention: check whether they must be kept for %s.",
				softdelete.Percent(t.ratioAfterPurge()), softdelete.Days(t.Policy.Retention)))
	}
	if t.Partitioned {
		r.Notes = append(r.Notes,
			"It purges one partition after another. A partition without any row to keep is removed faster with DETACH "+
				"PARTITION CONCURRENTLY and DROP TABLE.")
	}
	r.Notes = append(r.Notes, "VACUUM then frees the space for new rows; the files do not shrink.")
	return r
}

// settle returns the settings that make certain which rows are past retention.
func (t *TableHealth) settle() []string {
	var all []string
	for _, d := range t.Doubts() {
		for _, setting := range d.Settings {
			all = append(all, t.entry(strings.Split(setting, "\n")))
		}
	}
	return all
}

// entry returns the table's entry in the configuration with some settings.
func (t *TableHealth) entry(settings []string) string {
	return entries([]*TableHealth{t}, func(*TableHealth) string { return strings.Join(settings, "\n    ") })
}

// referenced returns notes about the tables that reference this one.
func (t *TableHealth) referenced(watched map[string]bool) []string {
	var by, along []string
	for _, k := range t.Purging.Keys {
		name := k.Schema + "." + k.Name
		if k.Itself {
			name = "the table itself"
		}
		if !slices.Contains(by, name) {
			by = append(by, name)
		}
		if k.Cascades && !watched[t.Database+" "+name] && !slices.Contains(along, name) {
			along = append(along, name)
		}
	}
	var notes []string
	if len(by) > 0 {
		notes = append(notes,
			fmt.Sprintf(
				"A row is kept if a row of %s references it, whatever the action of the foreign key is. docs/report.md says "+
					"what to do about rows that are always referenced.", strings.Join(by, " or ")))
	}
	for _, name := range along {
		notes = append(notes,
			fmt.Sprintf(
				"If rows of %s mean nothing without the row that they reference, delete them along with it: --go-along=%s.",
				name, shellQuote(name)))
	}
	return notes
}

// purgeCommand returns the command that prints the script for this table.
func (t *TableHealth) purgeCommand() string {
	return fmt.Sprintf("softdelete_exporter purge-script --database=%s --table=%s", shellQuote(t.Database),
		shellQuote(regexp.QuoteMeta(t.FullName())))
}

// shellQuote writes a word for a shell.
func shellQuote(word string) string {
	if word != "" && strings.Trim(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-") == "" {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}
