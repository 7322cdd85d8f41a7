package report

import (
	"html/template"
	"strings"
	"unicode"
)

// rightToLeft are the scripts that are written from right to left.
var rightToLeft = []*unicode.RangeTable{unicode.Arabic, unicode.Hebrew, unicode.Syriac, unicode.Thaana, unicode.Nko,
	unicode.Samaritan, unicode.Mandaic, unicode.Adlam, unicode.Hanifi_Rohingya, unicode.Mende_Kikakui}

// isolate returns a text as HTML in which words that are written from right to left do not change the order of what
// stands around them, such as the number after a name.
func isolate(text string) template.HTML {
	if !strings.ContainsFunc(text, isRightToLeft) {
		return template.HTML(template.HTMLEscapeString(text)) // escaped
	}
	var out strings.Builder
	for word := range strings.SplitAfterSeq(text, " ") {
		name := strings.TrimRight(word, " :;,.")
		rest := template.HTMLEscapeString(word[len(name):])
		name = template.HTMLEscapeString(name)
		if strings.ContainsFunc(name, isRightToLeft) {
			name = "<bdi>" + name + "</bdi>"
		}
		out.WriteString(name + rest)
	}
	return template.HTML(out.String()) // every part is escaped
}

func isRightToLeft(r rune) bool { return r >= 0x590 && unicode.In(r, rightToLeft...) }
