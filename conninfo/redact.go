package conninfo

import (
	"encoding/json"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

const mask = "xxxxx"

// patterns are the places of a password in any text, each with the part that may stay. They remove too much
// rather than too little: a password may contain any character, even forbidden ones.
var patterns = []struct {
	pattern *regexp.Regexp
	kept    string
}{
	// scheme://user:password@host, also where it does not parse as a URL
	{regexp.MustCompile(`(://[^:/?#@\s]*:)[^\n]*@`), "${1}" + mask + "@"},
	// password=… of a key=value string or a query, quoted or not
	{regexp.MustCompile(`(?i)(` + words + `\s*=\s*)(` + quotedValue + `|(?:\\.|\S)*)`), "${1}" + mask},
	// "password": "…" of JSON
	{regexp.MustCompile(`(?i)(` + words + `["']\s*:\s*)` + quotedValue), "${1}" + mask},
	// password: … of YAML, alone on its line
	{regexp.MustCompile(`(?im)^(\s*(?:- )?` + words + `:\s+)` + `[^\n]+`), "${1}" + mask},
	// what a URL parser quotes of the part that it could not parse
	{regexp.MustCompile(`(invalid (?:port|URL escape|userinfo|character)[^"\n]*)` + inQuotes), `${1}"` + mask + `"`},
}

const (
	words       = `(?:password|passwd|passphrase|pwd|secret|scram_\w+_key)`
	inQuotes    = `"(?:[^"\\\n]|\\.)*"`
	quotedValue = `(?:'(?:[^'\\\n]|\\.)*'|` + inQuotes + `|['"][^\n]*)`
)

// Redact hides passwords in an unknown text, by the places where they usually are. If the connection is known,
// use its own Redact.
func Redact(text string) string {
	for _, p := range patterns {
		text = p.pattern.ReplaceAllString(text, p.kept)
	}
	return text
}

// Redact hides the secrets of this connection in a text from a parser, a driver or a server: whole, in any
// encoding, and in the pieces into which a parser may have split them. The names of the user, the database and
// the hosts stay.
func (i *Info) Redact(text string) string {
	long, short := i.secretForms()
	kept := i.namesIn(text)
	var b strings.Builder
	for n := 0; n < len(text); {
		length := hiddenAt(text, n, long, short)
		if length == 0 || kept.hold(n, n+length) {
			_, size := utf8.DecodeRuneInString(text[n:])
			b.WriteString(text[n : n+size])
			n += size
			continue
		}
		b.WriteString(mask)
		n += length
	}
	return Redact(b.String())
}

// Hide returns an error with a redacted text. The wrapped error can still be found.
func (i *Info) Hide(err error) error {
	if err == nil {
		return nil
	}
	return &hidden{i.Redact(err.Error()), err}
}

type hidden struct {
	text string
	err  error
}

func (h *hidden) Error() string { return h.text }

func (h *hidden) Unwrap() error { return h.err }

// hiddenAt returns the length of the secret at a place of a text; 0 if there is none. A short secret, which a
// text may contain by chance, counts only as a whole word.
func hiddenAt(text string, n int, long, short []string) int {
	for _, form := range long {
		if strings.HasPrefix(text[n:], form) {
			return len(form)
		}
	}
	for _, form := range short {
		if strings.HasPrefix(text[n:], form) && isWord(text, n, n+len(form)) {
			return len(form)
		}
	}
	return 0
}

// shortest is the smallest number of characters of a piece of a secret that is hidden everywhere.
const shortest = 4

// secretForms returns the texts to hide, longest first.
func (i *Info) secretForms() (long, short []string) {
	for _, secret := range i.written {
		for _, piece := range pieces(secret) {
			for _, form := range encodings(piece) {
				switch {
				case utf8.RuneCountInString(form) >= shortest:
					long = append(long, form)
				case piece == secret && form != "":
					short = append(short, form)
				}
			}
		}
	}
	slices.SortFunc(long, func(a, b string) int { return len(b) - len(a) })
	return slices.Compact(long), short
}

// manyPieces is the largest number of pieces of a secret for which every combination of adjacent pieces is
// hidden.
const manyPieces = 16

// pieces returns a secret, and what remains of it when a parser splits it at the separators of a connection
// string.
func pieces(secret string) []string {
	starts, ends := []int{0}, []int{}
	for n, r := range secret {
		if strings.ContainsRune("@/:?#", r) || unicode.IsSpace(r) {
			ends, starts = append(ends, n), append(starts, n+utf8.RuneLen(r))
		}
	}
	ends = append(ends, len(secret))
	var all []string
	for a, start := range starts {
		for b, end := range ends[a:] {
			outer := a == 0 || a+b == len(ends)-1
			if b == 0 || outer || len(starts) <= manyPieces {
				all = append(all, secret[start:end])
			}
		}
	}
	return all
}

// encodings returns the ways in which other programs may quote a text.
func encodings(text string) []string {
	inURL := []string{url.QueryEscape(text), url.PathEscape(text), url.User(text).String()}
	all := append(inURL, text, quoter.Replace(text), strings.ReplaceAll(text, "'", "''"))
	if quoted := strconv.Quote(text); len(quoted) > 1 {
		all = append(all, quoted[1:len(quoted)-1])
	}
	if encoded, err := json.Marshal(text); err == nil {
		all = append(all, string(encoded[1:len(encoded)-1]))
	}
	for _, form := range inURL {
		all = append(all, lowerHex.ReplaceAllStringFunc(form, strings.ToLower))
	}
	slices.Sort(all)
	return slices.Compact(all)
}

var lowerHex = regexp.MustCompile(`%[0-9A-F]{2}`)

// spans are parts of a text, from the first byte to the byte after the last.
type spans [][2]int

// hold reports whether a part is within one of them.
func (s spans) hold(start, end int) bool {
	return slices.ContainsFunc(s, func(span [2]int) bool { return span[0] <= start && end <= span[1] })
}

// namesIn returns the places where a text names the user, the database or a host.
func (i *Info) namesIn(text string) (found spans) {
	names := append(strings.Split(i.Get("host"), ","), i.Get("user"), i.Get("dbname"), i.Get("hostaddr"))
	for _, name := range names {
		for at := 0; name != ""; {
			n := strings.Index(text[at:], name)
			if n < 0 {
				break
			}
			start, end := at+n, at+n+len(name)
			if isWord(text, start, end) {
				found = append(found, [2]int{start, end})
			}
			at = start + 1
		}
	}
	return found
}

// isWord reports whether a part of a text is a whole word.
func isWord(text string, start, end int) bool {
	before, _ := utf8.DecodeLastRuneInString(text[:start])
	after, _ := utf8.DecodeRuneInString(text[end:])
	return !inWord(before) && !inWord(after)
}

func inWord(r rune) bool { return r != utf8.RuneError && (unicode.IsLetter(r) || unicode.IsDigit(r)) }
