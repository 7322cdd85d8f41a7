package report

import (
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"strings"

	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

//go:embed page.html targets.html page.css page.js
var assets embed.FS

var page = template.Must(template.New("page.html").Funcs(template.FuncMap{
	"isolate": isolate,
	"icon": func(word string) template.HTML {
		return template.HTML(`<svg class="icon ` + word + `" aria-hidden="true"><use href="#` + word +
			`"/></svg>`) // word is one of the program's own
	},
}).ParseFS(assets, "page.html", "targets.html"))

var style, script = asset("page.css"), asset("page.js")

func asset(name string) string {
	text, err := assets.ReadFile(name)
	if err != nil {
		panic(err)
	}
	return string(text)
}

// policy allows the page to use its own style and script, by their hashes, and nothing else.
var policy = fmt.Sprintf(
	"default-src 'none'; style-src %s; script-src %s; img-src data:; base-uri 'none'; form-action 'none'", source(style),
	source(script))

// source returns the name of a text in a Content-Security-Policy (CSP Level 3, 2.3.1).
func source(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

// Policy returns the Content-Security-Policy of a response with the page. The page itself contains the same
// policy, without the part that only a header can have.
func Policy() string { return policy + "; frame-ancestors 'none'" }

// Links are what a page that an exporter serves links to.
type Links struct {
	// JSON is the same report as JSON, Metrics the server's metrics.
	JSON, Metrics string
	// Targets is true if there is a list of servers.
	Targets bool
}

// HTML writes the report as one page that loads nothing. Live is nil for a file.
func HTML(w io.Writer, r Report, live *Links) error {
	var out strings.Builder
	err := page.Execute(&out, struct {
		view
		Policy string
		Style  template.CSS
		Script template.JS
		Live   *Links
	}{newView(r), policy, template.CSS(style), template.JS(script), live})
	if err != nil {
		return err
	}
	// A name could change the direction of the text next to it. The page itself has only printable characters.
	_, err = io.WriteString(w, softdelete.PrintableLines(out.String()))
	return err
}

// title makes the first letter a capital.
func title(word string) string { return strings.ToUpper(word[:1]) + word[1:] }
