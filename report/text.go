package report

import (
	"bytes"
	"fmt"
	"io"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// Screen says what a text is written for.
type Screen struct {
	// Width is the number of columns. Statements are not wrapped, so that they can be copied.
	Width int
	// Height is the number of lines. A report that does not fit is shortened. 0 means that any fits.
	Height int
	// Colour is true if it understands the escape sequences for colours.
	Colour bool
}

// Page is the screen of a text that nobody said anything about.
var Page = Screen{Width: 80, Height: 50}

// The widths for which a text can be made.
const leastWidth, mostWidth = 60, 160

// Text writes the report for a terminal.
func Text(w io.Writer, r Report, s Screen) error {
	s.Width = min(max(s.Width, leastWidth), mostWidth)
	t := text{Screen: s}
	t.header(r)
	t.recommendations(r)
	t.alerts(r)
	t.groups(r)
	t.tables(r)
	if s.Height > 0 && bytes.Count(t.out.Bytes(), []byte("\n")) > s.Height {
		t = text{Screen: s}
		t.short(r)
	}
	_, err := w.Write(t.out.Bytes())
	return err
}

// text is the text of the report written so far.
type text struct {
	Screen
	out bytes.Buffer
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
	if !t.Colour {
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
		if !empty && columns(line)+1+columns(word) > t.Width {
			t.line(line)
			line, empty = indent, true
		}
		if !empty {
			line += " "
		}
		// A name can be longer than a line.
		for columns(line)+columns(word) > t.Width {
			cut := []rune(word)
			room := t.Width - columns(line)
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
	gap := strings.Repeat(" ", max(1, t.Width-len(title)-len(at)))
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
	if len(r.alerts()) == 0 {
		return
	}
	t.section("Alerts")
	for _, a := range r.alerts() {
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
