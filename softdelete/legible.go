package softdelete

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// Legible is a text in which every byte that is not valid UTF-8 is escaped, as in
// caf\xe9: databases may hold names in any encoding, and labels, JSON and pages may not.
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
