package config

import (
	"bytes"
	"maps"

	"go.yaml.in/yaml/v3"

	"github.com/softdelete-exporter/softdelete_exporter/conninfo"
)

// YAML writes the whole configuration as a file that could be loaded, if it had the passwords: these, and the names of
// password files, are hidden.
func (c *Config) YAML() ([]byte, error) {
	var text bytes.Buffer
	encoder := yaml.NewEncoder(&text)
	encoder.SetIndent(2)
	err := encoder.Encode(c)
	return text.Bytes(), err
}

// MarshalYAML hides passwords. Somebody may have put one where the name of its file belongs.
func (m AuthModule) MarshalYAML() (any, error) {
	type plain AuthModule
	if m.PasswordFile != "" {
		m.PasswordFile = Secret(m.PasswordFile).String()
	}
	m.Options = maps.Clone(m.Options)
	for name, value := range m.Options {
		if conninfo.IsSecret(name) {
			m.Options[name] = Secret(value).String()
		}
	}
	return plain(m), nil
}

// MarshalYAML hides the secret.
func (s Secret) MarshalYAML() (any, error) {
	if s == "" {
		return "", nil
	}
	return s.String(), nil
}

// MarshalYAML writes the duration as the configuration file does.
func (d Duration) MarshalYAML() (any, error) { return d.String(), nil }

// MarshalYAML writes the retention as the configuration file does.
func (r Retention) MarshalYAML() (any, error) {
	if r.For == 0 {
		return "none", nil
	}
	return Duration(r.For).String(), nil
}

// IsZero reports whether the file has no value.
func (r Retention) IsZero() bool { return !r.Set }

// MarshalYAML writes the size as the configuration file does.
func (b Bytes) MarshalYAML() (any, error) { return b.String(), nil }

// MarshalYAML writes the expression as it was written.
func (p Pattern) MarshalYAML() (any, error) { return p.text, nil }

// MarshalYAML writes the switches in their order.
func (s Switches) MarshalYAML() (any, error) { return switches(s) }

// MarshalYAML writes the switches in their order.
func (n Names) MarshalYAML() (any, error) { return switches(n) }

func switches(all []Switch) (any, error) {
	mapping := &yaml.Node{Kind: yaml.MappingNode}
	for _, s := range all {
		var name, on yaml.Node
		name.SetString(s.Name)
		if err := on.Encode(s.On); err != nil {
			return nil, err
		}
		mapping.Content = append(mapping.Content, &name, &on)
	}
	return mapping, nil
}
