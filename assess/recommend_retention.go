package assess

import (
	"fmt"
	"strings"
	"time"

	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// stuck reports whether the table would have too many deleted rows even after a purge.
func (t *TableHealth) stuck() bool {
	if !t.CleanupRecommended() || t.Policy.Retention == 0 {
		return false
	}
	left := t.Numbers.Ratio.Low()
	if t.Numbers.Old != nil {
		left = min(left, t.ratioAfterPurge())
	}
	return !t.Limits.small(t.Numbers) && t.Limits.DeletionRatio.health(left) > softdelete.Good
}

// recommendRetention makes at most two recommendations for the tables that a purge cannot help: one to check their
// retention, and one to record deletion times. It leaves out tables with a purge recommendation.
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
		r.Title = fmt.Sprintf("Check whether deleted rows of %s must be kept so long.", several(kept))
		r.Reason = fmt.Sprintf("Hardly any of them is past retention, so a purge does not help. Deleted rows: %s.",
			shares(kept))
		r.Gain = Gain{Text: a.shorterRetention(kept)}
		r.Remedies = []string{entries(kept, func(*TableHealth) string { return "retention: " + softdelete.FillIn })}
		r.Notes = []string{"Or move rows to another table when they are deleted, so that they do not share blocks " +
			"with live rows.", decline}
		a.Recommendations = append(a.Recommendations, r)
	}
	if len(timeless) > 0 {
		r := about(timeless)
		r.Title = fmt.Sprintf("Record when rows of %s are deleted.", several(timeless))
		r.Reason = fmt.Sprintf("The marker has no time, so it is unknown which rows are past retention. Deleted rows: %s.",
			shares(timeless))
		r.Gain = Gain{Text: "With a deletion time, a purge can remove rows that are past retention."}
		r.Remedies = []string{entries(timeless, func(t *TableHealth) string {
			return "column: " + softdelete.QuoteYAML(t.Markers[0].Column) + "\n    time_column: " + softdelete.FillIn
		})}
		r.Notes = []string{decline}
		a.Recommendations = append(a.Recommendations, r)
	}
}

// decline says how to get no more advice on retention.
const decline = "If these rows must be kept, write retention: none instead."

// shorterRetention says what a shorter retention would achieve, which depends on the age of the rows.
func (a *Assessment) shorterRetention(tables []*TableHealth) string {
	var oldest time.Time
	for _, t := range tables {
		if at := t.Numbers.Oldest; !at.IsZero() && (oldest.IsZero() || at.Before(oldest)) {
			oldest = at
		}
	}
	age := daysBetween(oldest, a.Now)
	switch {
	case oldest.IsZero():
		return "A purge can then remove the rows that are older than the new retention."
	case age < 1:
		return "None for now: the oldest deletion is less than a day old."
	default:
		return fmt.Sprintf(
			"A purge can then remove the rows that are older than the new retention; the oldest deletion is %s old.",
			softdelete.Plural(age, "day"))
	}
}

// about returns a recommendation about some tables, of which the worst must come first.
func about(tables []*TableHealth) Recommendation {
	r := Recommendation{Kind: FixRetention, Urgency: tables[0].Rows.Health}
	if len(tables) == 1 {
		r.Database, r.Table = tables[0].Database, tables[0]
	}
	return r
}

// named is how many tables a recommendation names at most.
const named = 5

func several(tables []*TableHealth) string {
	if len(tables) == 1 {
		return tables[0].FullName()
	}
	return softdelete.Plural(len(tables), "table")
}

// shares returns how much of each table is deleted.
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

// entries returns entries of the configuration with one setting each.
func entries(tables []*TableHealth, setting func(*TableHealth) string) string {
	text := "tables:"
	for _, t := range tables[:min(len(tables), named)] {
		text += fmt.Sprintf("\n  - schema: %s\n    table: %s\n    %s", softdelete.QuoteYAML(t.Schema),
			softdelete.QuoteYAML(t.Name), setting(t))
	}
	return text
}
