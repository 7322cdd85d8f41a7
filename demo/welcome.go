//go:build unix

package main

import (
	"fmt"
	"io"
	"strconv"
	"text/template"
	"time"

	"github.com/softdelete-exporter/softdelete_exporter/demo/data"
	"github.com/softdelete-exporter/softdelete_exporter/internal/pgserver"
)

// words is the text of the demo when everything runs.
var words = template.Must(template.New("").Parse(`
softdelete_exporter watches a shop on PostgreSQL {{.Server.Major}}: {{len .Tables}} tables that use soft delete,
about {{.Rows}} rows. Ready after {{.Seconds}}.
{{- if .Taken}}
Another program uses {{.Address}}, so the exporter listens on another port.{{end}}

  Report      {{.URL}}/report
  Metrics     {{.URL}}/metrics
  Connection  {{.URL}}/health
  Database    psql '{{.DSN}}'

The tables:
{{range .Tables}}
  {{printf "%-23s %s" .Name .Story}}{{end}}

Try this in another terminal:

  curl -s {{.URL}}/metrics | grep '^softdelete_deletion_ratio{'
  curl -s {{.URL}}/metrics | grep '^softdelete_old_deleted_rows{'

A few rows change every second: look again after 15 seconds.
Lock or drop a table, and see how its numbers change.

Ctrl-C stops everything and removes it.
`))

// greeting has the values for words.
type greeting struct {
	Options options
	// URL is the address of the exporter's pages; Taken is true if it is not the requested one.
	URL    string
	Taken  bool
	Server *pgserver.Server
	Took   time.Duration
}

// Address is the requested listen address.
func (g greeting) Address() string { return g.Options.address }

// Rows is the approximate number of rows.
func (g greeting) Rows() string {
	digits := strconv.Itoa(data.Rows(g.Options.scale))
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

// Tables are the demo's tables.
func (g greeting) Tables() []data.Table { return data.Tables }

// DSN is the connection string, for a look at the database.
func (g greeting) DSN() string { return g.Server.DSN(database, pgserver.Superuser) }

// Seconds is how long the start took.
func (g greeting) Seconds() string { return fmt.Sprintf("%.1f s", g.Took.Seconds()) }

// welcome prints what is running, what to look at and how to stop.
func welcome(w io.Writer, g greeting) {
	_ = words.Execute(w, g) // a closed terminal does not matter
}
