package config

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"net"
	"net/netip"
	"os"
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/softdelete-exporter/softdelete_exporter/conninfo"
)

// Target is a server that /probe connects to, and one of its databases.
type Target struct {
	Host, Port, Database string
	module               AuthModule
	moduleName           string
}

// form is the form of a target. It excludes everything that a connection string could read as more than one
// host, one port and one database.
var form = regexp.MustCompile(
	`^(?:([A-Za-z0-9_][A-Za-z0-9_.-]{0,252})|\[([0-9A-Fa-f:.]+)\]):([1-9][0-9]{0,4})/([^/?#@%]+)$`)

// maxName is the maximum length of a PostgreSQL name in bytes. PostgreSQL truncates longer names, so without
// this limit one database would have any number of names.
const maxName = 63

// NewTarget parses host:port/database, if the configuration allows it, and finds its auth module. Its errors do
// not repeat a text that does not parse, because it could contain a password.
func (c *Config) NewTarget(target, module string) (Target, error) {
	t, err := parseTarget(target)
	if err != nil {
		return Target{}, err
	}
	if !matchesAny(c.Probe.Allow, t.String()) {
		return Target{}, fmt.Errorf("target: %q matches no pattern under probe.allow in the configuration", t)
	}
	var known bool
	if t.module, known = c.AuthModules[module]; !known {
		return Target{}, fmt.Errorf("auth_module: there is no %q under auth_modules in the configuration", module)
	}
	t.moduleName = module
	return t, nil
}

// parseTarget splits a target. It puts host names in lower case and addresses in their shortest form, so that
// every target has one spelling.
func parseTarget(target string) (Target, error) {
	parts := form.FindStringSubmatch(target)
	if parts == nil || !utf8.ValidString(target) {
		return Target{},
			errors.New(
				"target: write host:port/database only, with one host name or address (IPv6 in brackets); credentials belong in " +
					"an auth module of the configuration")
	}
	t := Target{Host: strings.ToLower(parts[1]), Port: parts[3], Database: parts[4]}
	if parts[1] == "" {
		address, err := netip.ParseAddr(parts[2])
		if err != nil || !address.Is6() {
			return Target{}, errors.New("target: the text in brackets is not an IPv6 address")
		}
		t.Host = address.String()
	}
	if port, _ := strconv.Atoi(t.Port); port > math.MaxUint16 {
		return Target{}, errors.New("target: the port must be from 1 to 65535")
	}
	if len(t.Database) > maxName || strings.ContainsFunc(t.Database, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return Target{}, fmt.Errorf("target: the name of a database has at most %d bytes, and no control characters",
			maxName)
	}
	return t, nil
}

// String writes the target as /probe is asked for it.
func (t Target) String() string { return net.JoinHostPort(t.Host, t.Port) + "/" + t.Database }

// DataSource returns how to connect to the target. It reads the password file at each call. It uses only those
// of libpq's variables that do not belong to a particular server: PGPASSWORD, for example, is meant for another
// server.
func (t Target) DataSource() (*conninfo.Info, error) {
	m := t.module
	password := string(m.Password)
	if m.PasswordFile != "" {
		text, err := readSecret(m.PasswordFile)
		if err != nil {
			return nil, fmt.Errorf("auth_modules.%s.password_file: %w", t.moduleName, err)
		}
		password = strings.TrimRight(text, "\r\n")
	}
	info, err := m.parameters()
	if err != nil {
		return nil, err
	}
	info, err = info.With(map[string]string{"host": t.Host, "port": t.Port, "user": m.User, "password": password})
	if err != nil {
		return nil, fmt.Errorf("target: %w", err)
	}
	return info.In(t.Database).WithDefaults(conninfo.ForAnyServer(os.Getenv))
}

// parameters returns the settings of the module other than the user and the password.
func (m AuthModule) parameters() (*conninfo.Info, error) {
	settings := map[string]string{"sslmode": "prefer"}
	maps.Copy(settings, m.Options)
	for name, value := range m.fields() {
		if value != "" {
			settings[name] = value
		}
	}
	return conninfo.New(settings)
}

// fields returns the parameters that have a field of their own.
func (m AuthModule) fields() map[string]string {
	return map[string]string{"sslmode": m.SSLMode, "sslrootcert": m.SSLRootCert, "sslcert": m.SSLCert, "sslkey": m.SSLKey}
}
