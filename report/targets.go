package report

import (
	"cmp"
	"encoding/json"
	"html/template"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// Target is a server in the list of all.
type Target struct {
	// Name and Module are those of /probe; both are empty for the connection string's server.
	Name, Module string
	// Link leads to its report.
	Link string
	Report
}

// targetDoc is a server in the JSON list.
type targetDoc struct {
	Target        string             `json:"target,omitempty"`
	AuthModule    string             `json:"auth_module,omitempty"`
	Report        string             `json:"report"`
	Server        *serverDoc         `json:"server,omitempty"`
	OverallHealth *softdelete.Health `json:"overall_health,omitempty"`
	Summary       string             `json:"summary"`
	Checked       *time.Time         `json:"snapshot_timestamp,omitempty"`
}

// sortTargets puts the worst first.
func sortTargets(all []Target) {
	slices.SortStableFunc(all, func(a, b Target) int { return cmp.Compare(b.Health, a.Health) })
}

// asked reports whether the server was ever asked anything. Without that it has no verdict.
func (t Target) asked() bool { return len(t.Connection.Pings) > 0 }

// told says how the server is.
func (t Target) told() string {
	if !t.asked() {
		return "Not asked yet."
	}
	return t.summary()
}

// TargetsJSON writes the list of servers, the worst first.
func TargetsJSON(w io.Writer, all []Target) error {
	sortTargets(all)
	docs := []targetDoc{}
	for _, t := range all {
		doc := targetDoc{Target: t.Name, AuthModule: t.Module, Report: t.Link, Summary: t.told(), Checked: instant(t.Taken),
			Server: newServer(t.Connection.Server())}
		if t.asked() {
			doc.OverallHealth = &t.Health
		}
		docs = append(docs, doc)
	}
	return encode(w, docs)
}

// targetView is a server on the page.
type targetView struct {
	Health, Name, Module, Server, Link, Told string
	Checked                                  *stampView
}

// TargetsHTML writes the list of servers as a page, the worst first.
func TargetsHTML(w io.Writer, all []Target, version string) error {
	sortTargets(all)
	now := time.Now()
	var views []targetView
	for _, t := range all {
		v := targetView{Name: cmp.Or(t.Name, "server of the connection string"), Module: t.Module, Server: t.server(),
			Link: t.Link, Told: t.told()}
		if t.asked() {
			v.Health = t.Health.String()
		}
		if !t.Taken.IsZero() {
			checked := newStamp(now, t.Taken)
			v.Checked = &checked
		}
		views = append(views, v)
	}
	var out strings.Builder
	err := page.ExecuteTemplate(&out, "targets.html", struct {
		Policy  string
		Style   template.CSS
		Targets []targetView
		Version string
	}{policy, template.CSS(style), views, version})
	if err != nil {
		return err
	}
	_, err = io.WriteString(w, softdelete.PrintableLines(out.String()))
	return err
}

// encode writes a document, with every character escaped on which a terminal would act.
func encode(w io.Writer, document any) error {
	var out strings.Builder
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(document); err != nil {
		return err
	}
	_, err := io.WriteString(w, escaped(out.String()))
	return err
}
