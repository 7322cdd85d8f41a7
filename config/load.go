package config

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Load reads the built-in defaults, then the user's file if file is not empty, then the environment; later
// values override earlier ones. Its error lists every error that was found.
func Load(defaults []byte, file string) (*Config, error) {
	c := &Config{}
	if err := decode(defaults, c); err != nil {
		return nil, fmt.Errorf("built-in configuration: %w", err)
	}
	var faults error
	where := "configuration"
	if file != "" {
		where = file
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("configuration file: %w", err)
		}
		faults = decode(text, c)
	}
	for i := range c.Tables {
		c.Tables[i].Schema = cmp.Or(c.Tables[i].Schema, "public")
	}
	c.resolve(filepath.Dir(file))
	var limits error
	c.Thresholds, limits = thresholds(c.ThresholdsFile)
	if faults = errors.Join(faults, validate(c), limits); faults != nil {
		faults = fmt.Errorf("%s: %w", where, faults)
	}
	if err := errors.Join(faults, environment(c)); err != nil {
		return nil, err
	}
	return c, nil
}

// resolve makes relative file names relative to the folder of the configuration file.
func (c *Config) resolve(folder string) {
	at := func(name *string) {
		if *name != "" && *name != "system" && !filepath.IsAbs(*name) { // system: libpq's word for the system's authorities
			*name = filepath.Join(folder, *name)
		}
	}
	at(&c.ThresholdsFile)
	for name, m := range c.AuthModules {
		for _, file := range []*string{&m.PasswordFile, &m.SSLRootCert, &m.SSLCert, &m.SSLKey} {
			at(file)
		}
		c.AuthModules[name] = m
	}
}

func decode(text []byte, c *Config) error {
	d := yaml.NewDecoder(bytes.NewReader(text))
	d.KnownFields(true)
	if err := d.Decode(c); err != nil && !errors.Is(err, io.EOF) { // EOF: the file is empty
		return plain(err)
	}
	if err := d.Decode(&yaml.Node{}); !errors.Is(err, io.EOF) {
		return errors.New(
			"there is more than one YAML document, and only the first would be read; remove the --- between them")
	}
	return nil
}

var (
	unknownField = regexp.MustCompile(`field (\S+) not found in type config\.(\w+)`)
	wrongType    = regexp.MustCompile("cannot unmarshal !!(\\w+)(?: (`.*`))? into (\\S+)")
	wrongTag     = regexp.MustCompile("cannot decode (!!\\w+) `.*` as a (!!\\w+)")
	packageName  = regexp.MustCompile(`\w+\.`)
	anchor       = regexp.MustCompile(`unknown anchor '.*' referenced`)
)

// plain rewrites an error of the YAML library in the terms of the configuration file. It does not repeat a text
// that may be a password.
func plain(err error) error {
	var all *yaml.TypeError
	if !errors.As(err, &all) {
		text := strings.TrimPrefix(err.Error(), "yaml: ")
		text = anchor.ReplaceAllString(text, "a value that begins with * refers to nothing; put it in quotes")
		return errors.New(wrongTag.ReplaceAllString(text, "a value is $1, not $2 as it is marked"))
	}
	faults := make([]error, len(all.Errors))
	for i, text := range all.Errors {
		text = unknownField.ReplaceAllString(text,
			`unknown setting "$1": check its spelling and indentation against the commented config.yaml`)
		text = wrongType.ReplaceAllStringFunc(text, func(s string) string {
			m := wrongType.FindStringSubmatch(s)
			what, where := kindOf[m[1]], packageName.ReplaceAllString(m[3], "")
			switch {
			case where == "AuthModule" || strings.HasPrefix(where, "map["):
				where = "map[" // and the text may be a password
			case m[2] != "":
				what += " " + m[2]
			}
			return fmt.Sprintf("%s cannot stand where %s is expected", what, expected(where))
		})
		faults[i] = errors.New(text)
	}
	return errors.Join(faults...)
}

// expected describes a Go type to the author of a configuration file.
func expected(goType string) string {
	switch name, isList := strings.CutPrefix(goType, "[]"); {
	case isList:
		return "a list"
	case name == "string", name == "Secret", name == "Kind", name == "Unit", name == "Method":
		return "a text"
	case strings.HasPrefix(name, "int"), strings.HasPrefix(name, "float"):
		return "a number"
	case name == "bool":
		return "true or false"
	default:
		return "a group of settings"
	}
}

var kindOf = map[string]string{"str": "the text", "int": "the number", "float": "the number", "bool": "the switch",
	"seq": "a list", "map": "a group of settings", "null": "nothing"}
