//go:build e2e

package monitoring

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/url"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// asked is a panel with the answers to its queries, as grafana/panels.cjs reads it.
type asked struct {
	Panel   json.RawMessage `json:"panel"`
	Answers []answer        `json:"answers"`
}

type answer struct {
	RefID  string          `json:"refId"`
	Legend string          `json:"legend"`
	Result json.RawMessage `json:"result"`
}

// cell is what Grafana shows for a value.
type cell struct {
	Text, Color string
	Links       []string
}

// column is a field of a table, or a series. Nothing is what it would show for no value.
type column struct {
	Name, Title string
	Hidden      bool
	Nothing     cell
	Cells       []cell
}

// shown is what Grafana shows in a panel.
type shown struct {
	Columns []column
	Nothing cell
}

// render has Grafana's library show the panels.
func render(t *testing.T, panels []asked) (all []shown) {
	t.Helper()
	input, err := json.Marshal(panels)
	if err != nil {
		t.Fatal(err)
	}
	modules, err := filepath.Abs("../../.cache/grafana-data/node_modules")
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "node", "grafana/panels.cjs")
	cmd.Env = append(cmd.Environ(), "NODE_PATH="+modules)
	cmd.Stdin = bytes.NewReader(input)
	var said strings.Builder
	cmd.Stderr = &said
	output, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v; scripts/tools.sh e2e gets what is missing\n%s", err, said.String())
	}
	if err := json.Unmarshal(output, &all); err != nil {
		t.Fatal(err)
	}
	return all
}

// ask returns the panel with the answers for the first choice for which the first query has one.
func (p panel) ask(t *testing.T, prom prometheus, choices []choice) (asked, choice) {
	t.Helper()
	result := func(c choice, q target) json.RawMessage {
		path, parameters := q.request(t, c)
		return ask[struct{ Result json.RawMessage }](t, prom, path, parameters).Result
	}
	chosen := choices[0]
	for _, c := range choices {
		if string(result(c, p.Targets[0])) != "[]" {
			chosen = c
			break
		}
	}
	all := asked{Panel: p.raw}
	for _, q := range p.Targets {
		all.Answers = append(all.Answers, answer{q.RefID, q.LegendFormat, result(chosen, q)})
	}
	return all, chosen
}

var (
	grey      = "#6e7280"
	parameter = regexp.MustCompile(`^var-(\w+)$`)
)

// faults lists what is wrong with a panel as it is shown: columns that are missing, links that lose something, and
// nothing that looks like something.
func (p panel) faults(s shown, found func(dashboard string, values choice) bool) (faults []string) {
	fault := func(format string, args ...any) { faults = append(faults, fmt.Sprintf(format, args...)) }
	switch p.Type {
	case "stat", "bargauge":
		if s.Nothing.Text == "" || s.Nothing.Color != grey {
			fault("nothing is shown as %q in %s, want a word in %s", s.Nothing.Text, s.Nothing.Color, grey)
		}
	case "table":
		for _, name := range p.included() {
			if !slices.ContainsFunc(s.Columns, func(c column) bool { return c.Name == name }) {
				fault("the field %s is missing", name)
			}
		}
		for _, c := range s.Columns {
			if strings.HasPrefix(c.Name, "Value") && (c.Nothing.Text != "–" || strings.Trim(c.Nothing.Color, "#0") != "transparent") {
				fault("column %s shows nothing as %q in %q", c.Title, c.Nothing.Text, c.Nothing.Color)
			}
			for row, cell := range c.Cells {
				for _, link := range cell.Links {
					for _, f := range linkFaults(link, func(label string) string { return s.text(label, row) }, found) {
						fault("column %s: %s: %s", c.Title, link, f)
					}
				}
			}
		}
	}
	return faults
}

// text returns what a row has for a label.
func (s shown) text(label string, row int) string {
	for _, c := range s.Columns {
		if c.Name == label && row < len(c.Cells) {
			return c.Cells[row].Text
		}
	}
	return ""
}

