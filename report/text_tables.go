package report

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/softdelete-exporter/softdelete_exporter/assess"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// tables lists the tables, worst first, each with its problems below it.
func (t *text) tables(r Report) {
	if len(r.Tables) == 0 {
		return
	}
	t.section("Tables: " + r.counts())
	all := r.sorted()
	list := t.list(r, all)
	t.line(t.paint(faint, list.head()))
	for i, table := range all {
		list.row(t, i)
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

// tableList is the list of tables as columns of text.
type tableList struct {
	tables []*assess.TableHealth
	names  []string
	rows   [][]string
	widths []int
	// name is the width of the names.
	name int
}

// titles are the titles of the columns; expendable are the columns that a narrow screen does without, in turn.
var (
	titles     = []string{"active", "deleted", "ratio", "old", "oldest", "overdue", "size"}
	expendable = []string{"active", "oldest", "size", "overdue"}
)

// enough is how many columns are enough for the name of a table.
const enough = 24

// leadWidth is the width of a verdict and of the spaces around it.
const leadWidth = 11

// list arranges some tables, with as many columns as fit.
func (t *text) list(r Report, tables []*assess.TableHealth) tableList {
	l := tableList{tables: tables, rows: [][]string{titles}}
	longest := 0
	for _, table := range tables {
		name := softdelete.Printable(table.FullName())
		if len(r.Databases) > 1 {
			name = softdelete.Printable(table.Database) + " " + name
		}
		longest = max(longest, columns(name))
		l.names, l.rows = append(l.names, name), append(l.rows, cells(r, table))
	}
	for hidden := 0; ; hidden++ {
		l.name, l.widths = t.Width-leadWidth, make([]int, len(titles))
		for i, title := range titles {
			if slices.Contains(expendable[:hidden], title) {
				continue
			}
			if len(tables) > 0 && !slices.ContainsFunc(l.rows[1:], func(row []string) bool { return row[i] != "-" }) {
				continue // nothing is known
			}
			for _, row := range l.rows {
				l.widths[i] = max(l.widths[i], columns(row[i]))
			}
			l.name -= l.widths[i] + 2
		}
		if l.name >= min(longest, enough) || hidden == len(expendable) {
			return l
		}
	}
}

func (l tableList) head() string {
	return strings.Repeat(" ", leadWidth+max(l.name, 0)) + l.numbers(0)
}

func (l tableList) numbers(row int) string {
	var line strings.Builder
	for i, cell := range l.rows[row] {
		if l.widths[i] > 0 {
			line.WriteString("  " + strings.Repeat(" ", l.widths[i]-columns(cell)) + cell)
		}
	}
	return line.String()
}

// row writes a table; a name that is too long gets a line of its own.
func (l tableList) row(t *text, i int) {
	lead := "  " + t.verdict(l.tables[i].Verdict.Health) + "  "
	if length := columns(l.names[i]); length <= l.name {
		t.line(lead, l.names[i], strings.Repeat(" ", l.name-length), l.numbers(i+1))
		return
	}
	t.wrap(lead, l.names[i])
	t.line(strings.Repeat(" ", leadWidth+max(l.name, 0)), l.numbers(i+1))
}

// cells returns the numbers of a table; a dash means unknown or none.
func cells(r Report, t *assess.TableHealth) []string {
	c := []string{"-", "-", "-", "-", "-", "-", "-"}
	n := t.Numbers
	if n == nil {
		return c
	}
	c[0], c[1], c[2] = rows(n.Active), rows(n.Deleted), ratio(n.Ratio)
	if n.Old != nil {
		c[3] = rows(*n.Old)
	}
	c[4], c[5], c[6] = oldest(t), overdue(r, t), deadSize(t)
	return c
}

// oldest is the day of the oldest deletion; a sign says that a sample may lack an older one.
func oldest(t *assess.TableHealth) string {
	at := t.OldestDeletion()
	switch {
	case at.IsZero():
		return "-"
	case t.Numbers.Oldest.IsZero():
		return "≤" + at.UTC().Format(time.DateOnly)
	default:
		return at.UTC().Format(time.DateOnly)
	}
}

// overdue is for how long a purge has been overdue.
func overdue(r Report, t *assess.TableHealth) string {
	days := t.Overdue(r.Now)
	switch {
	case days == 0:
		return "-"
	case t.Numbers.Oldest.IsZero():
		return "≥" + softdelete.Plural(days, "day")
	default:
		return softdelete.Plural(days, "day")
	}
}

// deadSize is about how much the deleted rows take.
func deadSize(t *assess.TableHealth) string {
	if t.Numbers == nil || t.Numbers.DeletedBytes == nil {
		return "-"
	}
	return softdelete.Size(int64(*t.Numbers.DeletedBytes))
}
