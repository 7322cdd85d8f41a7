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

//go:embed page.html page.css page.js
var assets embed.FS

var page = template.Must(template.New("page.html").Funcs(template.FuncMap{
	"icon": func(word string) template.HTML {
		return template.HTML(`<svg class="icon ` + word + `" aria-hidden="true"><use href="#` + word +
			`"/></svg>`) // of our own words
	},
}).ParseFS(assets, "page.html"))

var style, script = asset("page.css"), asset("page.js")

func asset(name string) string {
	text, err := assets.ReadFile(name)
	if err != nil {
		panic(err)
	}
	return string(text)
}

// policy lets the page use what is in it, told by hashes, and nothing else.
var policy = fmt.Sprintf(
	"default-src 'none'; style-src %s; script-src %s; img-src data:; base-uri 'none'; form-action 'none'", source(style),
	source(script))

// source is how a Content-Security-Policy names a text (CSP Level 3, 2.3.1).
func source(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

// Policy is the Content-Security-Policy for a response that holds the page. The page
// carries the same one, but for what only a header can say.
func Policy() string { return policy + "; frame-ancestors 'none'" }

// HTML writes the report as one page that loads nothing. A live one links to what the
// exporter has beside it.
func HTML(w io.Writer, r Report, live bool) error {
	var out strings.Builder
	err := page.Execute(&out, struct {
		view
		Policy string
		Style  template.CSS
		Script template.JS
		Live   bool
	}{newView(r), policy, template.CSS(style), template.JS(script), live})
	if err != nil {
		return err
	}
	// A name could turn the direction of what stands beside it. The page itself has
	// nothing but what is printable.
	_, err = io.WriteString(w, softdelete.PrintableLines(out.String()))
	return err
}

// title puts a capital in front.
func title(word string) string { return strings.ToUpper(word[:1]) + word[1:] }
