package report

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/softdelete-exporter/softdelete_exporter/assess"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// width is the number of columns of the text. Statements are not wrapped, so that they can be copied.
const width = 80

// Text writes the report for a terminal, with colours if the terminal supports them.
func Text(w io.Writer, r Report, colour bool) error {
	t := text{colour: colour}
	t.header(r)
	t.alerts(r)
	t.groups(r)
	t.tables(r)
	t.recommendations(r)
	_, err := w.Write(t.out.Bytes())
	return err
}

// text is the text of the report written so far.
type text struct {
	out    bytes.Buffer
	colour bool
}

// ANSI escape sequences (ECMA-48, SGR).
const (
	bold  = "1"
	faint = "2"
)

var colours = map[softdelete.Health]string{softdelete.Poor: "1;31", softdelete.Unknown: "35", softdelete.Fair: "33",
	softdelete.Good: "32"}

// paint colours a printable text.
func (t *text) paint(sgr, s string) string {
	if !t.colour {
		return s
	}
	return "\x1b[" + sgr + "m" + s + "\x1b[0m"
}

// verdict writes a verdict with a fixed width, in capitals if it needs attention.
func (t *text) verdict(h softdelete.Health) string {
	word := h.String()
	if h == softdelete.Poor {
		word = strings.ToUpper(word)
	}
	return t.paint(colours[h], fmt.Sprintf("%-7s", word))
}

func (t *text) line(parts ...string) {
	t.out.WriteString(strings.TrimRight(strings.Join(parts, ""), " ") + "\n")
}

// escape matches an escape sequence of paint.
var escape = regexp.MustCompile("\x1b\\[[0-9;]*m")

// columns returns how many columns a text takes.
func columns(s string) int { return utf8.RuneCountInString(escape.ReplaceAllString(s, "")) }

// wrap writes a text in lines: the first after lead, the others indented to the same column.
func (t *text) wrap(lead, s string) {
	indent := strings.Repeat(" ", columns(lead))
	line, empty := lead, true
	for _, word := range strings.Fields(softdelete.Printable(s)) {
		if !empty && columns(line)+1+columns(word) > width {
			t.line(line)
			line, empty = indent, true
		}
		if !empty {
			line += " "
		}
		// A name can be longer than a line.
		for columns(line)+columns(word) > width {
			cut := []rune(word)
			room := width - columns(line)
			t.line(line, string(cut[:room]))
			line, word = indent, string(cut[room:])
		}
		line, empty = line+word, false
	}
	t.line(line)
}

func (t *text) section(name string) {
	t.line()
	t.line(t.paint(bold, name))
}

func (t *text) header(r Report) {
	title, at := "Soft delete health: "+strings.ToUpper(r.Health.String()), r.Now.UTC().Format("2006-01-02 15:04:05 UTC")
	gap := strings.Repeat(" ", width-len(title)-len(at))
	t.line("Soft delete health: ", t.paint(colours[r.Health], strings.ToUpper(r.Health.String())), gap,
		t.paint(faint, at))
	if server := r.server(); server != "" {
		t.wrap("", "Server "+server+".")
	}
	t.wrap("", r.summary())
	if p := r.Connection.Ping; p.Up {
		t.wrap("", fmt.Sprintf("The connection is %s: %s.", r.Connection.Status, milliseconds(p.Milliseconds())))
	}
	if names := r.seen(); !r.Taken.IsZero() && len(names) > 0 {
		t.wrap("", fmt.Sprintf("%s checked %s: %s.", softdelete.OneOrMore(len(names), "Database", "Databases"),
			age(r.Now, r.Taken), strings.Join(names, ", ")))
	}
}

func (t *text) alerts(r Report) {
	if len(r.Alerts) == 0 {
		return
	}
	t.section("Alerts")
	for _, a := range r.Alerts {
		t.wrap("  ! ", a.Message)
	}
}

// groups shows databases and services, if there are several.
func (t *text) groups(r Report) {
	if len(r.Services) > 0 {
		t.section("Services")
		for _, s := range r.Services {
			t.group(t.verdict(s.Health), s.Name, softdelete.Plural(total(s.Tables), "table"))
		}
	}
	if len(r.Databases) > 1 {
		t.section("Databases")
		for _, d := range r.Databases {
			verdict := strings.Repeat(" ", len("unknown"))
			if d.Judged() {
				verdict = t.verdict(d.Health)
			}
			t.group(verdict, d.Name, note(d))
		}
	}
}

