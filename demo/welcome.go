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

// words are what the demo says when all of it runs.
var words = template.Must(template.New("").Parse(`
softdelete_exporter watches a shop on PostgreSQL {{.Server.Major}}: {{len .Tables}} tables that use soft delete,
about {{.Rows}} rows. Ready after {{.Seconds}}.
{{- if .Taken}}
Another program has {{.Address}}, so it listens elsewhere.{{end}}

  Report      {{.URL}}/report
  Metrics     {{.URL}}/metrics
  Connection  {{.URL}}/health
  Database    psql '{{.DSN}}'

What there is to see:
{{range .Tables}}
  {{printf "%-23s %s" .Name .Story}}{{end}}

Try this in another terminal:

  curl -s {{.URL}}/metrics | grep '^softdelete_deletion_ratio{'
  curl -s {{.URL}}/metrics | grep '^softdelete_old_deleted_rows{'

The shop goes on with its business, a few rows a second: look again after 15 seconds.
Lock or drop a table, and see what becomes of its numbers.

Ctrl-C stops everything and removes it.
`))

// greeting is what the words need to know.
type greeting struct {
	Options options
	// URL is where the exporter's pages begin; Taken tells that it is not where it was
	// asked to be.
	URL    string
	Taken  bool
	Server *pgserver.Server
	Took   time.Duration
}

// Address is where the exporter was asked to listen.
func (g greeting) Address() string { return g.Options.address }

// Rows is about how many rows there are.
func (g greeting) Rows() string {
	digits := strconv.Itoa(data.Rows(g.Options.scale))
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

// Tables are what there is to see.
func (g greeting) Tables() []data.Table { return data.Tables }

// DSN is for those who want to see for themselves.
func (g greeting) DSN() string { return g.Server.DSN(database, pgserver.Superuser) }

// Seconds is how long a newcomer had to wait.
func (g greeting) Seconds() string { return fmt.Sprintf("%.1f s", g.Took.Seconds()) }

// welcome tells a newcomer what is running, what to look at and how to stop.
func welcome(w io.Writer, g greeting) {
	_ = words.Execute(w, g) // a terminal that is gone is no reason to stop
}
