package report

import (
	"fmt"
	"math"
	"strings"

	"github.com/softdelete-exporter/softdelete_exporter/assess"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

func (t *text) recommendations(r Report) {
	if len(r.Recommendations) == 0 {
		return
	}
	t.section("What to do")
	n, purges := 0, false
	for i := range r.Recommendations {
		rec := &r.Recommendations[i]
		if rec.Kind == assess.PurgeRows && purges {
			continue
		}
		n++
		number := fmt.Sprintf("%3d. ", n)
		if rec.Kind == assess.PurgeRows {
			purges = true
			t.purges(r, number)
			continue
		}
		t.wrap(number, rec.Title)
		const indent = "     "
		t.wrap(indent, rec.Reason)
		t.wrap(indent+"Gain: ", rec.Gain.Text)
		for _, note := range rec.Notes {
			t.wrap(indent+"Note: ", note)
		}
		run, consider := statements(rec)
		t.code("", run)
		for n, remedy := range rec.Remedies {
			if n > 0 && !strings.Contains(rec.Remedies[n-1]+remedy, "\n") {
				t.statement(remedy)
			} else {
				t.code("", rec.Remedies[n:n+1])
			}
		}
		t.code(considering(run), consider)
		t.line()
	}
	t.wrap("", "softdelete_exporter does none of this itself: it never writes to a database.")
}

// purges shows all purges as one item, with a line for each table: the scripts are long, and a command prints them.
func (t *text) purges(r Report, number string) {
	var all []*assess.Recommendation
	old, printed := 0.0, 0
	for i := range r.Recommendations {
		if rec := &r.Recommendations[i]; rec.Kind == assess.PurgeRows {
			all = append(all, rec)
			old += rec.Table.Numbers.Old.Value
			if len(rec.Withheld) == 0 {
				printed++
			}
		}
	}
	title := fmt.Sprintf("Purge %s of %s.", softdelete.Plural(int(math.Round(old)), "old deleted row"),
		softdelete.Plural(len(all), "table"))
	if len(all) == 1 {
		title = all[0].Title
	}
	t.wrap(number, title)
	const indent = "     "
	t.wrap(indent, "They are past retention, and every scan and backup still reads them.")
	for _, rec := range all {
		n := rec.Table.Numbers
		name := rec.Table.FullName()
		if len(r.Databases) > 1 {
			name = rec.Database + " " + name
		}
		line := name + ": " + softdelete.OneOrMore(int(math.Round(n.Old.Value)), rows(*n.Old)+" row", rows(*n.Old)+" rows")
		if !n.Oldest.IsZero() {
			line += ", the oldest since " + n.Oldest.UTC().Format("2006-01-02")
		}
		if len(rec.Withheld) > 0 {
			line += "; no script: " + strings.Join(rec.Withheld, "; ")
		}
		t.wrap(indent+"- ", line)
	}
	if printed > 0 {
		t.wrap(indent+"Note: ",
			"Purged rows cannot be restored: have a backup, and rehearse first. "+
				"The page of the report shows the scripts and notes on each.")
		t.line()
		t.line("       ", "softdelete_exporter purge-script --all --rehearse | psql -X")
		t.line("       ", "softdelete_exporter purge-script --all | psql -X")
	}
	settings := ""
	for _, rec := range all {
		for _, remedy := range rec.Remedies {
			settings += strings.TrimPrefix(remedy, "tables:")
		}
	}
	if settings != "" {
		t.statement("tables:" + settings)
	}
	t.line()
}

// code writes statements unchanged, except for control characters.
func (t *text) code(title string, statements []string) {
	if len(statements) == 0 {
		return
	}
	const indent = "     "
	t.line()
	if title != "" {
		t.line(indent, title)
		t.line()
	}
	for _, s := range statements {
		t.statement(s)
	}
}

func (t *text) statement(s string) {
	for line := range strings.Lines(s) {
		t.line("       ", softdelete.Printable(strings.TrimRight(line, "\n")))
	}
}