// linkFaults lists what is wrong with a link: it has to name what its row names, and to lead to something.
func linkFaults(link string, row func(label string) string, found func(string, choice) bool) (faults []string) {
	if strings.Contains(link, "$") || strings.Contains(link, "%7B") {
		return []string{"a variable is not resolved"}
	}
	to, err := url.Parse(link)
	if err != nil {
		return []string{err.Error()}
	}
	uid, isDashboard := strings.CutPrefix(to.Path, "/d/")
	if !isDashboard {
		if to.Path != "/report" || to.Host != row("instance") {
			faults = append(faults, "this is not the server of the row")
		}
		return faults
	}
	values := choice{}
	for name, value := range to.Query() {
		if match := parameter.FindStringSubmatch(name); match != nil && match[1] != "datasource" {
			values[match[1]] = value[0]
			if own := row(match[1]); own != value[0] || own == "" {
				faults = append(faults, fmt.Sprintf("%s is %q in the row", match[1], own))
			}
		}
	}
	if !found(uid, values) {
		faults = append(faults, "nothing is there")
	}
	return faults
}

// Grafana's library shows every panel from the answers of a real Prometheus.
func checkPanels(t *testing.T, prom prometheus, all []dashboard) {
	t.Helper()
	known := map[string]bool{}
	// found reports whether a link leads to something: the values that it names choose exactly that.
	found := func(uid string, values choice) bool {
		key := fmt.Sprint(uid, values)
		if is, asked := known[key]; asked {
			return is
		}
		i := slices.IndexFunc(all, func(d dashboard) bool { return d.UID == uid })
		if i < 0 {
			return false
		}
		c := all[i].everything()
		for name, value := range values {
			if _, isVariable := c[name]; !isVariable {
				return false
			}
			c[name] = value
		}
		// Of single-valued variables, none may be left open.
		complete := true
		for _, v := range all[i].Templating.List {
			if _, given := values[v.Name]; v.Type == "query" && !v.Multi && !given {
				complete = false
			}
		}
		path, parameters := all[i].Panels[0].Targets[0].request(t, c)
		known[key] = complete && len(ask[struct{ Result []series }](t, prom, path, parameters).Result) > 0
		return known[key]
	}
	var panels []panel
	var questions []asked
	for _, d := range all {
		choices := d.choices(t, prom)
		for _, p := range d.Panels {
			if len(p.Targets) > 0 {
				q, _ := p.ask(t, prom, choices)
				p.dashboard = d.UID
				panels, questions = append(panels, p), append(questions, q)
			}
		}
	}
	links := 0
	for i, s := range render(t, questions) {
		for _, f := range panels[i].faults(s, found) {
			t.Errorf("%s/%s: %s", panels[i].dashboard, panels[i].Title, f)
		}
		for _, c := range s.Columns {
			for _, cell := range c.Cells {
				links += len(cell.Links)
			}
		}
	}
	if links < 20 {
		t.Errorf("only %d links were followed", links)
	}

	// The check itself notices a field with another name.
	for _, label := range []string{"job", "instance", "relname"} {
		var broken []panel
		var questions2 []asked
		for i, p := range panels {
			if p.Type == "table" && slices.Contains(p.included(), label) && strings.Contains(string(p.raw), "fields."+label) {
				q := questions[i]
				_, rest, _ := strings.Cut(string(p.raw), `"transformations"`)
				q.Panel = json.RawMessage(strings.Replace(string(p.raw), rest, strings.ReplaceAll(rest, `"`+label+`"`, `"other"`), 1))
				broken, questions2 = append(broken, p), append(questions2, q)
			}
		}
		if len(broken) == 0 {
			t.Errorf("no link needs %s", label)
		}
		for i, s := range render(t, questions2) {
			p := broken[i]
			if !slices.ContainsFunc(p.faults(s, found), func(f string) bool { return strings.Contains(f, "a variable is not resolved") }) {
				t.Errorf("%s/%s: without the field %s, no link is broken", p.dashboard, p.Title, label)
			}
		}
	}
}
