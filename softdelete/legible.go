package softdelete

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// Legible returns a text in which every byte that is not valid UTF-8 is escaped, as in caf\xe9. Names in databases
// can have any encoding; labels, JSON and pages cannot.
func Legible(text string) string {
	if utf8.ValidString(text) {
		return text
	}
	var b strings.Builder
	for len(text) > 0 {
		r, size := utf8.DecodeRuneInString(text)
		if r == utf8.RuneError && size == 1 {
			fmt.Fprintf(&b, `\x%02x`, text[0])
		} else {
			b.WriteString(text[:size])
		}
		text = text[size:]
	}
	return b.String()
}
