package report

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/softdelete-exporter/softdelete_exporter/assess"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// ages is the picture of when the deleted rows of a table were deleted: a bar for each range of ages, oldest first.
type ages struct {
	bars []ageBar
	// kept is how many bars are older than the retention; 0 if that is not between two bars.
	kept int
	// retention is the retention in words.
	retention string
}

// ageBar are the rows of an age.
type ageBar struct {
	label string
	rows  softdelete.Estimate
}

// fewEdges is how many edges between bars are all shown: those of a sample are few, and may be any.
const fewEdges = 9

// newAges returns the picture of a table, or nil if there is nothing to show.
func newAges(t *assess.TableHealth) *ages {
	if t.Numbers == nil || t.Numbers.Ages == nil || t.Numbers.Ages.All().Value == 0 {
		return nil
	}
	last := softdelete.AgeEdge(t.Counted, 0)
	days := func(edge time.Time) int { return int(last.Sub(edge) / (24 * time.Hour)) }
	shown, kept := append([]int{0}, softdelete.AgeDays...), 0
	if t.HasAges() {
		kept = int(t.Policy.Retention / (24 * time.Hour))
		shown = append(shown, kept)
	}
	a := &ages{retention: softdelete.Days(t.Policy.Retention)}
	for _, c := range t.Numbers.Ages.Classes(func(edge time.Time) bool {
		return len(t.Numbers.Ages.Edges) <= fewEdges || slices.Contains(shown, days(edge))
	}) {
		if c.From.Equal(last) && c.Rows.Value == 0 {
			continue // nothing was deleted in the future
		}
		a.bars = append(a.bars, ageBar{ageLabel(c, days), c.Rows})
		if kept > 0 && !c.To.IsZero() && days(c.To) == kept {
			a.kept = len(a.bars)
		}
	}
	return a
}

// ageLabel says how long ago the rows of a class were deleted, in days of UTC, of which the day of the count is the
// first.
func ageLabel(c softdelete.AgeClass, days func(time.Time) int) string {
	from, to := days(c.From), days(c.To)
	switch {
	case c.From.IsZero() && c.To.IsZero():
		return "any age"
	case c.From.IsZero():
		return "more than " + softdelete.Plural(to, "day")
	case c.To.IsZero() && from == 0:
		return "in the future"
	case c.To.IsZero():
		return "up to " + softdelete.Plural(from, "day")
	case from == 1:
		return "last day"
	case from-to == 1:
		return fmt.Sprintf("day %d", from)
	default:
		return fmt.Sprintf("%d to %d days", to+1, from)
	}
}

// String says what the picture shows.
func (a *ages) String() string {
	if a.kept == 0 {
		return "Deleted rows by age: " + list(a.bars) + "."
	}
	return fmt.Sprintf("Deleted rows by age. Past the retention of %s: %s. Within it: %s.", a.retention,
		list(a.bars[:a.kept]), list(a.bars[a.kept:]))
}

// list says how many rows some bars have, without empty ones.
func list(bars []ageBar) string {
	var parts []string
	for _, b := range bars {
		if b.rows.Value > 0 {
			parts = append(parts, b.String())
		}
	}
	return cmp.Or(strings.Join(parts, "; "), "none")
}

func (b ageBar) String() string {
	text := b.label + " " + rows(b.rows)
	if b.rows.Bounded() && b.rows.Margin > 0 {
		text += " ±" + softdelete.Thousands(b.rows.Margin)
	}
	return text
}

// exact reports whether no bar has a margin.
func (a *ages) exact() bool {
	return !slices.ContainsFunc(a.bars, func(b ageBar) bool { return b.rows.Margin != 0 })
}

// heights are the heights of the bars, from 0 to full. Only an empty bar has none.
func (a *ages) heights(full int) []int {
	most := 0.0
	for _, b := range a.bars {
		most = max(most, b.rows.Value)
	}
	heights := make([]int, len(a.bars))
	for i, b := range a.bars {
		heights[i] = int(math.Ceil(float64(full) * b.rows.Value / most))
	}
	return heights
}

// blocks draws the picture with characters.
func (a *ages) blocks() string {
	var line strings.Builder
	for i, height := range a.heights(8) {
		if i == a.kept && i > 0 {
			line.WriteByte('|')
		}
		line.WriteRune([]rune("·▁▂▃▄▅▆▇█")[height])
	}
	return line.String()
}

// agesView is the picture as an SVG of Width by Height.
type agesView struct {
	// ID is what its text has on the page.
	ID, Text      string
	Width, Height int
	// Overdue and Kept are paths. Mark is where the retention is; empty if it is not known.
	Overdue, Kept, Mark string
}

const (
	agesHeight = 24
	// agesStep is the width of a bar and the gap behind it.
	agesStep, agesBar = 10, 8
)

func (a *ages) view(order int) *agesView {
	v := &agesView{ID: "a" + strconv.Itoa(order), Text: a.String(), Width: agesStep*len(a.bars) + agesStep - agesBar,
		Height: agesHeight}
	for i, height := range a.heights(agesHeight - 2) {
		if height == 0 {
			continue
		}
		bar := fmt.Sprintf("M%d %dv%dh%dv%dz", agesStep*i+agesStep-agesBar, agesHeight, -max(2, height), agesBar,
			max(2, height))
		if i < a.kept {
			v.Overdue += bar
		} else {
			v.Kept += bar
		}
	}
	if a.kept > 0 {
		v.Mark = strconv.Itoa(agesStep*a.kept + (agesStep-agesBar)/2)
	}
	return v
}
