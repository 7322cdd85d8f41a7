package config

import "regexp"

const mask = "xxxxx"

// secrets are the places where a password stands in a text, each with what may be
// kept of it. Rather too much is taken than too little: a password may hold any
// character, also ones that it should not.
var secrets = []struct {
	pattern *regexp.Regexp
	kept    string
}{
	// scheme://user:password@host, also where it does not parse as a URL
	{regexp.MustCompile(`(://[^:/?#@\s]*:)[^\n]*@`), "${1}" + mask + "@"},
	// password=… of a key=value string or a query, quoted or not; "password": … of JSON and YAML
	{regexp.MustCompile(`(?i)((?:password|passwd|passphrase|pwd|secret)(?:["']\s*:|\s*=|:\s)\s*)('(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"|['"][^\n]*|(?:\\.|\S)*)`), "${1}" + mask},
	// the tail of a URL that the parser took apart: its message quotes pieces of the password
	{regexp.MustCompile(`(invalid (?:port|URL escape|userinfo|character)[^"\n]*)"(?:[^"\\\n]|\\.)*"`), `${1}"` + mask + `"`},
}

// Redact returns the text without the passwords in it. Every text that leaves the
// program passes through here: log lines, errors, and pages.
func Redact(text string) string {
	for _, s := range secrets {
		text = s.pattern.ReplaceAllString(text, s.kept)
	}
	return text
}