func (t *text) group(verdict, name, note string) {
	t.wrap("  "+verdict+"  ", name+": "+note)
}

// tables lists the tables, worst first, each with its problems below it.
func (t *text) tables(r Report) {
	if len(r.Tables) == 0 {
		return
	}
	t.section("Tables: " + r.counts())
	rows := [][]string{{"active", "deleted", "ratio", "old"}}
	for i := range r.Tables {
		rows = append(rows, cells(&r.Tables[i]))
	}
	widths := make([]int, 4)
	name := width - 11
	for i := range widths {
		for _, row := range rows {
			widths[i] = max(widths[i], columns(row[i]))
		}
		name -= widths[i] + 2
	}
	numbers := func(row []string) string {
		var line strings.Builder
		for i, cell := range row {
			line.WriteString("  " + strings.Repeat(" ", widths[i]-columns(cell)) + cell)
		}
		return line.String()
	}
	t.line(t.paint(faint, strings.Repeat(" ", 11+max(name, 0))+numbers(rows[0])))
	for i := range r.Tables {
		table := &r.Tables[i]
		full := softdelete.Printable(table.FullName())
		if len(r.Databases) > 1 {
			full = softdelete.Printable(table.Database) + " " + full
		}
		lead := "  " + t.verdict(table.Verdict.Health) + "  "
		if length := columns(full); length <= name {
			t.line(lead, full, strings.Repeat(" ", name-length), numbers(rows[i+1]))
		} else {
			t.wrap(lead, full)
			t.line(strings.Repeat(" ", 11+max(name, 0)), numbers(rows[i+1]))
		}
		t.reasons(r, table)
	}
	if slices.ContainsFunc(r.Tables, func(t assess.TableHealth) bool { return drawn(r, &t) != nil }) {
		t.line()
		t.wrap("  ", "The blocks are the deleted rows by age, oldest first. "+
			"Those before | are past the retention, to the day. What was purged is not seen.")
	}
}

// drawn returns the ages of a table, if the text shows them: if it is not simply good, or if its purge is overdue.
func drawn(r Report, t *assess.TableHealth) *ages {
	if t.Verdict.Health == softdelete.Good && !t.Verdict.Straddles() && t.Overdue(r.Now) == 0 {
		return nil
	}
	return newAges(t)
}

// ages shows when the rows of a table were deleted, and what follows from it; of a good table only that its purge is
// overdue.
func (t *text) ages(r Report, table *assess.TableHealth) {
	const indent = "           "
	a := drawn(r, table)
	if a == nil {
		return
	}
	said := table.Ages(r.Now)
	if table.Verdict.Health == softdelete.Good && !table.Verdict.Straddles() {
		said = said[:1]
	}
	words := strings.Join(said, "; ")
	if !a.exact() {
		words = strings.TrimPrefix(words+". "+a.String(), ". ")
	}
	t.wrap(indent, a.blocks()+" "+words)
}

// cells returns the numbers of a table; a dash means unknown.
func cells(t *assess.TableHealth) []string {
	n := t.Numbers
	if n == nil {
		return []string{"-", "-", "-", "-"}
	}
	old := "-"
	if n.Old != nil {
		old = rows(*n.Old)
	}
	return []string{rows(n.Active), rows(n.Deleted), ratio(n.Ratio), old}
}

// reasons says why a table is not simply good.
func (t *text) reasons(r Report, table *assess.TableHealth) {
	const indent = "           "
	reasons := table.Reasons()
	if table.Verdict.Straddles() {
		reasons = strings.TrimPrefix(reasons+"; by its margin "+table.Verdict.Range(), "; ")
	}
	if table.Verdict.Health != softdelete.Good || table.Verdict.Straddles() {
		if table.Numbers != nil {
			reasons += fmt.Sprintf("; %s, %s", table.Numbers.Method, age(r.Now, table.Checked))
		}
		t.wrap(indent, reasons)
	}
	if table.Problem != nil {
		t.wrap(indent, table.Problem.Message)
	}
	t.ages(r, table)
	for _, f := range table.Findings {
		t.wrap(indent, fmt.Sprintf("index %s: %s", f.Index.Name, f.Problem.Label()))
	}
	for _, said := range integrity(table) {
		t.wrap(indent, said)
	}
}

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
