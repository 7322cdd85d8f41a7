package softdelete

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// Thousands writes a number of rows, with a comma between thousands.
func Thousands(n float64) string {
	digits := strconv.FormatFloat(math.Abs(math.Round(n)), 'f', 0, 64)
	var out strings.Builder
	if n <= -0.5 {
		out.WriteByte('-')
	}
	for i, d := range digits {
		if i > 0 && (len(digits)-i)%3 == 0 {
			out.WriteByte(',')
		}
		out.WriteRune(d)
	}
	return out.String()
}

// Millions writes a number of rows; from a million on with one decimal.
func Millions(n int64) string {
	if n < 999_950 {
		return Thousands(float64(n))
	}
	return strings.TrimSuffix(strconv.FormatFloat(float64(n)/1e6, 'f', 1, 64), ".0") + " million"
}

// Percent writes a fraction as a percentage with one decimal. A value above 0 is never rounded to 0%, and a
// value below 1 never to 100%.
func Percent(fraction float64) string {
	percent := 100 * fraction
	switch text := strconv.FormatFloat(percent, 'f', 1, 64); {
	case percent > 0 && text == "0.0":
		return "<0.1%"
	case percent < 100 && text == "100.0":
		return ">99.9%"
	default:
		return text + "%"
	}
}

// Days writes a long duration in days, and a shorter one as Go does.
func Days(d time.Duration) string {
	const day = 24 * time.Hour
	switch {
	case d == day:
		return "1 day"
	case d > 0 && d%day == 0:
		return fmt.Sprintf("%d days", d/day)
	default:
		return d.String()
	}
}

// Plural writes a number with a noun, and adds an s unless the number is 1.
func Plural(n int, name string) string {
	return Thousands(float64(n)) + " " + OneOrMore(n, name, name+"s")
}

// OneOrMore returns the first word if n is 1, and the second otherwise.
func OneOrMore(n int, one, more string) string {
	if n == 1 {
		return one
	}
	return more
}

// Fold converts a column's name to the form used in rules: lower case, only letters and digits.
func Fold(name string) string {
	return strings.Map(func(r rune) rune {
		if r < 0x80 && !('a' <= r && r <= 'z' || '0' <= r && r <= '9') {
			return -1
		}
		return r
	}, strings.ToLower(name))
}

// Size writes bytes for people.
func Size(bytes int64) string {
	const units = "kMGTP"
	n, unit := float64(bytes)/1024, 0
	for n >= 1024 && unit < len(units)-1 {
		n, unit = n/1024, unit+1
	}
	return fmt.Sprintf("%.3g %cB", n, units[unit])
}

// Printable removes from a text the characters that a terminal would act on, or that would make it look like
// another text. Names in a database may contain anything. The text becomes one line.
func Printable(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\t' || r == '\n':
			return ' '
		case unicode.IsPrint(r):
			return r
		default:
			return unicode.ReplacementChar
		}
	}, text)
}

// PrintableLines does the same for each line of a text.
func PrintableLines(text string) string {
	lines := strings.Split(text, "\n")
	for i := range lines {
		lines[i] = Printable(lines[i])
	}
	return strings.Join(lines, "\n")
}

// plainYAML matches texts that need no quotes in YAML, unless they are in yamlWords.
var plainYAML = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// yamlWords are the words that YAML does not read as a text.
var yamlWords = []string{"y", "n", "yes", "no", "on", "off", "true", "false", "null"}

// FillIn is the placeholder, in a suggested setting, for what only the reader knows. The configuration refuses it, so
// that a suggestion that is pasted unchanged has no effect.
const FillIn = "<fill in>"

// QuoteYAML quotes a name so that YAML reads it as a text.
func QuoteYAML(name string) string {
	if plainYAML.MatchString(name) && !slices.Contains(yamlWords, strings.ToLower(name)) {
		return name
	}
	return strconv.Quote(name)
}

// ListYAML writes a setting with a list of values.
func ListYAML(setting string, values []string) string {
	quoted := make([]string, len(values))
	for i, v := range values {
		quoted[i] = QuoteYAML(v)
	}
	return fmt.Sprintf("%s: [%s]", setting, strings.Join(quoted, ", "))
}
