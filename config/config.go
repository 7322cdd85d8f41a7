// Package config reads the configuration: a strict YAML file on top of the built-in defaults. It reports all
// errors at once, and each error names its field.
package config

import "github.com/softdelete-exporter/softdelete_exporter/assess"

//go:generate go run ../internal/reference ..

// Config is the whole configuration. Its defaults are in config.yaml only.
type Config struct {
	// TTL is how long a snapshot is served before a scrape starts a new refresh.
	TTL Duration `yaml:"ttl"`
	// MaxStale is how long numbers that can no longer be confirmed are shown.
	MaxStale Duration `yaml:"max_stale"`
	Ping     Ping     `yaml:"ping"`
	Scrape   Scrape   `yaml:"scrape"`
	Limits   Limits   `yaml:"limits"`
	Counting Counting `yaml:"counting"`
	// Integrity turns on checks for rows that contradict each other, in all tables.
	Integrity bool `yaml:"integrity"`
	// DeletedRowsByAge turns on softdelete_deleted_rows_by_age: up to eight series for each table.
	DeletedRowsByAge bool      `yaml:"deleted_rows_by_age"`
	Databases        Databases `yaml:"databases"`
	Defaults         Defaults  `yaml:"defaults"`
	Discovery        Discovery `yaml:"discovery"`
	// Tables are the tables that discovery does not find, or reads wrongly. An entry's marker overrides every
	// rule.
	Tables []Table `yaml:"tables"`
	// Policies are settings for many tables at once. For each setting, the first policy that matches the table
	// and has the setting decides. The table's own entry has precedence over all policies.
	Policies []Policy `yaml:"policies"`
	Probe    Probe    `yaml:"probe"`
	// AuthModules are ways to log in to the targets of /probe, by name.
	AuthModules map[string]AuthModule `yaml:"auth_modules"`
	// ThresholdsFile is a JSON file with the health limits that differ from the mixin's.
	ThresholdsFile string `yaml:"thresholds_file"`

	// Thresholds are the health limits: those of the mixin, overridden by those of ThresholdsFile.
	Thresholds assess.Thresholds `yaml:"-"`
	// Alerts are the conditions of the report's list of alerts, from the variables SOFT_DELETE_*.
	Alerts assess.AlertConditions `yaml:"-"`
	// only reports whether a table is wanted; nil means that all are.
	only func(TableName, TableSettings) bool
	// Monitoring is false if SOFT_DELETE_ENABLE_MONITORING leaves only the connection check.
	Monitoring bool `yaml:"-"`
}

// Ping is the live connection check.
type Ping struct {
	// Timeout limits connecting, reopening and the query together.
	Timeout Duration `yaml:"timeout"`
	// When is scrape, or refresh for a server that pings would keep awake.
	When string `yaml:"when"`
}

// Scrape sets how long a scrape may take.
type Scrape struct {
	// Timeout is the deadline of a scrape that does not send one.
	Timeout Duration `yaml:"timeout"`
	// Offset is how long before the deadline the answer is sent.
	Offset Duration `yaml:"offset"`
}

// Limits protect the database.
type Limits struct {
	// LockTimeout is how long a query of the exporter may wait for a lock.
	LockTimeout Duration `yaml:"lock_timeout"`
	// StatementTimeout is how long a query of the exporter may run.
	StatementTimeout Duration `yaml:"statement_timeout"`
	// Connections is the maximum number of connections of the whole process.
	Connections int `yaml:"connections"`
}

// Databases are the watched databases of the server; by default the one in the connection string.
type Databases struct {
	// All watches every database that the role may connect to, also on the servers of /probe.
	All bool `yaml:"all"`
	// Names are the databases to watch, also on every server of /probe. The database of a target is then used
	// only for the ping.
	Names []string `yaml:"names"`
}

// Defaults are the settings of every table that does not have its own.
type Defaults struct {
	// Retention is how long deleted rows should be kept.
	Retention Retention `yaml:"retention"`
	// TimeZone is the zone of columns without one, an IANA name.
	TimeZone string `yaml:"time_zone"`
}

// Probe sets what /probe may connect to.
type Probe struct {
	// Allow lists patterns of the targets that may be probed. They are matched against the host in lower case,
	// and an address in its shortest form. The exporter watches the database of the target, unless `databases`
	// says otherwise.
	Allow []Pattern `yaml:"allow"`
	// Idle is how long a target is kept after it was last probed.
	Idle Duration `yaml:"idle"`
}

// AuthModule says how to log in to a target of /probe.
type AuthModule struct {
	// User is the role to log in as.
	User string `yaml:"user"`
	// Password is its password.
	Password Secret `yaml:"password"`
	// PasswordFile is a file with the password instead; it is read at each connect.
	PasswordFile string `yaml:"password_file"`
	// SSLMode is libpq's sslmode; the default is prefer.
	SSLMode string `yaml:"sslmode"`
	// SSLRootCert is the file of the trusted certificate authorities.
	SSLRootCert string `yaml:"sslrootcert"`
	// SSLCert is the file of the client's certificate.
	SSLCert string `yaml:"sslcert"`
	// SSLKey is the file of the certificate's key.
	SSLKey string `yaml:"sslkey"`
	// Options are further connection parameters, by libpq's names, such as connect_timeout,
	// target_session_attrs, or options for the server.
	Options map[string]string `yaml:"options"`
}
