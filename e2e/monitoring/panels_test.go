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
	"time"
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

// fields returns the names of the fields that a table of the answers has: labels, and a value of each query.
func (a asked) fields(t *testing.T) map[string]bool {
	t.Helper()
	names := map[string]bool{}
	for _, one := range a.Answers {
		var result []series
		if err := json.Unmarshal(one.Result, &result); err != nil {
			t.Fatal(err)
		}
		names["Value"], names["Value #"+one.RefID] = len(a.Answers) == 1, len(a.Answers) > 1
		for _, s := range result {
			for label := range s.Metric {
				names[label] = true
			}
		}
	}
	return names
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
func (p panel) ask(t *testing.T, prom prometheus, choices []choice) asked {
	t.Helper()
	now := time.Now() // for all queries, because Grafana joins rows of the same time
	result := func(c choice, q target) json.RawMessage {
		path, parameters := q.request(t, c, now)
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
	return all
}

// grey is the colour of a panel without a value, and transparent that of such a cell.
const (
	grey        = "#6e7280"
	transparent = "rgba(0,0,0,0)"
)

var (
	parameter = regexp.MustCompile(`^var-(\w+)$`)
)

// faults lists what is wrong with a panel as it is shown: columns that are missing, links that lose something, and
// nothing that looks like something.
func (p panel) faults(s shown, fields map[string]bool, found func(string, choice) bool) (faults []string) {
	fault := func(format string, args ...any) { faults = append(faults, fmt.Sprintf(format, args...)) }
	switch p.Type {
	case "stat", "bargauge":
		if s.Nothing.Text == "" || s.Nothing.Color != grey {
			fault("nothing is shown as %q in %s, want a word in %s", s.Nothing.Text, s.Nothing.Color, grey)
		}
	case "table":
		for _, name := range p.included() {
			if fields[name] && !slices.ContainsFunc(s.Columns, func(c column) bool { return c.Name == name }) {
				fault("the field %s is missing", name)
			}
		}
		rows := map[string]bool{}
		for row := range s.rows() {
			labels := ""
			for _, c := range s.Columns {
				if !strings.HasPrefix(c.Name, "Value") {
					labels += c.Cells[row].Text + "|"
				}
			}
			if rows[labels] {
				fault("two rows of %s", labels)
			}
			rows[labels] = true
		}
		for _, c := range s.Columns {
			if strings.HasPrefix(c.Name, "Value") && (c.Nothing.Text != "–" || c.Nothing.Color != transparent) {
				fault("column %s shows nothing as %q in %q", c.Title, c.Nothing.Text, c.Nothing.Color)
			}
			if slices.Contains(p.included(), c.Name) && c.Hidden != (c.Title == c.Name) {
				fault("column %s: hidden is %t", c.Title, c.Hidden)
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

// rows returns the number of rows of a table.
func (s shown) rows() int {
	if len(s.Columns) == 0 {
		return 0
	}
	return len(s.Columns[0].Cells)
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
		// The default reportURL is not for probed servers.
		if link != "http://"+row("instance")+"/report" {
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
		path, parameters := all[i].Panels[0].Targets[0].request(t, c, time.Now())
		known[key] = complete && len(ask[struct{ Result []series }](t, prom, path, parameters).Result) > 0
		return known[key]
	}
	var panels []panel
	var questions []asked
	for _, d := range all {
		choices := d.choices(t, prom)
		for _, p := range d.Panels {
			if len(p.Targets) > 0 {
				q := p.ask(t, prom, choices)
				p.dashboard = d.UID
				panels, questions = append(panels, p), append(questions, q)
			}
		}
	}
	links := 0
	for i, s := range render(t, questions) {
		for _, f := range panels[i].faults(s, questions[i].fields(t), found) {
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
	var broken []panel
	var brokenQuestions []asked
	for i, p := range panels {
		for _, label := range []string{"job", "instance", "datname", "schemaname", "relname"} {
			if p.Type == "table" && strings.Contains(string(p.raw), "fields."+label) {
				before, after, _ := strings.Cut(string(p.raw), `"transformations"`)
				after = strings.ReplaceAll(after, `"`+label+`"`, `"other"`)
				broken = append(broken, p)
				brokenQuestions = append(brokenQuestions, asked{
					json.RawMessage(before + `"transformations"` + after), questions[i].Answers,
				})
			}
		}
	}
	for i, s := range render(t, brokenQuestions) {
		if p := broken[i]; len(p.faults(s, brokenQuestions[i].fields(t), found)) == 0 {
			t.Errorf("%s/%s: a field with another name is not noticed", p.dashboard, p.Title)
		}
	}
}
