package conninfo

import "strings"

const blanks = " \t\n\r\v\f"

// readKeyValue reads host=… user=… password='…'. As in libpq, there may be spaces around the =, and a backslash
// escapes the next character.
func (i *Info) readKeyValue(text string) error {
	for n := 1; text != ""; n++ {
		name, rest, found := strings.Cut(text, "=")
		name = strings.Trim(name, blanks)
		if !found || strings.ContainsAny(name, blanks) {
			if n == 1 {
				return refuse("is neither a URL nor key=value; write %s", forms)
			}
			return refuse(`has a word without a name and = in front of it; %s`, quoting)
		}
		if _, known := find(name); !known {
			if n == 1 && !isName(name) {
				return refuse("is neither a URL nor key=value; write %s", forms)
			}
			return refuse("is key=value, and the name before its = number %d is unknown%s; %s; %s",
				n, suggestion(name), quoting, serverSettings)
		}
		value, behind, err := readValue(strings.TrimLeft(rest, blanks))
		if err != nil {
			return err
		}
		if err := i.set(name, value); err != nil {
			return refuse("is key=value whose %w", err)
		}
		text = behind
	}
	return nil
}

// readValue reads the value at the beginning of a text, and returns the rest.
func readValue(text string) (value, rest string, err error) {
	quoted := strings.HasPrefix(text, "'")
	if strings.HasPrefix(text, `"`) {
		return "", "", refuse("is key=value with a value in double quotes; %s", quoting)
	}
	n := 0
	if quoted {
		n = 1
	}
	var b strings.Builder
	for ; n < len(text); n++ {
		switch c := text[n]; {
		case quoted && c == '\'':
			rest = text[n+1:]
			if rest != "" && !strings.ContainsRune(blanks, rune(rest[0])) {
				return "", "", refuse("is key=value with text directly after a closing quote; %s", quoting)
			}
			return b.String(), strings.TrimLeft(rest, blanks), nil
		case !quoted && strings.IndexByte(blanks, c) >= 0:
			return b.String(), strings.TrimLeft(text[n:], blanks), nil
		case c == '\\':
			n++
			if n == len(text) {
				return "", "", refuse(`is key=value and ends with a \; %s`, quoting)
			}
		}
		b.WriteByte(text[n])
	}
	if quoted {
		return "", "", refuse("is key=value with a quote that is not closed; %s", quoting)
	}
	return b.String(), "", nil
}

var quoter = strings.NewReplacer(`\`, `\\`, `'`, `\'`)

// quote writes a value for key=value.
func quote(value string) string { return "'" + quoter.Replace(value) + "'" }

// isName reports whether a text looks like the name of a parameter.
func isName(text string) bool {
	return text != "" && !strings.ContainsFunc(text, func(r rune) bool {
		return !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || r == '_')
	})
}
