// Package config is what the user may say: a strict YAML file over the built-in
// defaults, every fault reported at once, each naming its field.
package config

import "github.com/softdelete-exporter/softdelete_exporter/assess"

//go:generate go run ../internal/reference ..

// Config is the whole configuration. Its defaults stand in config.yaml alone.
type Config struct {
	// TTL is how long a snapshot is served before a scrape starts to make a new one.
	TTL Duration `yaml:"ttl"`
	// MaxStale is how long numbers that can no longer be confirmed are shown.
	MaxStale Duration `yaml:"max_stale"`
	Ping     Ping     `yaml:"ping"`
	Scrape   Scrape   `yaml:"scrape"`
	Limits   Limits   `yaml:"limits"`
	Counting Counting `yaml:"counting"`
	// Integrity checks the rows of every table for contradictions, beside counting them.
	Integrity bool      `yaml:"integrity"`
	Databases Databases `yaml:"databases"`
	Defaults  Defaults  `yaml:"defaults"`
	Discovery Discovery `yaml:"discovery"`
	// Tables are those that discovery does not find, or about which you know better. What
	// an entry says of the marker overrides every rule.
	Tables []Table `yaml:"tables"`
	// Policies are what holds for many tables at once. For each setting the first that matches
	// a table and has the setting decides; the table's own entry goes before all of them.
	Policies []Policy `yaml:"policies"`
	Probe    Probe    `yaml:"probe"`
	// AuthModules are ways to log in to the targets of /probe, by name.
	AuthModules map[string]AuthModule `yaml:"auth_modules"`
	// ThresholdsFile holds the health limits that differ from the mixin's, in JSON.
	ThresholdsFile string `yaml:"thresholds_file"`

	// Thresholds are the health limits: the mixin's, under those of ThresholdsFile.
	Thresholds assess.Thresholds `yaml:"-"`
	// Alerts are the conditions of the report's list of alerts, as SOFT_DELETE_* has
	// them.
	Alerts assess.AlertConditions `yaml:"-"`
	// only narrows what is watched; nil does not.
	only func(TableName, TableSettings) bool
	// Monitoring is false where SOFT_DELETE_ENABLE_MONITORING leaves only the
	// connection check.
	Monitoring bool `yaml:"-"`
}

// Ping is the live connection check.
type Ping struct {
	// Timeout bounds connecting, reopening and the query together.
	Timeout Duration `yaml:"timeout"`
	// When is scrape, or refresh for a server that pings would keep awake.
	When string `yaml:"when"`
}

// Scrape is how long a scrape may take.
type Scrape struct {
	// Timeout is the deadline of a scrape that sends none.
	Timeout Duration `yaml:"timeout"`
	// Offset is how long before the deadline the answer is sent.
	Offset Duration `yaml:"offset"`
}

// Limits protect the database.
type Limits struct {
	// LockTimeout is how long a query of ours may wait for a lock.
	LockTimeout Duration `yaml:"lock_timeout"`
	// StatementTimeout is how long a query of ours may run.
	StatementTimeout Duration `yaml:"statement_timeout"`
	// Connections is the most that the whole process opens.
	Connections int `yaml:"connections"`
}

// Databases are the watched databases of the server: the connection string's own
// if nothing is said.
type Databases struct {
	// All watches every database that one may connect to, on the servers of /probe, too.
	All bool `yaml:"all"`
	// Names are the databases to watch. Every server of /probe is asked for them, too; the
	// database of a target is then only where the ping goes.
	Names []string `yaml:"names"`
}

// Defaults hold for every table that does not say otherwise.
type Defaults struct {
	// Retention is how long deleted rows are to be kept.
	Retention Retention `yaml:"retention"`
	// TimeZone is the zone of columns that do not carry one, an IANA name.
	TimeZone string `yaml:"time_zone"`
}

// Probe is what /probe may ask.
type Probe struct {
	// Allow are the patterns of the targets that may be asked. They see the host in lower
	// case, and an address in its shortest form. A target's database is the one that is
	// watched, unless `databases` says otherwise.
	Allow []Pattern `yaml:"allow"`
	// Idle is how long a target that nobody asks for is remembered.
	Idle Duration `yaml:"idle"`
}

// AuthModule is how to log in to a target of /probe.
type AuthModule struct {
	// User is the role to log in as.
	User string `yaml:"user"`
	// Password is its password.
	Password Secret `yaml:"password"`
	// PasswordFile holds the password instead, and is read at each connect.
	PasswordFile string `yaml:"password_file"`
	// SSLMode is libpq's; prefer when empty.
	SSLMode string `yaml:"sslmode"`
	// SSLRootCert is the file of the authorities that are trusted.
	SSLRootCert string `yaml:"sslrootcert"`
	// SSLCert is the file of the client's certificate.
	SSLCert string `yaml:"sslcert"`
	// SSLKey is the file of its key.
	SSLKey string `yaml:"sslkey"`
	// Options are further parameters of the connection, by libpq's names: connect_timeout,
	// target_session_attrs, or options for the server.
	Options map[string]string `yaml:"options"`
}
