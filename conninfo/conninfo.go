// Package conninfo reads PostgreSQL's connection strings, as URL or as key=value, and
// hides their secrets.
//
// It is stricter than libpq. If a string is misread, a piece of the password becomes the name of a host, a
// database or a parameter, and appears in the logs of the exporter and the server. So a string that is not
// clearly a URL, or clearly key=value with known keys, is refused before any connection, with an error that
// repeats nothing of it.
package conninfo

import (
	"fmt"
	"io"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Info is the content of a connection string, with the defaults filled in. It is never changed, only copied.
// However it is printed, its secrets are hidden.
type Info struct {
	settings map[string]string
	// written are the secrets as written in the string, with their encoding.
	written []string
}

// forms shows the two ways to write a connection string.
const forms = "postgres://user@host:5432/database or host=… user=… dbname=…"

// encoding says how to write special characters in a URL.
const encoding = "percent-encode special characters in user, password and database: " +
	"@ as %40, / as %2F, : as %3A, ? as %3F, # as %23, % as %25, a space as %20; or give the password separately " +
	"from the URL"

// quoting says how to write special characters in key=value.
const quoting = `put a value that contains blanks in single quotes, with \ before each ' and \ in it`

// refuse makes an error about the string as a whole.
func refuse(format string, args ...any) error {
	return fmt.Errorf("the connection string "+format, args...)
}

var scheme = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9+.-]*://`)

// Parse reads a connection string, which may be empty. It removes whitespace around it, and the byte order mark
// that some editors put at the start of a file.
func Parse(text string) (*Info, error) {
	text = Trim(text)
	if !utf8.ValidString(text) {
		return nil, refuse("is not in UTF-8")
	}
	if strings.ContainsRune(text, 0) {
		return nil, refuse("contains a NUL character")
	}
	i := &Info{settings: map[string]string{}}
	var err error
	switch {
	case text == "":
		return i, nil
	case strings.ContainsRune("\"'`“”„‘’«", []rune(text)[0]):
		return nil, refuse("is in quotes; remove them")
	case strings.HasPrefix(text, "postgres://"), strings.HasPrefix(text, "postgresql://"):
		err = i.readURL(text)
	case scheme.MatchString(text):
		return nil, refuse("has an unknown scheme; write postgres:// or postgresql://")
	case strings.HasPrefix(text, "postgres:"), strings.HasPrefix(text, "postgresql:"):
		return nil, refuse("lacks the // after postgres: at its beginning")
	default:
		err = i.readKeyValue(text)
		if err != nil && (strings.Contains(text, "postgres://") || strings.Contains(text, "postgresql://")) {
			err = refuse("contains a URL but does not begin with it; remove the text before postgres://")
		}
	}
	if err != nil {
		return nil, err
	}
	return i, nil
}

// Trim removes what editors and shells leave around a text.
func Trim(text string) string {
	return strings.TrimFunc(text, func(r rune) bool { return unicode.IsSpace(r) || r == '\uFEFF' })
}

// With returns a copy with more settings, by libpq's names. They replace existing ones.
func (i *Info) With(settings map[string]string) (*Info, error) {
	next := i.clone()
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		if err := next.set(name, settings[name]); err != nil {
			return nil, err
		}
	}
	return next, nil
}

// New makes an Info from settings by libpq's names.
func New(settings map[string]string) (*Info, error) {
	return new(Info).With(settings)
}

// set checks a setting, and keeps it if the exporter uses it. Its error begins with the name, and does not
// repeat the value.
func (i *Info) set(name, value string) error {
	p, known := find(name)
	if !known {
		return fmt.Errorf("unknown parameter%s", suggestion(name))
	}
	if err := p.check(value); err != nil {
		return fmt.Errorf("%s %w", name, err)
	}
	if p.secret && value != "" {
		i.written = append(i.written, value)
	}
	if p.Treatment == Honoured {
		i.settings[name] = value
	}
	return nil
}

// Get returns a setting by libpq's name; empty if there is none.
func (i *Info) Get(name string) string { return i.settings[name] }

// ForDriver writes the settings for a driver that takes missing settings from variables, services and files, as
// pgx does. It writes all settings, so that nothing else has an effect. A service whose name the driver would
// find in PGSERVICE must still exist.
func (i *Info) ForDriver(changes map[string]string) string {
	all := map[string]string{}
	for _, p := range parameters {
		if _, set := i.settings[p.Name]; !set && p.Treatment == Honoured && !p.ours && !p.bound {
			all[p.Name] = p.unsaid
		}
	}
	if service := os.Getenv("PGSERVICE"); service != "" && i.Get("service") == "" {
		file, _, _ := readService(os.Getenv("PGSERVICEFILE"), os.Getenv("PGSYSCONFDIR"), service)
		all["service"], all["servicefile"] = service, file
	}
	maps.Copy(all, changes)
	return i.KeyValue(all)
}

// KeyValue writes the settings that a driver may see, including secrets, with the given changes.
func (i *Info) KeyValue(changes map[string]string) string {
	return i.write(changes, func(_ Parameter, value string) string { return value })
}

// String writes the settings without their secrets.
func (i *Info) String() string {
	return i.write(nil, func(p Parameter, value string) string {
		if p.secret {
			return mask
		}
		return value
	})
}

// Format implements fmt.Formatter, so that no verb shows a secret.
func (i *Info) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, i.String()) }

func (i *Info) write(changes map[string]string, show func(Parameter, string) string) string {
	var words []string
	for _, p := range parameters {
		value, there := changes[p.Name]
		if !there && !p.ours {
			value, there = i.settings[p.Name]
		}
		if there {
			words = append(words, p.Name+"="+quote(show(p, value)))
		}
	}
	return strings.Join(words, " ")
}

// In returns a copy that connects to another database, whose name comes from the server.
func (i *Info) In(database string) *Info {
	next := i.clone()
	next.settings["dbname"] = database
	return next
}

// Knowing returns a copy that also hides a secret that the driver has found.
func (i *Info) Knowing(secret string) *Info {
	next := i.clone()
	next.written = append(next.written, secret)
	return next
}

func (i *Info) clone() *Info {
	next := &Info{settings: map[string]string{}, written: slices.Clone(i.written)}
	maps.Copy(next.settings, i.settings)
	return next
}
