package report

import (
	"fmt"
	"strings"

	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// short writes what fits on the screen: the most urgent recommendations, one line each, and the first tables.
func (t *text) short(r Report) {
	t.header(r)
	// Empty lines, titles, the heads of the list, and the lines that say what is left out.
	left := t.Height - t.lines() - 4
	items := r.items()
	if len(items) > 0 {
		left -= 3
	}
	if len(r.alerts()) > 0 {
		left -= 2
	}
	if len(r.Services) > 0 {
		left--
	}
	todo := min(len(items), max(3, left/3))
	if len(items) > 0 {
		t.section("What to do")
		for i, one := range items[:todo] {
			t.cut(fmt.Sprintf("%3d. %s", i+1, one.Title))
		}
		if more := len(items) - todo; more > 0 {
			t.line("     ", softdelete.Thousands(float64(more)), " more")
		}
	}
	if len(r.alerts()) > 0 {
		t.line()
		t.cut(softdelete.Plural(len(r.alerts()), "alert") + ": " + r.conditions())
	}
	if len(r.Services) > 0 {
		var services []string
		for _, s := range r.Services {
			services = append(services, s.Name+" "+s.Health.String())
		}
		t.cut("Services: " + strings.Join(services, ", "))
	}
	all := r.sorted()
	if len(all) > 0 {
		t.section("Tables: " + r.counts())
		shown := min(len(all), max(5, left-todo))
		list := t.list(r, all[:shown])
		t.line(t.paint(faint, list.head()))
		for i := range all[:shown] {
			list.line(t, i)
		}
	}
	t.line()
	t.cut("Only the first are shown. Run it with --full for all of them, with reasons and statements.")
}

// lines is how many lines there are so far.
func (t *text) lines() int { return strings.Count(t.out.String(), "\n") }

// cut writes a text as one line, and only what fits into it.
func (t *text) cut(s string) {
	runes := []rune(softdelete.Printable(s))
	if len(runes) > t.Width {
		runes = append(runes[:t.Width-1], '…')
	}
	t.line(string(runes))
}

// line writes a table in one line; the end of a name that is too long is left out.
func (l tableList) line(t *text, i int) {
	name := []rune(l.names[i])
	if most := max(l.name, 1); len(name) > most {
		name = append(name[:most-1], '…')
	}
	t.line("  ", t.verdict(l.tables[i].Verdict.Health), "  ", string(name),
		strings.Repeat(" ", max(0, l.name-len(name))), l.numbers(i+1))
}

// conditions says how many alerts there are of each condition, in the order in which they first come.
func (r Report) conditions() string {
	var order []string
	count := map[string]int{}
	for _, a := range r.alerts() {
		words := strings.ReplaceAll(string(a.Condition), "_", " ")
		if count[words] == 0 {
			order = append(order, words)
		}
		count[words]++
	}
	for i, words := range order {
		order[i] = fmt.Sprintf("%s %s", softdelete.Thousands(float64(count[words])), words)
	}
	return strings.Join(order, ", ")
}
