package config

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"strings"
)

// Target is a server that /probe asks, and one of its databases.
type Target struct {
	Host, Port, Database string
	module               AuthModule
}

// NewTarget reads host:port/database and finds its auth module. Its errors do not
// repeat a target that could hold a password.
func (c *Config) NewTarget(target, module string) (Target, error) {
	if strings.ContainsAny(target, "@?") || strings.Contains(target, "://") {
		return Target{}, errors.New("target: write host:port/database only; credentials belong into an auth module of the configuration")
	}
	if !matchesAny(c.Probe.Allow, target) {
		return Target{}, fmt.Errorf("target: %q matches no pattern under probe.allow in the configuration", target)
	}
	address, database, found := strings.Cut(target, "/")
	host, port, err := net.SplitHostPort(address)
	if err != nil || host == "" || port == "" || !found || database == "" || strings.Contains(database, "/") {
		return Target{}, fmt.Errorf("target: %q is not of the form host:port/database", target)
	}
	m, known := c.AuthModules[module]
	if !known {
		return Target{}, fmt.Errorf("auth_module: there is no %q under auth_modules in the configuration", module)
	}
	return Target{Host: host, Port: port, Database: database, module: m}, nil
}

// DataSourceName is the target's connection string. The password file is read
// anew at each call.
func (t Target) DataSourceName() (string, error) {
	m := t.module
	password := string(m.Password)
	if m.PasswordFile != "" {
		text, err := os.ReadFile(m.PasswordFile)
		if err != nil {
			return "", fmt.Errorf("password_file: %w", err)
		}
		password = strings.TrimRight(string(text), "\r\n")
	}
	options := url.Values{"sslmode": {"prefer"}}
	for name, value := range map[string]string{"sslmode": m.SSLMode, "sslrootcert": m.SSLRootCert, "sslcert": m.SSLCert, "sslkey": m.SSLKey} {
		if value != "" {
			options.Set(name, value)
		}
	}
	dsn := url.URL{
		Scheme: "postgres",
		// An empty password is written too: PGPASSWORD is not meant for this server.
		User:     url.UserPassword(m.User, password),
		Host:     net.JoinHostPort(t.Host, t.Port),
		Path:     "/" + t.Database,
		RawQuery: options.Encode(),
	}
	return dsn.String(), nil
}
